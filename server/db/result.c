/*
 * result: what a query has brought, for those who may not see libpq. Text format.
 *
 * A result takes 2 KiB and more, and a request may wait for hundreds of them. So that of a short
 * read, if it is one short row, is copied out at once, and the next one gets its memory, which is
 * still in the cache.
 */
#include "db/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* False: it is not one short row without a NULL. */
static bool
copy_row(struct db_row *row, const PGresult *result)
{
    const int columns = PQnfields(result);
    size_t at = 0;

    if (PQntuples(result) != 1 || columns < 1 || columns > DB_ROW_COLUMNS)
        return false;
    for (int i = 0; i < columns; i++) {
        const size_t len = (size_t)PQgetlength(result, 0, i);

        if (at + len + 1 > sizeof(row->texts) || PQgetisnull(result, 0, i))
            return false;
        memcpy(row->texts + at, PQgetvalue(result, 0, i), len + 1);
        row->starts[i] = (uint8_t)at;
        row->lengths[i] = (uint8_t)len;
        at += len + 1;
    }
    row->columns = (uint8_t)columns;
    return true;
}

void
result_keep(struct db_query *q, PGresult *result, bool may_copy)
{
    if (may_copy && copy_row(&q->row, result))
        PQclear(result);
    else
        q->result = result;
}

void
result_drop(struct db_query *q)
{
    PQclear(q->result);
    q->result = NULL;
    q->row.columns = 0;
}

int
db_rows(const struct db_query *q)
{
    return q->row.columns > 0 ? 1 : PQntuples(q->result);
}

int
db_columns(const struct db_query *q)
{
    return q->row.columns > 0 ? q->row.columns : PQnfields(q->result);
}

const char *
db_column_name(const struct db_query *q, int column)
{
    assert(q->row.columns == 0);
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
    assert(q->row.columns == 0);
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
    return q->row.columns == 0 && PQgetisnull(q->result, row, column) != 0;
}

const char *
db_text(const struct db_query *q, int row, int column, size_t *len)
{
    if (q->row.columns > 0) {
        assert(row == 0 && column < q->row.columns);
        if (len != NULL)
            *len = q->row.lengths[column];
        return q->row.texts + q->row.starts[column];
    }
    if (len != NULL)
        *len = (size_t)PQgetlength(q->result, row, column);
    return PQgetvalue(q->result, row, column);
}

int64_t
db_int(const struct db_query *q, int row, int column)
{
    const char *p = db_text(q, row, column, NULL);
    const bool negative = *p == '-';
    uint64_t value = 0;

    for (p += negative; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (uint64_t)(*p - '0');
    return negative ? (int64_t)(0 - value) : (int64_t)value;
}
