/*
 * result: what a query has brought, for those who may not see libpq. Text format.
 */
#include "db/parts.h"

#include <stdlib.h>

int
db_rows(const struct db_query *q)
{
    return PQntuples(q->result);
}

int
db_columns(const struct db_query *q)
{
    return PQnfields(q->result);
}

const char *
db_column_name(const struct db_query *q, int column)
{
    return PQfname(q->result, column);
}

/* Numbers of pg_type, which never change. */
enum {
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NUMERIC = 1700
};

bool
db_column_is_number(const struct db_query *q, int column)
{
    switch (PQftype(q->result, column)) {
    case OID_INT8:
    case OID_INT2:
    case OID_INT4:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return true;
    default:
        return false;
    }
}

bool
db_is_null(const struct db_query *q, int row, int column)
{
    return PQgetisnull(q->result, row, column) != 0;
}

const char *
db_text(const struct db_query *q, int row, int column, size_t *len)
{
    if (len != NULL)
        *len = (size_t)PQgetlength(q->result, row, column);
    return PQgetvalue(q->result, row, column);
}

int64_t
db_int(const struct db_query *q, int row, int column)
{
    const char *p = PQgetvalue(q->result, row, column);
    const bool negative = *p == '-';
    uint64_t value = 0;

    for (p += negative; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (uint64_t)(*p - '0');
    return negative ? (int64_t)(0 - value) : (int64_t)value;
}
