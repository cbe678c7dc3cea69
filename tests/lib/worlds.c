/*
 * Rows of the tables world and cached_world, from PostgreSQL and from answers.
 */
#include "worlds.h"

#include <check.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

void
worlds_read(struct pg_conn *pg, const char *table, struct worlds *out)
{
    char sql[128];
    PGresult *result;

    *out = (struct worlds){0};
    snprintf(sql, sizeof(sql), "select id, randomnumber from interleave.%s", table);
    result = PQexec((PGconn *)pg, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage((PGconn *)pg));
    for (int i = 0; i < PQntuples(result); i++) {
        int id = atoi(PQgetvalue(result, i, 0));

        ck_assert(id >= 1 && id <= WORLDS);
        out->number[id] = atoi(PQgetvalue(result, i, 1));
    }
    PQclear(result);
}

/* A member that is a whole number from 1 to 10,000, written as one. */
static int
number_of(json_t *row, const char *name)
{
    json_t *value = json_object_get(row, name);

    ck_assert_msg(json_is_integer(value), "%s is no whole number", name);
    ck_assert(json_integer_value(value) >= 1 && json_integer_value(value) <= WORLDS);
    return (int)json_integer_value(value);
}

int
worlds_row(json_t *row, int *number)
{
    ck_assert(json_is_object(row));
    ck_assert_uint_eq(json_object_size(row), 2);
    *number = number_of(row, "randomNumber");
    return number_of(row, "id");
}

void
worlds_check_list(json_t *list, size_t rows, const struct worlds *table)
{
    ck_assert(json_is_array(list));
    ck_assert_uint_eq(json_array_size(list), rows);
    for (size_t i = 0; i < rows; i++) {
        int number, id = worlds_row(json_array_get(list, i), &number);

        ck_assert_int_eq(number, table->number[id]);
    }
}
