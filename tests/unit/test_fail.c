/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * The fail table: every reason has a row of its own, and its answer says what the row says.
 */
#include "req_world.h"
#include "suite.h"

#include "request/fail.h"

#include <string.h>

static struct req_world w;

enum { REASON };

static const struct param params[] = {
    [REASON] = {.name = "reason", .max = FAIL_COUNT - 1},
    {.name = NULL},
};

static struct next
fail_for(struct req *r)
{
    enum failure reason = (enum failure)r->params[REASON];

    return reply_fail(r, reason, "case <%u> of \"all\"", (unsigned)reason);
}

static struct next
fail_without_words(struct req *r)
{
    return reply_fail(r, FAIL_DB_DOWN, "%s", "");
}

static const struct route routes[] = {
    {.path = "/fail", .methods = METHOD_GET, .first = fail_for, .params = params},
    {.path = "/silent", .methods = METHOD_GET, .first = fail_without_words},
    {.path = "/bare",
     .methods = METHOD_GET,
     .first = fail_for,
     .params = params,
     .flags = ROUTE_BARE},
};

static void
set_up(void)
{
    rw_open(&w, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
tear_down(void)
{
    rw_close(&w);
}

static struct http_conn *
fail_by(const char *path, enum failure reason, const char *fields)
{
    char head[256];

    snprintf(head, sizeof(head), "GET %s?reason=%d HTTP/1.1\r\nHost: localhost\r\n%s", path,
             (int)reason, fields);
    return rw_ask(&w, head);
}

/* What the design promises, written down a second time. */
static const struct {
    int status, retry_after;
    const char *name;
    bool case_names_cure; /* who fails for it says what would be right */
} promised[FAIL_COUNT] = {
    [FAIL_BAD_REQUEST] = {400, 0, "bad-request", true},
    [FAIL_HEAD_TIMEOUT] = {408, 0, "head-timeout", false},
    [FAIL_BODY_TIMEOUT] = {408, 0, "body-timeout", false},
    [FAIL_BODY_TOO_LARGE] = {413, 0, "body-too-large", false},
    [FAIL_TARGET_TOO_LONG] = {414, 0, "target-too-long", false},
    [FAIL_HEAD_TOO_LARGE] = {431, 0, "head-too-large", false},
    [FAIL_PRECONDITION] = {412, 0, "precondition-failed", false},
    [FAIL_EXPECTATION] = {417, 0, "expectation-failed", false},
    [FAIL_UNKNOWN_CODING] = {501, 0, "unknown-coding", false},
    [FAIL_UNKNOWN_METHOD] = {501, 0, "unknown-method", false},
    [FAIL_VERSION] = {505, 0, "version", false},
    [FAIL_CLIENT_GONE] = {499, 0, "client-gone", false},
    [FAIL_NOT_FOUND] = {404, 0, "not-found", true},
    [FAIL_METHOD] = {405, 0, "method-not-allowed", true},
    [FAIL_PARAMETER] = {400, 0, "out-of-range", true},
    [FAIL_BODY] = {400, 0, "bad-body", false},
    [FAIL_FORBIDDEN_ORIGIN] = {403, 0, "foreign-origin", false},
    [FAIL_MISDIRECTED] = {421, 0, "misdirected", false},
    [FAIL_BUSY] = {503, 1, "busy", false},
    [FAIL_MEMORY] = {503, 1, "memory", false},
    [FAIL_DRAINING] = {503, 1, "draining", false},
    [FAIL_DB_DOWN] = {503, 1, "database-down", false},
    [FAIL_DB_FULL] = {503, 1, "database-busy", false},
    [FAIL_DB_LATE] = {504, 0, "database-late", false},
    [FAIL_DB_QUERY] = {500, 0, "query-failed", false},
    [FAIL_DB_LOST] = {503, 1, "database-lost", false},
    [FAIL_DB_OUTCOME_UNKNOWN] = {503, 1, "outcome-unknown", false},
    [FAIL_NO_WORKERS] = {503, 1, "no-workers", false},
    [FAIL_JOBS_FULL] = {503, 1, "jobs-busy", false},
    [FAIL_JOB_LATE] = {504, 0, "job-late", false},
    [FAIL_JOB_DIED] = {502, 0, "job-died", false},
    [FAIL_JOB_REFUSED] = {502, 60, "job-refused", false},
    [FAIL_JOB_INPUT] = {400, 0, "bad-input", true},
};

static bool
ends_with_stop(const char *text)
{
    return text[0] != '\0' && text[strlen(text) - 1] == '.';
}

START_TEST(test_every_reason_has_a_whole_row_with_a_name_of_its_own)
{
    for (unsigned i = FAIL_NONE + 1; i < FAIL_COUNT; i++) {
        const struct fail_row *row = fail_row((enum failure)i);

        ck_assert_msg(row->name != NULL && row->title != NULL && row->sentence != NULL,
                      "reason %u has no row", i);
        ck_assert_str_eq(row->name, promised[i].name);
        ck_assert_msg(row->status == promised[i].status, "%s: %d", row->name, row->status);
        ck_assert_msg(row->retry_after == promised[i].retry_after, "%s", row->name);
        ck_assert_msg(ends_with_stop(row->sentence), "%s", row->name);
        ck_assert_msg(promised[i].case_names_cure ? row->cure == NULL
                                                  : row->cure != NULL && ends_with_stop(row->cure),
                      "%s has a cure too few or too many", row->name);
        ck_assert_ptr_eq(fail_row_named(row->name, strlen(row->name)), row);
    }
    ck_assert_ptr_null(fail_row_named("nothing", 7));
    ck_assert_ptr_null(fail_row_named("", 0));
    ck_assert_ptr_null(fail_row_named("busy-", 5));
    ck_assert_ptr_null(fail_row_named("bus", 3));
}
END_TEST

START_TEST(test_an_answer_says_what_its_row_says)
{
    enum failure reason = (enum failure)_i;
    const struct fail_row *row = fail_row(reason);
    char detail[256], retry[16];
    struct http_conn *c;
    json_t *root;

    if (reason == FAIL_CLIENT_GONE) /* nobody is there to be told */
        return;
    c = fail_by("/fail", reason, "");
    root = rw_problem(c, row->status, row->name);
    snprintf(detail, sizeof(detail), "case <%d> of \"all\"%s%s", _i, row->cure != NULL ? ". " : "",
             row->cure != NULL ? row->cure : "");
    ck_assert_str_eq(json_string_value(json_object_get(root, "detail")), detail);
    ck_assert_str_eq(json_string_value(json_object_get(root, "title")), row->title);
    ck_assert_uint_eq(json_object_size(root), 4);
    json_decref(root);
    snprintf(retry, sizeof(retry), "%d", row->retry_after);
    if (row->retry_after > 0)
        ck_assert_str_eq(rw_field(c, "Retry-After"), retry);
    else
        ck_assert_ptr_null(rw_field(c, "Retry-After"));
    ck_assert_str_eq(rw_field(c, "Cache-Control"), "no-store");
    for (unsigned i = 0; i < FAIL_COUNT; i++)
        ck_assert_uint_eq(w.runner.failures[i], i == reason ? 1 : 0);
    ck_assert_uint_eq(w.runner.routes.counts[0].answered[row->status / 100], 1);
}
END_TEST

START_TEST(test_a_head_that_could_not_be_read_is_answered_by_the_table_too)
{
    json_decref(rw_problem(rw_ask(&w, "GET /fail HTTP/1.1\r\n"), 400, "bad-request"));
    json_decref(rw_problem(rw_ask(&w, "BREW /fail HTTP/1.1\r\nHost: localhost\r\n"), 501,
                           "unknown-method"));
    json_decref(
        rw_problem(rw_ask(&w, "GET /fail HTTP/2.0\r\nHost: localhost\r\n"), 505, "version"));
    ck_assert_uint_eq(w.runner.routes.counts[sizeof(routes) / sizeof(routes[0])].answered[5], 2);
}
END_TEST

START_TEST(test_the_row_speaks_where_nothing_is_known_of_the_case)
{
    json_t *root = rw_problem(rw_get(&w, "/silent"), 503, "database-down");

    ck_assert_str_eq(json_string_value(json_object_get(root, "detail")),
                     "The server goes on trying. Look at the server's log and at db_url; what "
                     "needs no database is still answered.");
    json_decref(root);
}
END_TEST

START_TEST(test_further_members_follow_in_the_same_object)
{
    json_t *root = rw_problem(rw_get(&w, "/fail?reason=99&x"), 400, "out-of-range");
    json_t *list = json_object_get(root, "invalid_params");

    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "reason")),
                     json_string_value(json_object_get(root, "detail")));
    json_decref(root);
}
END_TEST

