/*
 * The endpoints that wait and compute, asked as a user would: what each answers, and that it is
 * right. Addresses about the server itself: test_operations.c.
 */
#include "e2e.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
}

static void
stop(void)
{
    server_stop(server);
}

START_TEST(test_plaintext_says_hello_with_the_fields_that_techempower_wants)
{
    struct reply r = http_get(server, "/plaintext");

    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "Hello, World!");
    ck_assert_str_eq(reply_field(&r, "content-type"), "text/plain");
    ck_assert_ptr_nonnull(reply_field(&r, "server"));
    ck_assert_ptr_nonnull(reply_field(&r, "date"));
    ck_assert_str_eq(reply_field(&r, "content-length"), "13");
    ck_assert_ptr_null(reply_field(&r, "x-request-id"));
    reply_free(&r);
}
END_TEST

START_TEST(test_json_is_an_object_with_a_message)
{
    json_t *root = get_json(server, "/json", 200);

    ck_assert_str_eq(json_text(root, "message"), "Hello, World!");
    json_decref(root);
}
END_TEST

START_TEST(test_db_answers_a_row_with_two_numbers)
{
    struct pg_conn *pg = database_connect();
    char sql[128];

    for (int i = 0; i < 20; i++) {
        json_t *root = get_json(server, "/db", 200);
        double id = json_number(root, "id");

        ck_assert(id >= 1 && id <= 10000);
        snprintf(sql, sizeof(sql), "select randomnumber from interleave.world where id = %d",
                 (int)id);
        ck_assert(json_number(root, "randomNumber") == database_run(pg, sql));
        json_decref(root);
    }
    database_disconnect(pg);
}
END_TEST

START_TEST(test_queries_clamps_its_parameter_as_the_verifier_wants)
{
    static const struct {
        const char *target;
        size_t rows;
    } cases[] = {
        {"/queries", 1},
        {"/queries?queries=", 1},
        {"/queries?queries=foo", 1},
        {"/queries?queries=0", 1},
        {"/queries?queries=2", 2},
        {"/queries?queries=20", 20},
        {"/queries?queries=500", 500},
        {"/queries?queries=501", 500},
        {"/queries?other=1&queries=3", 3},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *root = get_json(server, cases[i].target, 200);

        ck_assert_msg(json_is_array(root) && json_array_size(root) == cases[i].rows, "%s: %zu rows",
                      cases[i].target, json_array_size(root));
        json_decref(root);
    }
}
END_TEST

START_TEST(test_sleep_waits_as_long_as_asked_and_says_what_ran)
{
    struct reply r = http_get(server, "/db/sleep?ms=200");
    json_t *root = reply_json_body(&r);

    ck_assert(json_number(root, "slept_ms") == 200);
    ck_assert(json_number(root, "ran.db_ms") >= 199);
    ck_assert(json_number(root, "ran.total_ms") >= json_number(root, "ran.db_ms"));
    ck_assert(json_number(root, "ran.cpu_ms") == 0);
    ck_assert(json_number(root, "meanwhile.in_progress_max") >= 1);
    ck_assert_ptr_nonnull(reply_field(&r, "x-request-id"));
    ck_assert_ptr_nonnull(strstr(reply_field(&r, "server-timing"), "db;dur="));
    ck_assert_str_eq(reply_field(&r, "cache-control"), "no-store");
    json_decref(root);
    reply_free(&r);
}
END_TEST

