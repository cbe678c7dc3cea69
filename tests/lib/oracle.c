/*
 * What the tests ask for the truth: /status, JSON answers, PostgreSQL.
 */
#include "e2e.h"

#include <check.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

json_t *
reply_json_body(const struct reply *r)
{
    json_error_t error;
    json_t *root = json_loadb(r->body, r->len, 0, &error);

    ck_assert_msg(root != NULL, "not JSON (%s): %.500s", error.text, r->body);
    return root;
}

json_t *
get_json(const struct server *s, const char *target, int status)
{
    struct reply r = http_get(s, target);
    json_t *root;

    ck_assert_msg(r.status == status, "GET %s: %d instead of %d: %.500s", target, r.status, status,
                  r.body);
    root = reply_json_body(&r);
    reply_free(&r);
    return root;
}

/* The value at a path like "workers.list.0.pid"; NULL: not there. */
static json_t *
value_at(json_t *value, const char *path)
{
    char part[128];

    while (value != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");

        snprintf(part, sizeof(part), "%.*s", (int)len, path);
        value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
                                     : json_object_get(value, part);
        path += len + (path[len] == '.');
    }
    return value;
}

double
json_number(json_t *root, const char *path)
{
    json_t *value = value_at(root, path);

    if (json_is_boolean(value))
        return json_is_true(value) ? 1 : 0;
    ck_assert_msg(json_is_number(value), "there is no number %s", path);
    return json_number_value(value);
}

const char *
json_text(json_t *root, const char *path)
{
    const char *text = json_string_value(value_at(root, path));

    ck_assert_msg(text != NULL, "there is no text %s", path);
    return text;
}

const char *
event_text(json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));

    return text != NULL ? text : "";
}

double
status_number(const struct server *s, const char *path)
{
    json_t *root = get_json(s, "/status", 200);
    double n = json_number(root, path);

    json_decref(root);
    return n;
}

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
status_wait(const struct server *s, const char *path, double at_least, double at_most)
{
    int64_t deadline = now_ms() + E2E_DEADLINE_MS;
    double n;

    while ((n = status_number(s, path)) < at_least || n > at_most)
        ck_assert_msg(now_ms() < deadline, "%s is %g, not between %g and %g", path, n, at_least,
                      at_most);
}

struct pg_conn *
database_connect(void)
{
    PGconn *conn = PQconnectdb(database_url());

    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    return (struct pg_conn *)conn;
}

double
database_run(struct pg_conn *c, const char *sql)
{
    PGresult *result = PQexec((PGconn *)c, sql);
    double n = 0;

    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK ||
                      PQresultStatus(result) == PGRES_COMMAND_OK,
                  "%s: %s", sql, PQerrorMessage((PGconn *)c));
    if (PQntuples(result) > 0 && PQnfields(result) > 0)
        n = strtod(PQgetvalue(result, 0, 0), NULL);
    PQclear(result);
    return n;
}

void
database_disconnect(struct pg_conn *c)
{
    PQfinish((PGconn *)c);
}
