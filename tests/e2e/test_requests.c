/*
 * What is wrong with a request is said clearly: parameters, addresses, methods, bodies, hosts and
 * origins. None of it disturbs another request.
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
    static const char *const options[] = {"workers=1", "server_names=lab.example", NULL};

    server = server_start(options);
}

static void
stop(void)
{
    server_stop(server);
}

struct wrong {
    const char *target;
    int status;
    const char *type;   /* of the problem */
    const char *detail; /* part of it */
};

static void
check_wrong(const struct wrong *w)
{
    struct reply r = http_get(server, w->target);
    json_t *root = reply_json_body(&r);
    const char *type = json_string_value(json_object_get(root, "type"));
    const char *detail = json_string_value(json_object_get(root, "detail"));

    ck_assert_msg(r.status == w->status, "%s: %d", w->target, r.status);
    ck_assert_str_eq(reply_field(&r, "content-type"), "application/problem+json");
    ck_assert(json_number(root, "status") == w->status);
    ck_assert_msg(type != NULL && strcmp(type, w->type) == 0, "%s: %s", w->target, r.body);
    ck_assert_msg(detail != NULL && strstr(detail, w->detail) != NULL, "%s: %s", w->target, detail);
    json_decref(root);
    reply_free(&r);
}

START_TEST(test_wrong_parameters_are_named_with_their_range)
{
    static const struct wrong cases[] = {
        {"/db/sleep?ms=10001", 400, "/problems/out-of-range",
         "ms must be between 0 and 10000; you sent 10001"},
        {"/db/sleep?ms=-1", 400, "/problems/out-of-range", "you sent -1"},
        {"/db/sleep?ms=12x", 400, "/problems/out-of-range", "is not a whole number"},
        {"/db/sleep?ms=", 400, "/problems/out-of-range", "is not a whole number"},
        {"/db/sleep?ms=1.5", 400, "/problems/out-of-range", "is not a whole number"},
        {"/db/sleep?ms=99999999999999999999", 400, "/problems/out-of-range", "whole number"},
        {"/db/sleep?ms=5&ms=5", 400, "/problems/out-of-range", "was sent twice"},
        {"/db/sleep?sm=5", 400, "/problems/out-of-range", "did you mean ms?"},
        {"/cpu/primes?nn=5", 400, "/problems/out-of-range", "did you mean n?"},
        {"/db/sleep?colour=red", 400, "/problems/out-of-range", "colour is not known here"},
        {"/db/sleep?ms=%zz", 400, "", ""},
        {"/cpu/primes?n=999", 400, "/problems/out-of-range", "between 1000 and 20000000000"},
        {"/cpu/primes?sections=0", 400, "/problems/out-of-range", "between 1 and 64 or auto"},
        {"/cpu/primes?sections=65", 400, "/problems/out-of-range", "you sent 65"},
        {"/cpu/primes?run=gpu", 400, "/problems/out-of-range",
         "one of workers, loop, loop-blocking"},
        {"/image/mandelbrot?w=15", 400, "/problems/out-of-range", "w must be between 16 and 4096"},
        {"/image/mandelbrot?overlay=2", 400, "/problems/out-of-range", "overlay"},
        {"/db/lock?key=65", 400, "/problems/out-of-range", "between 1 and 64"},
        {"/db/report?days=0", 400, "/problems/out-of-range", "between 1 and 365"},
        {"/bytes?n=67108865", 400, "/problems/out-of-range", "67108864"},
        {"/work?wait_ms=10001&cpu_ms=10001", 400, "/problems/out-of-range", "wait_ms"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].type[0] == '\0') { /* refused by the HTTP layer or by us: 400 either way */
            struct reply r = http_get(server, cases[i].target);

            ck_assert_int_eq(r.status, 400);
            reply_free(&r);
            continue;
        }
        check_wrong(&cases[i]);
    }
}
END_TEST

START_TEST(test_all_mistakes_of_one_request_are_named_at_once)
{
    json_t *root = get_json(server, "/work?wait_ms=10001&cpu_ms=x&colour=red", 400);

    ck_assert_uint_eq(json_array_size(json_object_get(root, "invalid_params")), 3);
    ck_assert(json_number(root, "invalid_params.0.max") == 10000);
    json_decref(root);
}
END_TEST

START_TEST(test_an_underscore_is_always_allowed_and_ignored)
{
    struct reply r = http_get(server, "/db/sleep?ms=0&_=12345&_=again");

    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
}
END_TEST

START_TEST(test_an_escaped_parameter_is_decoded)
{
    struct reply r = http_get(server, "/db/sleep?%6ds=%31");

    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "\"slept_ms\":1"));
    reply_free(&r);
}
END_TEST

