/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c */
/*
 * Clients that leave: who notices, and who is told.
 */
#include "../lib/suite.h"
#include "../lib/web_world.h"
#include "http/conn.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
#define ASK(path)          "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static struct web w;

static void
set_up(void)
{
    web_open(&w);
}

static void
tear_down(void)
{
    web_close(&w);
}

static struct http_status
status(void)
{
    struct http_status s;

    http_status(w.server, &s);
    return s;
}

static void
turns(void)
{
    for (int i = 0; i < 4; i++)
        web_turn(&w);
}

/* ---- those that leave ---- */

START_TEST(test_a_client_that_leaves_while_its_request_waits_is_noticed)
{
    for (int half = 0; half < 2; half++) {
        int fd = web_client(&w);

        web_send(fd, ASK("/later"));
        turns();
        if (half)
            shutdown(fd, SHUT_WR); /* a half-closed connection counts as left: our choice */
        else
            close(fd);
        turns();
        ck_assert_uint_eq(web_last(&w)->gone, 1);
        ck_assert_uint_eq(status().connections, 0);
        ck_assert_uint_eq(status().gone, (uint64_t)half + 1);
        if (half)
            close(fd);
    }
}
END_TEST

START_TEST(test_a_client_that_left_before_its_request_was_read_is_noticed)
{
    int fd = web_client(&w);

    web_send(fd, ASK("/later"));
    close(fd);
    turns();
    ck_assert_uint_eq(w.nasked, 1);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
}
END_TEST

START_TEST(test_a_client_that_leaves_behind_much_that_is_unread_is_noticed)
{
    static char more[1 << 20];
    int fd = web_client(&w);

    web_send(fd, ASK("/later"));
    turns();
    memset(more, 'x', sizeof(more));
    for (ssize_t n = 1; n > 0;) { /* until neither server nor kernel takes any more */
        turns();
        n = send(fd, more, sizeof(more), MSG_NOSIGNAL);
    }
    ck_assert_uint_lt(web_last(&w)->conn->in_cap, 70000);
    ck_assert_uint_eq(web_last(&w)->gone, 0);
    close(fd);
    turns();
    ck_assert_uint_eq(web_last(&w)->gone, 1);
}
END_TEST

START_TEST(test_a_client_that_leaves_in_its_head_or_body_is_forgotten)
{
    int fd = web_client(&w);

    web_send(fd, "GET /later HT");
    turns();
    close(fd);
    turns();
    ck_assert_uint_eq(w.nasked, 0);
    fd = web_client(&w);
    web_send(fd, POST("/echo", "Content-Length: 9\r\n") "half");
    turns();
    close(fd);
    turns();
    ck_assert_uint_eq(web_last(&w)->gone, 1);
    ck_assert_uint_eq(status().connections, 0);
}
END_TEST

START_TEST(test_all_that_can_be_answered_at_once_is_before_a_half_close_counts)
{
    int fd = web_client(&w);
    bool closed;

    web_send(fd, ASK("/plaintext") POST("/echo", "Content-Length: 13\r\n") "Hello, World!" ASK(
                     "/plaintext") "GET /ha");
    shutdown(fd, SHUT_WR);
    ck_assert_str_eq(web_hear(&w, fd, &closed), HELLO HELLO HELLO);
    ck_assert(closed);
    ck_assert_uint_eq(status().gone, 0);
    close(fd);
}
END_TEST

START_TEST(test_a_large_body_before_a_half_close_is_read_to_its_end)
{
    static char body[150000];
    int fd = web_client(&w);
    size_t heard;

    memset(body, 'x', sizeof(body));
    web_send(fd, POST("/echo", "Content-Length: 150000\r\n"));
    web_send_octets(fd, body, sizeof(body));
    shutdown(fd, SHUT_WR);
    heard = web_drink(&w, fd, SIZE_MAX);
    ck_assert_uint_gt(heard, sizeof(body));
    ck_assert_uint_eq(status().connections, 0);
    close(fd);
}
END_TEST

START_TEST(test_what_is_said_to_a_client_that_has_gone_is_ignored)
{
    struct http_answer a = {.status = 200, .length = -1};
    int fd = web_client(&w);
    struct http_conn *conn;
    const void *data;
    size_t len;
    enum failure why;

    web_send(fd, ASK("/later"));
    turns();
    conn = web_last(&w)->conn;
    close(fd);
    ck_assert_int_ge(event_base_loop(w.base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
    http_reply_begin(conn, &a); /* until the end of the turn its memory is there */
    ck_assert(!http_reply_part(conn, "abc", 3));
    http_reply_end(conn);
    http_reply(conn, &a, "abc", 3);
    http_reply_abort(conn);
    ck_assert_int_eq(http_body(conn, 1, &data, &len, &why), HTTP_BODY_FAILED);
    ck_assert_int_eq(why, FAIL_CLIENT_GONE);
    http_turn_end(w.server);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_client_that_leaves_while_its_request_waits_is_noticed,
        test_a_client_that_left_before_its_request_was_read_is_noticed,
        test_a_client_that_leaves_behind_much_that_is_unread_is_noticed,
        test_a_client_that_leaves_in_its_head_or_body_is_forgotten,
        test_all_that_can_be_answered_at_once_is_before_a_half_close_counts,
        test_a_large_body_before_a_half_close_is_read_to_its_end,
        test_what_is_said_to_a_client_that_has_gone_is_ignored,
    };
    Suite *suite = suite_create("http_clients");
    TCase *tc = tcase_create("clients");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 30);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
