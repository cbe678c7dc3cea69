/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * From a path and a method to the endpoint that is called: what is found, what is suggested, and
 * what is answered before any endpoint runs (404, 405, OPTIONS).
 */
#include "req_world.h"
#include "suite.h"

#include <string.h>

static struct req_world w;
static char called[64];

static struct next
name_yourself(struct req *r)
{
    snprintf(called, sizeof(called), "%s[%.*s]", r->route->path, (int)r->rest.len,
             r->rest.p != NULL ? r->rest.p : "");
    return reply_text(r, 200, "text/plain", "here", 4);
}

/* Waits once, so that the octets of its head are gone when it looks at the rest of its path. */
static struct next
wait_first(struct req *r)
{
    req_delay(r, 0);
    return wait_all(r, name_yourself);
}

static const struct route routes[] = {
    {.path = "/", .methods = METHOD_GET, .first = name_yourself},
    {.path = "/db", .methods = METHOD_GET, .first = name_yourself},
    {.path = "/db/sleep", .methods = METHOD_GET, .first = name_yourself},
    {.path = "/echo", .methods = METHOD_POST, .first = name_yourself},
    {.path = "/both", .methods = METHOD_GET | METHOD_POST, .first = name_yourself},
    {.path = "/gallery/", .methods = METHOD_GET, .first = wait_first, .flags = ROUTE_PREFIX},
};

