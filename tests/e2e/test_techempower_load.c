/*
 * What the TechEmpower verifier counts in PostgreSQL, while many clients ask at once: so many
 * queries, so many rows read, so many written, as many as were asked for. And what it does not look
 * at: no deadlock, no lost update, rows that are missing.
 *
 * Each test has a server of its own: when that has ended, its connections have, too, and
 * PostgreSQL's statistics are complete.
 */
#include "suite.h"
#include "worlds.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* as many clients, and rows for each, as the verifier has */
enum { CLIENTS = 512, ROWS = 20 };
enum { WRITERS = 64, WRITTEN = 250, ROUNDS = 4 };

static struct server *server;
static struct pg_conn *pg;

static void
start(void)
{
    /* A machine that stops for a moment, or is slow, makes no connection suspect (no query is sent
     * twice), and turns nobody away: 64 x 250 queries wait at once. */
    static const char *const options[] = {"workers=0",        "db_suspect=5s",     "db_answer=20s",
                                          "db_fast_wait=20s", "db_write_wait=20s", NULL};

    pg = database_connect();
    server = server_start(options);
}

/* What a failed test has taken away comes back. */
static void
stop(void)
{
    static const char *const tables[] = {"world", "cached_world"};
    char sql[512];

    if (server != NULL)
        server_stop(server);
    server = NULL;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(sql, sizeof(sql),
                 "insert into interleave.%s select id, 1 + id %% 10000 "
                 "from generate_series(1, 10000) as id on conflict do nothing",
                 tables[i]);
        database_run(pg, sql);
    }
    database_disconnect(pg);
}

/* All ask before any answer is read; each answer goes to `each` as JSON (NULL: to nobody). */
static void
ask_at_once(const char *target, unsigned clients, void (*each)(json_t *list))
{
    static int fd[CLIENTS];

    for (unsigned i = 0; i < clients; i++)
        fd[i] = client_connect(server);
    for (unsigned i = 0; i < clients; i++)
        client_send_get(fd[i], target);
    for (unsigned i = 0; i < clients; i++) {
        struct reply r;

        ck_assert(client_read_reply(fd[i], &r, false));
        ck_assert_msg(r.status == 200, "%s: %d %s", target, r.status, r.body);
        if (each != NULL) {
            json_t *root = reply_json_body(&r);

            each(root);
            json_decref(root);
        }
        reply_free(&r);
        close(fd[i]);
    }
}

/* ---- how often PostgreSQL was asked, by its own account ---- */

struct counted {
    double calls; /* statements that name the table */
    double read;  /* rows that those which only read gave */
    double written;
};

static struct counted
count(const char *table)
{
    static const char *const columns[] = {
        "sum(calls)",
        "sum(rows) filter (where query !~* '\\mupdate\\M')",
        "sum(rows) filter (where query ~* '\\mupdate\\M')",
    };
    double n[3];

    for (unsigned i = 0; i < 3; i++) {
        char sql[512];

        snprintf(sql, sizeof(sql),
                 "select coalesce(%s, 0) from pg_stat_statements join pg_database d on dbid = d.oid"
                 " where datname = current_database() and query ~* '\\m%s\\M'"
                 " and query !~ 'pg_stat_statements'",
                 columns[i], table);
        n[i] = database_run(pg, sql);
    }
    return (struct counted){n[0], n[1], n[2]};
}

static void
check_counts(const char *target, const char *table, struct counted wanted)
{
    struct counted before, after;

    if (database_run(pg, "select count(*) from pg_extension where extname = "
                         "'pg_stat_statements'") == 0) {
        printf("SKIP: counting queries of %s: this PostgreSQL has no pg_stat_statements\n", target);
        return;
    }
    before = count(table);
    ask_at_once(target, CLIENTS, NULL);
    after = count(table);
    ck_assert_double_eq(after.calls - before.calls, wanted.calls);
    ck_assert_double_eq(after.read - before.read, wanted.read);
    ck_assert_double_eq(after.written - before.written, wanted.written);
}

START_TEST(test_each_db_is_a_query_of_its_own)
{
    check_counts("/db", "world", (struct counted){CLIENTS, CLIENTS, 0});
}
END_TEST

START_TEST(test_each_row_of_queries_is_a_query_of_its_own)
{
    check_counts("/queries?queries=20", "world",
                 (struct counted){CLIENTS * ROWS, CLIENTS * ROWS, 0});
}
END_TEST