START_TEST(test_a_browser_gets_a_page_with_the_same_words_escaped)
{
    struct http_conn *c =
        fail_by("/fail", FAIL_DB_FULL, "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n");
    const char *body = rw_body(c);

    ck_assert_int_eq(c->status, 503);
    ck_assert_str_eq(c->type, "text/html; charset=utf-8");
    ck_assert_str_eq(rw_field(c, "Retry-After"), "1");
    ck_assert_ptr_nonnull(strstr(body, "<h1>503 Too many queries are waiting</h1>"));
    ck_assert_ptr_nonnull(strstr(body, "case &lt;"));
    ck_assert_ptr_null(strstr(body, "case <"));
    ck_assert_ptr_nonnull(strstr(body, "href=\"/problems/database-busy\""));
    ck_assert_ptr_nonnull(strstr(body, fail_row(FAIL_DB_FULL)->sentence));
    /* and the next one is not appended to it */
    json_decref(
        rw_problem(fail_by("/fail", FAIL_DB_FULL, "Accept: */*\r\n"), 503, "database-busy"));
}
END_TEST

START_TEST(test_a_request_has_its_number_but_not_on_a_techempower_route)
{
    char id[64];

    snprintf(id, sizeof(id), "%llx-2", (unsigned long long)w.runner.epoch_s);
    (void)fail_by("/fail", FAIL_BUSY, "");
    ck_assert_str_eq(rw_field(fail_by("/fail", FAIL_BUSY, ""), "X-Request-Id"), id);
    ck_assert_ptr_null(rw_field(fail_by("/bare", FAIL_BUSY, ""), "X-Request-Id"));
    ck_assert_ptr_null(rw_field(fail_by("/bare", FAIL_BUSY, ""), "Server-Timing"));
    ck_assert_str_eq(rw_field(fail_by("/bare", FAIL_BUSY, ""), "Retry-After"), "1");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("fail");
    TCase *tc = tcase_create("fail");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_every_reason_has_a_whole_row_with_a_name_of_its_own);
    tcase_add_loop_test(tc, test_an_answer_says_what_its_row_says, FAIL_NONE + 1, FAIL_COUNT);
    tcase_add_test(tc, test_a_head_that_could_not_be_read_is_answered_by_the_table_too);
    tcase_add_test(tc, test_the_row_speaks_where_nothing_is_known_of_the_case);
    tcase_add_test(tc, test_further_members_follow_in_the_same_object);
    tcase_add_test(tc, test_a_browser_gets_a_page_with_the_same_words_escaped);
    tcase_add_test(tc, test_a_request_has_its_number_but_not_on_a_techempower_route);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
