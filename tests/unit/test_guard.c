/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * Who may ask: a page of another site and a name that was made to point here are turned away, what
 * belongs to demonstrations is off beyond loopback.
 */
#include "req_world.h"
#include "suite.h"

#include <string.h>

static struct req_world w;
static unsigned calls;

static struct next
answer(struct req *r)
{
    calls++;
    return reply_text(r, 200, "text/plain", "here", 4);
}

static const struct route routes[] = {
    {.path = "/work", .methods = METHOD_GET | METHOD_POST, .first = answer},
    {.path = "/page",
     .methods = METHOD_GET | METHOD_POST,
     .first = answer,
     .flags = ROUTE_LINKABLE},
    {.path = "/status", .methods = METHOD_GET, .first = answer, .flags = ROUTE_ADMIN | ROUTE_OPS},
};

static void
set_up(void)
{
    calls = 0;
    rw_open(&w, routes, sizeof(routes) / sizeof(routes[0]));
    strcpy(w.conf.server_names, "lab.example my-host");
}

static void
tear_down(void)
{
    rw_close(&w);
}

/* Field lines each end with CRLF. */
static struct http_conn *
ask(const char *start, const char *fields)
{
    char head[1024];

    snprintf(head, sizeof(head), "%s\r\n%s", start, fields);
    return rw_ask(&w, head);
}

static int
status_with(const char *start, const char *fields)
{
    return ask(start, fields)->status;
}

/* ---- Host ---- */

static const struct {
    const char *host;
    int status;
} hosts[] = {
    {"localhost", 200},
    {"localhost:8080", 200},
    {"LocalHost", 200},
    {"localhost.", 200},
    {"127.0.0.1:8080", 200},
    {"192.0.2.7", 200},
    {"[::1]", 200},
    {"[::1]:8080", 200},
    {"[2001:db8::7]:80", 200},
    {"lab.example", 200},
    {"LAB.example:9000", 200},
    {"my-host", 200},
    {"evil.example", 421},
    {"lab.example.evil.example", 421},
    {"lab.exampl", 421},
    {"my-hos", 421},
    {"ab.example", 421},
    {"localhost.evil.example", 421},
    {"localhos", 421},
    {"127.0.0.1.evil.example", 421},
    {"127.0.0", 421},
    {"xlocalhost", 421},
};

START_TEST(test_a_host_that_is_not_ours_gets_421)
{
    char fields[256];

    snprintf(fields, sizeof(fields), "Host: %s\r\n", hosts[_i].host);
    ck_assert_msg(status_with("GET /work HTTP/1.1", fields) == hosts[_i].status, "%s",
                  hosts[_i].host);
    ck_assert_uint_eq(calls, hosts[_i].status == 200 ? 1 : 0);
}
END_TEST

START_TEST(test_the_answer_to_a_foreign_host_names_it)
{
    rw_detail(ask("GET /work HTTP/1.1", "Host: evil.example\r\n"), 421, "misdirected",
              "this server is not evil.example");
    /* the target's authority is the host, whatever Host says (RFC 9112 section 3.2.2) */
    ck_assert_int_eq(status_with("GET http://evil.example/work HTTP/1.1", "Host: localhost\r\n"),
                     421);
    ck_assert_int_eq(status_with("GET /work HTTP/1.0", ""), 200);
    ck_assert_int_eq(status_with("GET /work HTTP/1.0", "Host: evil.example\r\n"), 421);
    w.conf.server_names[0] = '\0';
    ck_assert_int_eq(status_with("GET /work HTTP/1.1", "Host: lab.example\r\n"), 421);
}
END_TEST

/* ---- pages of other sites ---- */

static const struct {
    const char *start, *fields;
    int status;
} pages[] = {
    {"POST /work HTTP/1.1", "Origin: http://localhost:8080\r\n", 200},
    {"POST /work HTTP/1.1", "Origin: HTTP://LOCALHOST:8080\r\n", 200},
    {"POST /work HTTP/1.1", "Origin: https://localhost:8080\r\n", 200},
    {"POST /work HTTP/1.1", "Origin: http://localhost\r\n", 403},
    {"POST /work HTTP/1.1", "Origin: http://localhost:80800\r\n", 403},
    {"POST /work HTTP/1.1", "Origin: http://localhost:9090\r\n", 403},
    {"POST /work HTTP/1.1", "Origin: http://evil.example\r\n", 403},
    {"POST /work HTTP/1.1", "Origin: null\r\n", 403},
    {"POST /work HTTP/1.1", "Origin: ://\r\n", 403},
    {"GET /work HTTP/1.1", "Origin: http://evil.example\r\n", 403},
    {"GET /page HTTP/1.1", "Origin: http://evil.example\r\nSec-Fetch-Mode: navigate\r\n", 403},
    {"OPTIONS /work HTTP/1.1", "Origin: http://evil.example\r\n", 403},
    {"GET /work HTTP/1.1", "Sec-Fetch-Site: same-origin\r\n", 200},
    {"GET /work HTTP/1.1", "Sec-Fetch-Site: none\r\n", 200},
    {"GET /work HTTP/1.1", "Sec-Fetch-Site: cross-site\r\n", 403},
    {"GET /work HTTP/1.1", "Sec-Fetch-Site: same-site\r\n", 403},
    {"GET /work HTTP/1.1", "Sec-Fetch-Site: made-up\r\n", 403},
    {"GET /work HTTP/1.1", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 403},
    {"GET /page HTTP/1.1", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 200},
    {"HEAD /page HTTP/1.1", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 200},
    {"POST /page HTTP/1.1", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 403},
    {"GET /page HTTP/1.1", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403},
    {"GET /page HTTP/1.1", "Sec-Fetch-Site: cross-site\r\n", 403},
    {"POST /work HTTP/1.1", "Origin: http://localhost:8080\r\nSec-Fetch-Site: cross-site\r\n", 403},
};