static void
set_up(void)
{
    called[0] = '\0';
    rw_open(&w, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
tear_down(void)
{
    rw_close(&w);
}

static struct http_conn *
ask(const char *method, const char *target)
{
    char head[512];

    snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, target);
    return rw_ask(&w, head);
}

START_TEST(test_a_path_leads_to_its_endpoint_and_to_no_other)
{
    static const struct {
        const char *target, *called;
    } cases[] = {
        {"/", "/[]"},
        {"/?_=1", "/[]"},
        {"/db", "/db[]"},
        {"/db/sleep", "/db/sleep[]"},
        {"http://localhost/db?_=1", "/db[]"},
        {"/gallery/", "/gallery/[]"},
        {"/gallery/17", "/gallery/[17]"},
        {"/gallery/17/blur?_=1", "/gallery/[17/blur]"},
        {"/gallery//", "/gallery/[/]"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_conn *c = rw_get(&w, cases[i].target);

        rw_turn(&w);
        ck_assert_int_eq(c->status, 200);
        ck_assert_str_eq(called, cases[i].called);
    }
}
END_TEST

START_TEST(test_an_unknown_path_gets_404_and_the_path_that_was_meant)
{
    static const struct {
        const char *target, *detail;
    } cases[] = {
        {"/db/slep", "there is no /db/slep here; did you mean /db/sleep?"},
        {"/bd", "there is no /bd here; did you mean /db?"},
        {"/DB", "there is no /DB here; did you mean /db?"},
        {"/db/", "there is no /db/ here; did you mean /db?"},
        {"/db/sleep/", "there is no /db/sleep/ here; did you mean /db/sleep?"},
        {"/sleep", "there is no /sleep here; did you mean /db/sleep?"},
        {"/ecoh?x=1", "there is no /ecoh here; did you mean /echo?"},
        {"/gallery", "there is no /gallery here; did you mean /gallery/?"},
        {"/nothing/like/it", "there is no /nothing/like/it here; GET /help lists what there is"},
        /* a third of the letters or fewer is a typo, more is another word */
        {"/db/lseep", "there is no /db/lseep here; did you mean /db/sleep?"},
        {"/db/slxxp", "there is no /db/slxxp here; did you mean /db/sleep?"},
        {"/xb/slxep", "there is no /xb/slxep here; GET /help lists what there is"},
        {"/dx/slxxx", "there is no /dx/slxxx here; GET /help lists what there is"},
        {"/path", "there is no /path here; GET /help lists what there is"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        rw_detail(rw_get(&w, cases[i].target), 404, "not-found", cases[i].detail);
    ck_assert_str_eq(called, "");
}
END_TEST

START_TEST(test_a_long_path_is_named_by_its_beginning)
{
    char target[800], detail[200];

    memset(target, 'x', sizeof(target));
    target[0] = '/';
    target[sizeof(target) - 1] = '\0';
    snprintf(detail, sizeof(detail), "there is no %.80s here; GET /help lists what there is",
             target);
    rw_detail(rw_get(&w, target), 404, "not-found", detail);
}
END_TEST

START_TEST(test_a_method_that_an_address_does_not_take_gets_405_with_allow)
{
    static const struct {
        const char *method, *target, *allow;
    } cases[] = {
        {"POST", "/db", "GET, HEAD, OPTIONS"},
        {"PUT", "/db", "GET, HEAD, OPTIONS"},
        {"DELETE", "/db", "GET, HEAD, OPTIONS"},
        {"PATCH", "/gallery/5", "GET, HEAD, OPTIONS"},
        {"GET", "/echo", "POST, OPTIONS"},
        {"HEAD", "/echo", "POST, OPTIONS"},
        {"PUT", "/both", "GET, HEAD, POST, OPTIONS"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_conn *c = ask(cases[i].method, cases[i].target);

        json_decref(rw_problem(c, 405, "method-not-allowed"));
        ck_assert_str_eq(rw_field(c, "Allow"), cases[i].allow);
    }
    ck_assert_str_eq(called, "");
    rw_detail(ask("PUT", "/both"), 405, "method-not-allowed",
              "/both takes GET, HEAD, POST, OPTIONS");
}
END_TEST

START_TEST(test_head_goes_where_get_goes)
{
    ck_assert_int_eq(ask("HEAD", "/db")->status, 200);
    ck_assert_str_eq(called, "/db[]");
    ck_assert_ptr_null(rw_field(ask("HEAD", "/db"), "Allow"));
}
END_TEST

START_TEST(test_options_is_answered_for_every_address_and_for_the_server)
{
    static const struct {
        const char *target, *allow;
    } cases[] = {
        {"/db", "GET, HEAD, OPTIONS"},
        {"/echo", "POST, OPTIONS"},
        {"/both?nonsense=1", "GET, HEAD, POST, OPTIONS"},
        {"*", "GET, HEAD, POST, OPTIONS"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_conn *c = ask("OPTIONS", cases[i].target);

        ck_assert_int_eq(c->status, 204);
        ck_assert_str_eq(rw_field(c, "Allow"), cases[i].allow);
        ck_assert_str_eq(c->type, "");
        ck_assert_uint_eq(c->body.len, 0);
    }
    ck_assert_str_eq(called, "");
    json_decref(rw_problem(ask("OPTIONS", "/nothing"), 404, "not-found"));
}
END_TEST

START_TEST(test_every_answer_is_counted_for_its_route_and_what_has_none_apart)
{
    const struct route_count *counts = w.runner.routes.counts;

    (void)rw_get(&w, "/db");
    (void)rw_get(&w, "/db");
    (void)ask("POST", "/db");
    (void)rw_get(&w, "/nothing");
    (void)rw_get(&w, "/db/sleep?ms=1");
    rw_turn(&w);
    ck_assert_uint_eq(counts[1].answered[2], 2);
    ck_assert_uint_eq(counts[1].answered[4], 1);
    ck_assert_uint_eq(counts[2].answered[4], 1);
    ck_assert_uint_eq(counts[sizeof(routes) / sizeof(routes[0])].answered[4], 1);
    ck_assert_uint_eq(w.runner.answered, 5);
    ck_assert_uint_eq(w.runner.failures[FAIL_NOT_FOUND], 1);
    ck_assert_uint_eq(w.runner.failures[FAIL_METHOD], 1);
    ck_assert_uint_eq(w.runner.failures[FAIL_PARAMETER], 1);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_path_leads_to_its_endpoint_and_to_no_other,
        test_an_unknown_path_gets_404_and_the_path_that_was_meant,
        test_a_long_path_is_named_by_its_beginning,
        test_a_method_that_an_address_does_not_take_gets_405_with_allow,
        test_head_goes_where_get_goes,
        test_options_is_answered_for_every_address_and_for_the_server,
        test_every_answer_is_counted_for_its_route_and_what_has_none_apart,
    };
    Suite *suite = suite_create("route");
    TCase *tc = tcase_create("route");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