START_TEST(test_unknown_addresses_say_what_was_meant)
{
    static const struct wrong cases[] = {
        {"/db/slep", 404, "/problems/not-found", "did you mean /db/sleep?"},
        {"/sleep", 404, "/problems/not-found", "did you mean /db/sleep?"},
        {"/image/mandelbort", 404, "/problems/not-found", "did you mean /image/mandelbrot?"},
        {"/nothing/like/it/at/all", 404, "/problems/not-found", "GET /help"},
        {"/metrics", 404, "/problems/not-found", "GET /help"},
        {"/qeuries", 404, "/problems/not-found", "did you mean /queries?"},
        {"/problems/no-such-problem", 404, "/problems/not-found",
         "GET /problems/ lists all of them"},
        {"/trace.json?request=999999", 404, "/problems/not-found", "request"},
        {"/trace.json?seconds=61", 400, "/problems/out-of-range", "between 1 and 60"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_wrong(&cases[i]);
}
END_TEST

START_TEST(test_a_browser_gets_the_problem_as_a_page)
{
    struct reply r =
        http_ask(server, "GET", "/db/sleep?ms=<script>", "Accept: text/html\r\n", NULL, 0);

    /* '<' is no octet of a target: refused before any parameter is looked at */
    ck_assert_int_eq(r.status, 400);
    reply_free(&r);
    r = http_ask(server, "GET", "/db/sleep?ms=%3Cscript%3E", "Accept: text/html\r\n", NULL, 0);
    ck_assert_int_eq(r.status, 400);
    ck_assert_ptr_nonnull(strstr(reply_field(&r, "content-type"), "text/html"));
    ck_assert_ptr_null(strstr(r.body, "<script>"));
    reply_free(&r);
}
END_TEST

START_TEST(test_a_wrong_method_is_told_the_right_ones)
{
    struct reply r = http_ask(server, "POST", "/db/sleep", NULL, NULL, 0);

    ck_assert_int_eq(r.status, 405);
    ck_assert_str_eq(reply_field(&r, "allow"), "GET, HEAD, OPTIONS");
    reply_free(&r);
    r = http_get(server, "/burst");
    ck_assert_int_eq(r.status, 405);
    ck_assert_str_eq(reply_field(&r, "allow"), "POST, OPTIONS");
    reply_free(&r);
    r = http_ask(server, "OPTIONS", "/json", NULL, NULL, 0);
    ck_assert_int_eq(r.status, 204);
    ck_assert_str_eq(reply_field(&r, "allow"), "GET, HEAD, OPTIONS");
    reply_free(&r);
}
END_TEST

/* Reading it as JSON would take the loop's time. */
START_TEST(test_a_burst_of_more_than_it_can_be_is_refused_unread)
{
    static char body[200000];
    static const size_t lengths[] = {4000, 200000};

    for (size_t i = 0; i < sizeof(body); i += 2)
        memcpy(body + i, "1,", 2);
    body[0] = '[';
    for (unsigned i = 0; i < 2; i++) {
        struct reply r = http_ask(server, "POST", "/burst", NULL, body, lengths[i]);

        ck_assert_int_eq(r.status, 413);
        reply_free(&r);
    }
}
END_TEST

START_TEST(test_bursts_that_make_no_sense_are_refused_before_they_begin)
{
    static const struct {
        const char *target, *body, *detail;
    } cases[] = {
        {"/burst", "", "what?"},
        {"/burst", "{}", "must be a list"},
        {"/burst", "[]", "must be a list"},
        {"/burst", "[{\"path\":\"/db/sleep\"", "not JSON"},
        {"/burst", "[{\"count\":3}]", "text \\\"path\\\""},
        {"/burst", "[{\"path\":\"/db/sleep\",\"count\":\"3\"}]", "whole number"},
        {"/burst", "[{\"path\":\"/db/sleep\",\"cuont\":3}]", "not known"},
        {"/burst", "[{\"path\":\"/nowhere\"}]", "there is no /nowhere"},
        {"/burst", "[{\"path\":\"/db/sleeep\"}]", "did you mean /db/sleep?"},
        {"/burst", "[{\"path\":\"/burst\"}]", "can't be part of a burst"},
        {"/burst", "[{\"path\":\"/echo\"}]", "can't be part of a burst"},
        {"/burst", "[{\"path\":\"/trace.json\"}]", "can't be part of a burst"},
        {"/burst", "[{\"path\":\"/bytes?n=64000000\"}]", "can't be part of a burst"},
        {"/burst", "[{\"path\":\"/db/sleep\",\"count\":501}]", "1 to 500"},
        {"/burst", "[{\"path\":\"/db/sleep\",\"count\":0}]", "1 to 500"},
        {"/burst?at_once=7", "[{\"path\":\"/db/sleep\",\"count\":6}]", "between 1 and count (6)"},
        {"/burst?gap_ms=1001", "[{\"path\":\"/db/sleep\"}]", "gap_ms"},
        {"/burst?path=/json", "[{\"path\":\"/db/sleep\"}]", "not both"},
        {"/burst", "[{\"path\":\"/db/sleep?ms=1 HTTP/1.1\"}]", "not an address"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply r =
            http_ask(server, "POST", cases[i].target, NULL, cases[i].body, strlen(cases[i].body));

        ck_assert_msg(r.status == 400 && strstr(r.body, cases[i].detail) != NULL, "%s %s: %d %s",
                      cases[i].target, cases[i].body, r.status, r.body);
        reply_free(&r);
    }
}
END_TEST

/* Each line of the answer repeats the address. */
START_TEST(test_an_address_of_a_burst_is_bounded)
{
    enum { LONG = 100000 };
    static char body[LONG + 64];
    struct reply r;
    int len = snprintf(body, sizeof(body), "[{\"path\":\"/json?x=%0*d\",\"count\":500}]", LONG, 0);

    r = http_ask(server, "POST", "/burst", NULL, body, (size_t)len);
    ck_assert_msg(r.status == 400 && strstr(r.body, "at most 1024 octets") != NULL, "%d", r.status);
    reply_free(&r);
}
END_TEST

START_TEST(test_a_mistake_inside_a_burst_fails_that_line_alone)
{
    const char *body =
        "[{\"path\":\"/db/sleep?ms=99999\"},{\"path\":\"/db/sleep?ms=1\",\"count\":2}]";
    struct reply r = http_ask(server, "POST", "/burst", NULL, body, strlen(body));

    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "\"status\":400"));
    ck_assert_ptr_nonnull(strstr(r.body, "\"status\":200"));
    ck_assert_ptr_nonnull(strstr(r.body, "\"failed\":1"));
    reply_free(&r);
}
END_TEST

START_TEST(test_a_host_that_is_not_ours_is_misdirected)
{
    static const struct {
        const char *host;
        int status;
    } cases[] = {
        {"localhost", 200},
        {"localhost:8080", 200},
        {"127.0.0.1", 200},
        {"[::1]:80", 200},
        {"lab.example", 200},
        {"LAB.example:99", 200},
        {"evil.example", 421},
        {"localhost.evil.example", 421},
        {"127.0.0.1.nip.example", 421},
    };
    char request[256];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = client_connect(server);
        struct reply r;

        snprintf(request, sizeof(request), "GET /livez HTTP/1.1\r\nHost: %s\r\n\r\n",
                 cases[i].host);
        client_send(fd, request);
        ck_assert(client_read_reply(fd, &r, false));
        ck_assert_msg(r.status == cases[i].status, "Host: %s: %d", cases[i].host, r.status);
        reply_free(&r);
        close(fd);
    }
}
END_TEST

