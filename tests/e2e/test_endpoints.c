/*
 * Every endpoint of the server, asked as a user would: what it answers, and what each answer says
 * about itself.
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

static const char *
text_at(json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));

    ck_assert_msg(text != NULL, "there is no text %s", key);
    return text;
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

    ck_assert_str_eq(text_at(root, "message"), "Hello, World!");
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

    client_send_get(first, "/db/lock?key=3&ms=150");
    while (database_run(pg, "select count(*) from pg_locks where locktype = 'advisory' and "
                            "classid = 7203 and objid = 3 and granted") == 0)
        ; /* it is on its way; the test's own time limit ends this */
    client_send_get(second, "/db/lock?key=3&ms=0");
    ck_assert(client_read_reply(first, &a, false));
    ck_assert(client_read_reply(second, &b, false));
    ja = reply_json_body(&a);
    jb = reply_json_body(&b);
    ck_assert(json_is_null(json_object_get(ja, "waited_for")));
    ck_assert_str_eq(text_at(jb, "waited_for"), reply_field(&a, "x-request-id"));
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

START_TEST(test_bytes_sends_exactly_as_many_octets)
{
    /* the large ones several times: whether the client or the turn's share stops them is chance */
    static const size_t sizes[] = {0,       1,       65536,   65537,   262144,  262145,  3000000,
                                   3000000, 3000000, 3000000, 3000000, 3000000, 20000000};
    char target[64];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct reply r;

        snprintf(target, sizeof(target), "/bytes?n=%zu", sizes[i]);
        r = http_get(server, target);
        ck_assert_uint_eq(r.len, sizes[i]);
        reply_free(&r);
    }
}
END_TEST

START_TEST(test_echo_gives_the_body_back_whether_chunked_or_not)
{
    size_t size = 2000000;
    char *body = malloc(size);
    struct reply r;
    int fd;

    for (size_t i = 0; i < size; i++)
        body[i] = (char)(i * 7 + i / 255);
    r = http_ask(server, "POST", "/echo", "Content-Type: text/x-test\r\n", body, size);
    ck_assert_uint_eq(r.len, size);
    ck_assert(memcmp(r.body, body, size) == 0);
    ck_assert_str_eq(reply_field(&r, "content-type"), "text/x-test");
    reply_free(&r);
    free(body);

    fd = client_connect(server);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nTrailer: x\r\n\r\n");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_str_eq(r.body, "hello, world");
    reply_free(&r);
    close(fd);
}
END_TEST

START_TEST(test_expect_100_continue_is_answered_before_the_body_is_sent)
{
    int fd = client_connect(server);
    char line[26];
    struct reply r;

    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                    "Expect: 100-continue\r\n\r\n");
    client_read_octets(fd, line, 25);
    ck_assert_str_eq(line, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(fd, "12345");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_str_eq(r.body, "12345");
    reply_free(&r);
    close(fd);
}
END_TEST