START_TEST(test_each_row_of_updates_is_read_by_a_query_and_all_are_written_by_one)
{
    check_counts("/updates?queries=20", "world",
                 (struct counted){CLIENTS * ROWS + CLIENTS, CLIENTS * ROWS, CLIENTS * ROWS});
}
END_TEST

START_TEST(test_each_fortunes_reads_the_twelve_rows)
{
    check_counts("/fortunes", "fortune", (struct counted){CLIENTS, CLIENTS * 12, 0});
}
END_TEST

START_TEST(test_cached_queries_asks_for_the_table_once)
{
    json_decref(get_json(server, "/cached-queries", 200));
    check_counts("/cached-queries?queries=20", "cached_world", (struct counted){0, 0, 0});
}
END_TEST

/* ---- many who write the same rows ---- */

/* The numbers that were answered for each row, as a set. */
static unsigned char answered[WORLDS + 1][WORLDS / 8 + 1];

static void
keep_answered(json_t *list)
{
    size_t i;
    json_t *row;

    ck_assert_uint_eq(json_array_size(list), WRITTEN);
    json_array_foreach(list, i, row) {
        int number, id = worlds_row(row, &number);

        answered[id][number / 8] |= (unsigned char)(1 << number % 8);
    }
}

static double
statistics(const char *column)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "select %s from pg_stat_database where datname = current_database()",
             column);
    return database_run(pg, sql);
}

START_TEST(test_who_writes_the_same_rows_at_once_loses_nothing_and_never_locks_up)
{
    static struct worlds before, after;
    double deadlocks = statistics("deadlocks"), undone = statistics("xact_rollback");

    memset(answered, 0, sizeof(answered));
    worlds_read(pg, "world", &before);
    for (unsigned i = 0; i < ROUNDS; i++)
        ask_at_once("/updates?queries=250", WRITERS, keep_answered);
    worlds_read(pg, "world", &after);
    for (int id = 1; id <= WORLDS; id++) {
        bool mine = answered[id][after.number[id] / 8] >> after.number[id] % 8 & 1;
        bool none = memcmp(answered[id], answered[0], sizeof(answered[0])) == 0;

        ck_assert_msg(none ? after.number[id] == before.number[id] : mine,
                      "row %d has %d, which nobody was told", id, after.number[id]);
    }
    server_stop(server);
    server = NULL;
    ck_assert_double_eq(statistics("deadlocks"), deadlocks);
    ck_assert_double_eq(statistics("xact_rollback"), undone);
}
END_TEST

/* ---- rows that are not there ---- */

static void
check_missing(const char *target, const char *detail)
{
    struct reply r = http_get(server, target);
    json_t *root = reply_json_body(&r);

    ck_assert_msg(r.status == 500, "%s: %d %s", target, r.status, r.body);
    ck_assert_str_eq(json_text(root, "type"), "/problems/query-failed");
    ck_assert_msg(strstr(json_text(root, "detail"), detail) != NULL, "%s", r.body);
    json_decref(root);
    reply_free(&r);
}

START_TEST(test_a_missing_row_of_the_cached_table_is_named_until_it_is_back)
{
    database_run(pg, "delete from interleave.cached_world where id = 7777");
    check_missing("/cached-queries", "cached_world has no row 7777");
    check_missing("/cached-queries?queries=500", "cached_world has no row 7777");
    database_run(pg, "insert into interleave.cached_world values (7777, 42)");
    json_decref(get_json(server, "/cached-queries?queries=500", 200));
}
END_TEST

START_TEST(test_without_its_rows_the_table_world_is_named)
{
    database_run(pg, "delete from interleave.world");
    check_missing("/db", "the table world has no such row");
    check_missing("/queries?queries=3", "the table world has no such row");
    check_missing("/updates?queries=3", "the table world has no such row");
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_each_db_is_a_query_of_its_own,
        test_each_row_of_queries_is_a_query_of_its_own,
        test_each_row_of_updates_is_read_by_a_query_and_all_are_written_by_one,
        test_each_fortunes_reads_the_twelve_rows,
        test_cached_queries_asks_for_the_table_once,
        test_who_writes_the_same_rows_at_once_loses_nothing_and_never_locks_up,
        test_a_missing_row_of_the_cached_table_is_named_until_it_is_back,
        test_without_its_rows_the_table_world_is_named,
    };
    Suite *suite = suite_create("techempower_load");
    TCase *tc = tcase_create("techempower_load");

    tcase_add_checked_fixture(tc, start, stop);
    tcase_set_timeout(tc, 60);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run_mode(suite, CK_NOFORK);
}