START_TEST(test_a_page_of_another_site_can_not_make_this_server_work)
{
    static const struct {
        const char *method, *target, *fields;
        int status;
    } cases[] = {
        {"POST", "/echo", "Origin: http://evil.example\r\n", 403},
        {"POST", "/echo", "Origin: null\r\n", 403},
        {"POST", "/echo", "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n", 200},
        {"GET", "/db/sleep?ms=0", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403},
        {"GET", "/db/sleep?ms=0", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
         403},
        {"GET", "/db/sleep?ms=0", "Sec-Fetch-Site: same-origin\r\n", 200},
        {"GET", "/db/sleep?ms=0", "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n", 200},
        {"GET", "/help", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 200},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply r =
            http_ask(server, cases[i].method, cases[i].target, cases[i].fields, NULL, 0);

        ck_assert_msg(r.status == cases[i].status, "%s %s: %d", cases[i].target, cases[i].fields,
                      r.status);
        reply_free(&r);
    }
}
END_TEST

START_TEST(test_bodies_above_the_limit_are_refused_before_they_are_read)
{
    int fd = client_connect(server);
    struct reply r;

    client_send(fd, "POST /burst HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_int_eq(r.status, 413);
    ck_assert(r.closed);
    reply_free(&r);
    close(fd);
    fd = client_connect(server);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 67108865\r\n\r\n");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_int_eq(r.status, 413);
    reply_free(&r);
    close(fd);
    fd = client_connect(server);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n4000001\r\n");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_int_eq(r.status, 413);
    ck_assert(r.closed);
    reply_free(&r);
    close(fd);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_wrong_parameters_are_named_with_their_range,
        test_all_mistakes_of_one_request_are_named_at_once,
        test_an_underscore_is_always_allowed_and_ignored,
        test_an_escaped_parameter_is_decoded,
        test_unknown_addresses_say_what_was_meant,
        test_a_browser_gets_the_problem_as_a_page,
        test_a_wrong_method_is_told_the_right_ones,
        test_a_burst_of_more_than_it_can_be_is_refused_unread,
        test_bursts_that_make_no_sense_are_refused_before_they_begin,
        test_an_address_of_a_burst_is_bounded,
        test_a_mistake_inside_a_burst_fails_that_line_alone,
        test_a_host_that_is_not_ours_is_misdirected,
        test_a_page_of_another_site_can_not_make_this_server_work,
        test_bodies_above_the_limit_are_refused_before_they_are_read,
    };

    return suite_run_mode(
        suite_of("requests", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