START_TEST(test_head_has_the_fields_of_get_and_no_body)
{
    int fd = client_connect(server);
    struct reply r;

    client_send(fd, "HEAD /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ck_assert(client_read_reply(fd, &r, true));
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(reply_field(&r, "content-length"), "13");
    reply_free(&r);
    /* the next answer on the same connection would show a body that was sent all the same */
    client_send_get(fd, "/json");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_str_eq(r.body, "{\"message\":\"Hello, World!\"}");
    reply_free(&r);
    close(fd);
}
END_TEST

START_TEST(test_pipelined_requests_are_answered_in_order)
{
    int fd = client_connect(server);
    struct reply r;

    client_send(fd, "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /db/sleep?ms=20 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /bytes?n=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_str_eq(r.body, "Hello, World!");
    reply_free(&r);
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_ptr_nonnull(strstr(r.body, "\"slept_ms\":20"));
    reply_free(&r);
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_uint_eq(r.len, 3);
    reply_free(&r);
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_ptr_nonnull(strstr(r.body, "message"));
    ck_assert(r.closed);
    reply_free(&r);
    ck_assert(client_is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(test_http_1_0_gets_its_answer_and_a_closed_connection)
{
    int fd = client_connect(server);
    size_t len;
    char *all;

    client_send(fd, "GET /plaintext HTTP/1.0\r\n\r\n");
    all = client_read_all(fd, &len);
    ck_assert_ptr_nonnull(strstr(all, "200 OK"));
    ck_assert_ptr_nonnull(strstr(all, "Hello, World!"));
    free(all);
    close(fd);
}
END_TEST

START_TEST(test_help_lists_every_address_of_the_openapi_file)
{
    struct reply help = http_get(server, "/help");
    json_t *api = get_json(server, "/openapi.json", 200), *row;
    const char *path;

    ck_assert_str_eq(text_at(api, "openapi"), "3.1.0");
    json_object_foreach(json_object_get(api, "paths"), path, row)
    {
        char name[128];

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "{"), path);
        ck_assert_msg(strstr(help.body, name) != NULL, "/help lacks %s", path);
    }
    ck_assert_uint_gt(json_object_size(json_object_get(api, "paths")), 15);
    json_decref(api);
    reply_free(&help);
}
END_TEST

START_TEST(test_the_root_is_help_for_curl_and_a_page_for_a_browser)
{
    struct reply text = http_get(server, "/");
    struct reply page = http_ask(server, "GET", "/", "Accept: text/html,*/*\r\n", NULL, 0);

    ck_assert_ptr_nonnull(strstr(reply_field(&text, "content-type"), "text/plain"));
    ck_assert_ptr_nonnull(strstr(reply_field(&page, "content-type"), "text/html"));
    reply_free(&text);
    reply_free(&page);
}
END_TEST

START_TEST(test_operations_answer)
{
    struct reply r = http_get(server, "/livez");
    json_t *root;

    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    status_wait(server, "workers.alive", 2, 2);
    r = http_get(server, "/readyz");
    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    root = get_json(server, "/config", 200);
    ck_assert_str_eq(text_at(json_object_get(root, "db_url"), "value"), "***");
    ck_assert_str_eq(text_at(json_object_get(root, "workers"), "from"), "-o");
    json_decref(root);
    root = get_json(server, "/version", 200);
    ck_assert_str_eq(text_at(root, "name"), "interleave");
    json_decref(root);
    r = http_get(server, "/problems/out-of-range");
    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
}
END_TEST

START_TEST(test_the_trace_of_a_request_has_its_query_and_its_tasks)
{
    struct reply r = http_get(server, "/work?wait_ms=20&cpu_ms=20&sections=2");
    char target[128];
    const char *id = reply_field(&r, "x-request-id");
    json_t *root, *events;
    unsigned tasks = 0, queries = 0;

    snprintf(target, sizeof(target), "/trace.json?request=%s", strchr(id, '-') + 1);
    reply_free(&r);
    root = get_json(server, target, 200);
    events = json_object_get(root, "traceEvents");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(events, i), "name"));
        const char *ph = json_string_value(json_object_get(json_array_get(events, i), "ph"));

        tasks += name != NULL && strstr(name, "task") != NULL && strcmp(ph, "X") == 0;
        queries += name != NULL && strstr(name, "query") != NULL && strcmp(ph, "b") == 0;
    }
    ck_assert_uint_eq(tasks, 2);
    ck_assert_uint_eq(queries, 1);
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
        test_bytes_sends_exactly_as_many_octets,
        test_echo_gives_the_body_back_whether_chunked_or_not,
        test_expect_100_continue_is_answered_before_the_body_is_sent,
        test_head_has_the_fields_of_get_and_no_body,
        test_pipelined_requests_are_answered_in_order,
        test_http_1_0_gets_its_answer_and_a_closed_connection,
        test_help_lists_every_address_of_the_openapi_file,
        test_the_root_is_help_for_curl_and_a_page_for_a_browser,
        test_operations_answer,
        test_the_trace_of_a_request_has_its_query_and_its_tasks,
    };

    return suite_run_mode(
        suite_of("endpoints", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