START_TEST(test_a_page_of_another_site_gets_403_unless_it_only_links_to_a_harmless_address)
{
    char fields[512];

    snprintf(fields, sizeof(fields), "Host: localhost:8080\r\n%s", pages[_i].fields);
    ck_assert_msg(status_with(pages[_i].start, fields) == pages[_i].status, "%s %s",
                  pages[_i].start, pages[_i].fields);
    ck_assert_uint_eq(calls, pages[_i].status == 200 ? 1 : 0);
}
END_TEST

START_TEST(test_the_answer_to_a_foreign_page_names_what_gave_it_away)
{
    rw_detail(ask("GET /work HTTP/1.1", "Host: localhost\r\nOrigin: http://evil.example\r\n"), 403,
              "foreign-origin",
              "the page that asks is http://evil.example, not one of this server");
    rw_detail(ask("GET /work HTTP/1.1", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), 403,
              "foreign-origin", "a page of another site asks (Sec-Fetch-Site: cross-site)");
}
END_TEST

/* Without TLS it may have been a proxy that had it; with TLS there is nothing to guess. */
START_TEST(test_over_tls_a_page_that_came_without_it_is_another_site)
{
    w.secure = true;
    ck_assert_int_eq(
        status_with("POST /work HTTP/1.1", "Host: localhost\r\nOrigin: https://localhost\r\n"),
        200);
    ck_assert_int_eq(
        status_with("POST /work HTTP/1.1", "Host: localhost\r\nOrigin: HTTPS://localhost\r\n"),
        200);
    ck_assert_int_eq(
        status_with("POST /work HTTP/1.1", "Host: localhost\r\nOrigin: http://localhost\r\n"), 403);
    ck_assert_int_eq(status_with("GET https://lab.example/work HTTP/1.1", "Host: lab.example\r\n"),
                     200);
    ck_assert_int_eq(status_with("GET https://evil.example/work HTTP/1.1", "Host: lab.example\r\n"),
                     421);
}
END_TEST

START_TEST(test_without_a_host_no_origin_is_ours)
{
    ck_assert_int_eq(status_with("GET /work HTTP/1.0", "Origin: http://\r\n"), 403);
    ck_assert_int_eq(status_with("GET /work HTTP/1.0", "Origin: http://localhost\r\n"), 403);
}
END_TEST

/* ---- what only demonstrations need ---- */

START_TEST(test_operations_are_off_beyond_loopback_and_the_answer_says_how_to_turn_them_on)
{
    ck_assert_int_eq(rw_get(&w, "/status")->status, 200);
    w.runner.demo = false;
    rw_detail(rw_get(&w, "/status"), 404, "not-found",
              "/status is off, since this server listens beyond loopback; demo = yes turns it on");
    /* whatever the method: it is not there */
    ck_assert_int_eq(status_with("POST /status HTTP/1.1", "Host: localhost\r\n"), 404);
    ck_assert_int_eq(status_with("OPTIONS /status HTTP/1.1", "Host: localhost\r\n"), 404);
    ck_assert_uint_eq(calls, 1);
    ck_assert_int_eq(rw_get(&w, "/work")->status, 200);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("guard");
    TCase *tc = tcase_create("guard");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, test_a_host_that_is_not_ours_gets_421, 0,
                        sizeof(hosts) / sizeof(hosts[0]));
    tcase_add_test(tc, test_the_answer_to_a_foreign_host_names_it);
    tcase_add_loop_test(
        tc, test_a_page_of_another_site_gets_403_unless_it_only_links_to_a_harmless_address, 0,
        sizeof(pages) / sizeof(pages[0]));
    tcase_add_test(tc, test_the_answer_to_a_foreign_page_names_what_gave_it_away);
    tcase_add_test(tc, test_over_tls_a_page_that_came_without_it_is_another_site);
    tcase_add_test(tc, test_without_a_host_no_origin_is_ours);
    tcase_add_test(tc,
                   test_operations_are_off_beyond_loopback_and_the_answer_says_how_to_turn_them_on);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