START_TEST(test_while_one_request_waits_others_are_answered_and_it_says_so)
{
    struct pg_conn *pg = database_connect();
    int fd = client_connect(server);
    struct reply r;
    json_t *root;

    /* the lock is held from outside: the request waits until we say so */
    database_run(pg, "select pg_advisory_lock(7203, 7)");
    client_send_get(fd, "/db/lock?key=7&ms=0");
    status_wait(server, "database.slow.running", 1, 1);
    for (int i = 0; i < 10; i++) {
        struct reply plain = http_get(server, "/json");

        ck_assert_int_eq(plain.status, 200);
        reply_free(&plain);
    }
    database_run(pg, "select pg_advisory_unlock(7203, 7)");
    ck_assert(client_read_reply(fd, &r, false));
    root = reply_json_body(&r);
    ck_assert_msg(json_number(root, "meanwhile.other_requests_answered") >= 10, "%s", r.body);
    json_decref(root);
    reply_free(&r);
    close(fd);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_a_lock_names_the_request_that_was_waited_for)
{
    int first = client_connect(server), second = client_connect(server);
    struct pg_conn *pg = database_connect();
    struct reply a, b;
    json_t *ja, *jb;

    client_send_get(first, "/db/lock?key=3&ms=1000");
    while (database_run(pg, "select count(*) from pg_locks where locktype = 'advisory' and "
                            "classid = 7203 and objid = 3 and granted") == 0)
        ; /* it is on its way; the test's own time limit ends this */
    client_send_get(second, "/db/lock?key=3&ms=0");
    ck_assert(client_read_reply(first, &a, false));
    ck_assert(client_read_reply(second, &b, false));
    ja = reply_json_body(&a);
    jb = reply_json_body(&b);
    ck_assert(json_is_null(json_object_get(ja, "waited_for")));
    ck_assert_str_eq(json_text(jb, "waited_for"), reply_field(&a, "x-request-id"));
    ck_assert(json_number(jb, "lock_wait_ms") > 0);
    json_decref(ja);
    json_decref(jb);
    reply_free(&a);
    reply_free(&b);
    close(first);
    close(second);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_the_report_agrees_with_postgresql)
{
    struct pg_conn *pg = database_connect();
    json_t *root = get_json(server, "/db/report?days=30", 200),
           *rows = json_object_get(root, "rows");
    double orders = 0;

    ck_assert(json_array_size(rows) > 0);
    for (size_t i = 0; i < json_array_size(rows); i++)
        orders += json_number(json_array_get(rows, i), "orders");
    ck_assert(orders == database_run(pg, "select count(*) from interleave.orders where day > "
                                         "(select max(day) from interleave.orders) - 30"));
    json_decref(root);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_primes_are_counted_right_wherever_they_are_computed)
{
    static const char *const targets[] = {
        "/cpu/primes?n=1000000",
        "/cpu/primes?n=1000000&sections=1",
        "/cpu/primes?n=1000000&sections=7",
        "/cpu/primes?n=1000000&run=loop",
        "/cpu/primes?n=1000000&run=loop-blocking",
    };

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        json_t *root = get_json(server, targets[i], 200);

        ck_assert_msg(json_number(root, "primes") == 78498, "%s", targets[i]);
        json_decref(root);
    }
}
END_TEST

START_TEST(test_sections_are_exactly_as_many_as_asked)
{
    json_t *root = get_json(server, "/cpu/primes?n=30000000&sections=5", 200);

    ck_assert(json_number(root, "sections") == 5);
    json_decref(root);
}
END_TEST

START_TEST(test_two_sections_run_on_two_processes_and_two_cpus)
{
    json_t *root;

    if (usable_cpus() < 2) {
        printf("SKIP: two sections on two CPUs: there is one CPU\n");
        return;
    }
    root = get_json(server, "/cpu/primes?n=400000000&sections=2", 200);
    ck_assert(json_number(root, "workers") == 2);
    ck_assert(json_number(root, "cpus") == 2);
    json_decref(root);
}
END_TEST

START_TEST(test_the_picture_is_the_same_for_any_sections_and_executor)
{
    static const char *const targets[] = {
        "/image/mandelbrot?w=320&h=200",
        "/image/mandelbrot?w=320&h=200&sections=1",
        "/image/mandelbrot?w=320&h=200&sections=3",
        "/image/mandelbrot?w=320&h=200&run=loop",
    };
    struct reply first = http_get(server, targets[0]);

    ck_assert_int_eq(first.status, 200);
    ck_assert_str_eq(reply_field(&first, "content-type"), "image/png");
    ck_assert(first.len > 1000 && memcmp(first.body, "\x89PNG\r\n\x1a\n", 8) == 0);
    for (size_t i = 1; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct reply r = http_get(server, targets[i]);

        ck_assert_uint_eq(r.len, first.len);
        ck_assert_msg(memcmp(r.body, first.body, r.len) == 0, "%s differs", targets[i]);
        reply_free(&r);
    }
    reply_free(&first);
}
END_TEST

START_TEST(test_work_waits_and_then_computes)
{
    json_t *root = get_json(server, "/work?wait_ms=50&cpu_ms=40", 200);

    ck_assert(json_number(root, "ran.db_ms") >= 49);
    ck_assert(json_number(root, "ran.cpu_ms") >= 39);
    json_decref(root);
    root = get_json(server, "/work?wait_ms=0&cpu_ms=0", 200);
    ck_assert(json_number(root, "ran.cpu_ms") == 0);
    json_decref(root);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_plaintext_says_hello_with_the_fields_that_techempower_wants,
        test_json_is_an_object_with_a_message,
        test_db_answers_a_row_with_two_numbers,
        test_queries_clamps_its_parameter_as_the_verifier_wants,
        test_sleep_waits_as_long_as_asked_and_says_what_ran,
        test_while_one_request_waits_others_are_answered_and_it_says_so,
        test_a_lock_names_the_request_that_was_waited_for,
        test_the_report_agrees_with_postgresql,
        test_primes_are_counted_right_wherever_they_are_computed,
        test_sections_are_exactly_as_many_as_asked,
        test_two_sections_run_on_two_processes_and_two_cpus,
        test_the_picture_is_the_same_for_any_sections_and_executor,
        test_work_waits_and_then_computes,
    };

    return suite_run_mode(
        suite_of("endpoints", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
