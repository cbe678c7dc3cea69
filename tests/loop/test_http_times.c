/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c */
/*
 * Clients that say nothing or read nothing: who is cut, and when, on a clock that the test moves.
 */
#include "../lib/suite.h"
#include "../lib/web_world.h"
#include "http/conn.h"
#include "http/server.h"

#include <errno.h>
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

/* ---- those that say nothing ---- */

START_TEST(test_an_idle_connection_is_closed_in_time_and_without_a_word)
{
    int once = web_client(&w), used = web_client(&w);

    web_send(once, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, once, NULL), HELLO);
    web_send(used, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, used, NULL), HELLO);
    web_pass(&w, 40000);
    web_send(used, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, used, NULL), HELLO);
    web_pass(&w, 19800);
    ck_assert(web_is_silent(&w, once));
    web_pass(&w, 400);
    ck_assert(web_is_closed(&w, once));
    web_pass(&w, 39500);
    ck_assert(web_is_silent(&w, used));
    web_pass(&w, 500);
    ck_assert(web_is_closed(&w, used));
    ck_assert_uint_eq(status().timeouts, 2);
    ck_assert_uint_eq(w.nasked, 3);
    close(once);
    close(used);
}
END_TEST

START_TEST(test_a_client_that_never_says_anything_has_the_time_of_a_head)
{
    int silent = web_client(&w);

    web_pass(&w, 9800);
    ck_assert(web_is_silent(&w, silent));
    web_pass(&w, 400);
    ck_assert(web_is_closed(&w, silent));
    ck_assert_uint_eq(status().timeouts, 1);
    close(silent);
}
END_TEST

/* The crowd comes after the first one has become idle. */
START_TEST(test_in_a_crowd_idle_connections_make_room_sooner)
{
    int first = web_client(&w), fds[CROWD];

    web_send(first, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, first, NULL), HELLO);
    web_pass(&w, 5000);
    for (unsigned i = 0; i < CROWD; i++) {
        fds[i] = web_client(&w);
        web_send(fds[i], ASK("/plaintext"));
        ck_assert_str_eq(web_hear(&w, fds[i], NULL), HELLO);
    }
    web_pass(&w, 24800);
    ck_assert(web_is_silent(&w, first));
    web_pass(&w, 400);
    ck_assert(web_is_closed(&w, first));
    /* no crowd any more: the others have all their time */
    web_pass(&w, 20000);
    ck_assert_uint_eq(status().timeouts, 1);
    web_pass(&w, 15000);
    ck_assert_uint_eq(status().timeouts, 1 + CROWD);
    close(first);
    for (unsigned i = 0; i < CROWD; i++)
        close(fds[i]);
}
END_TEST

START_TEST(test_a_head_has_its_time_from_the_first_octet_however_it_drips)
{
    static const char head[] = "GET /plaintext HTTP/1.1\r\nHost: a\r\nX: ";
    int fd = web_client(&w);
    bool closed;

    for (int s = 0; s < 9; s++) {
        web_send_octets(fd, head + s, 1);
        web_pass(&w, 1000);
    }
    ck_assert(web_is_silent(&w, fd));
    web_pass(&w, 1200);
    ck_assert_ptr_nonnull(strstr(web_hear(&w, fd, &closed), "HTTP/1.1 408 Request Timeout\r\n"));
    ck_assert(closed);
    ck_assert_uint_eq(status().timeouts, 1);
    close(fd);
}
END_TEST

START_TEST(test_a_head_that_is_an_empty_line_only_is_closed_without_a_word)
{
    int fd = web_client(&w);

    web_send(fd, "\r\n");
    web_pass(&w, 10200);
    ck_assert(web_is_closed(&w, fd));
    ck_assert_uint_eq(w.nasked, 0);
    close(fd);
}
END_TEST

START_TEST(test_a_body_that_stops_coming_fails_and_a_steady_one_does_not)
{
    static char piece[256 * 1024];
    int slow = web_client(&w), steady = web_client(&w);
    bool closed;

    web_send(slow, POST("/echo", "Content-Length: 1000000\r\n"));
    web_send(steady, POST("/echo", "Content-Length: 1048576\r\n"));
    for (int i = 0; i < 4; i++) { /* each 256 KiB give 4 s more, and 10 s pass */
        web_pass(&w, i < 3 ? 10000 : 9000);
        (void)!send(slow, "x", 1, MSG_NOSIGNAL);
        if (i == 3) {
            ck_assert_ptr_nonnull(strstr(web_hear(&w, slow, &closed), "408 Request Timeout"));
            ck_assert(closed);
        }
        for (size_t n = 0; n < sizeof(piece);) {
            ssize_t k = send(steady, piece + n, sizeof(piece) - n, MSG_NOSIGNAL);

            ck_assert(k > 0 || errno == EAGAIN);
            n += k > 0 ? (size_t)k : 0;
            web_turn(&w);
        }
    }
    ck_assert_uint_gt(web_drink(&w, steady, SIZE_MAX), 1048576);
    close(slow);
    close(steady);
}
END_TEST

START_TEST(test_a_request_that_waits_for_us_has_no_time_out)
{
    int fd = web_client(&w);

    web_send(fd, ASK("/later"));
    web_pass(&w, 3600 * 1000);
    web_pass(&w, 3600 * 1000);
    ck_assert(web_is_silent(&w, fd));
    web_answer(web_last(&w), "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    web_pass(&w, 59000);
    ck_assert(web_is_silent(&w, fd));
    close(fd);
}
END_TEST

START_TEST(test_a_body_that_nobody_reads_may_not_be_sent_for_ever)
{
    int fd = web_client(&w);

    web_send(fd, POST("/ignore", "Content-Length: 60000\r\n"));
    for (int i = 0; i < 6; i++) {
        web_send(fd, "x");
        web_pass(&w, 4900);
    }
    ck_assert_uint_eq(status().connections, 1);
    web_pass(&w, 1000);
    ck_assert_uint_eq(status().connections, 0);
    close(fd);
}
END_TEST

START_TEST(test_a_refused_client_is_heard_out_for_two_seconds)
{
    int fd = web_client(&w);

    web_send(fd, "((((");
    web_pass(&w, 1900);
    ck_assert_uint_eq(status().connections, 1);
    web_pass(&w, 300);
    ck_assert_uint_eq(status().connections, 0);
    close(fd);
}
END_TEST

/* ---- those that read nothing ---- */

static void
begin_much(struct asked *a)
{
    static const char octets[100000];
    struct http_answer head = {.status = 200, .length = 10000000};

    http_reply_begin(a->conn, &head);
    while (http_reply_part(a->conn, octets, sizeof(octets)))
        ;
}

START_TEST(test_a_reader_that_takes_nothing_is_cut_and_one_that_takes_a_little_is_not)
{
    int none = web_client_small(&w), little = web_client_small(&w);
    struct asked *of_none, *of_little;

    w.on_begin = begin_much;
    web_send(none, ASK("/much"));
    turns();
    of_none = web_last(&w);
    web_send(little, ASK("/much"));
    turns();
    of_little = web_last(&w);
    ck_assert(of_none != of_little && of_none->open && of_little->open);
    web_pass(&w, 20000);
    ck_assert_uint_gt(web_drink(&w, little, 20000), 0);
    web_pass(&w, 10300);
    ck_assert_uint_eq(of_none->gone, 1);
    ck_assert_uint_eq(of_little->gone, 0);
    web_pass(&w, 20000);
    ck_assert_uint_eq(of_little->gone, 1);
    ck_assert_uint_eq(status().timeouts, 2);
    close(none);
    close(little);
}
END_TEST

START_TEST(test_a_long_turn_of_ours_is_not_the_readers)
{
    const struct http_answer head = {.status = 200, .length = -1};
    int fd = web_client(&w);
    struct asked *a;

    web_send(fd, ASK("/parts"));
    turns();
    a = web_last(&w);
    http_reply_begin(a->conn, &head);
    turns();
    web_hear(&w, fd, NULL);
    web_long_turn(&w, 2400, a->conn, "abc");
    ck_assert_uint_eq(a->gone, 0);
    ck_assert_str_eq(web_hear(&w, fd, NULL), "3\r\nabc\r\n");
    close(fd);
}
END_TEST

START_TEST(test_a_reader_that_takes_nothing_holds_up_the_end_for_three_seconds)
{
    int none = web_client_small(&w), little = web_client_small(&w);
    struct asked *of_none, *of_little;

    w.on_begin = begin_much;
    web_send(none, ASK("/much"));
    turns();
    of_none = web_last(&w);
    web_send(little, ASK("/much"));
    turns();
    of_little = web_last(&w);
    http_drain(w.server);
    web_pass(&w, 2000);
    ck_assert_uint_gt(web_drink(&w, little, 20000), 0);
    ck_assert_uint_eq(of_none->gone, 0);
    web_pass(&w, 1500);
    ck_assert_uint_eq(of_none->gone, 1);
    ck_assert_uint_eq(of_little->gone, 0);
    close(none);
    close(little);
}
END_TEST

START_TEST(test_a_last_answer_that_is_not_read_is_given_up)
{
    static char octets[500000];
    struct http_answer a = {.status = 200, .close = true};
    int fd = web_client_small(&w);

    web_send(fd, ASK("/much"));
    turns();
    web_last(&w)->open = false;
    http_reply(web_last(&w)->conn, &a, octets, sizeof(octets));
    web_pass(&w, 29000);
    ck_assert_uint_eq(status().connections, 1);
    web_pass(&w, 1300);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert_uint_eq(status().gone, 0); /* for the callee the request was over */
    close(fd);
}
END_TEST

START_TEST(test_short_time_outs_are_kept_as_well)
{
    int fd;

    w.conf.head_timeout = w.conf.idle_timeout = w.conf.write_timeout = 200;
    web_reopen(&w);
    fd = web_client(&w);
    web_pass(&w, 150);
    ck_assert(web_is_silent(&w, fd));
    web_pass(&w, 80);
    ck_assert(web_is_closed(&w, fd));
    close(fd);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_an_idle_connection_is_closed_in_time_and_without_a_word,
        test_a_client_that_never_says_anything_has_the_time_of_a_head,
        test_in_a_crowd_idle_connections_make_room_sooner,
        test_a_head_has_its_time_from_the_first_octet_however_it_drips,
        test_a_head_that_is_an_empty_line_only_is_closed_without_a_word,
        test_a_body_that_stops_coming_fails_and_a_steady_one_does_not,
        test_a_request_that_waits_for_us_has_no_time_out,
        test_a_body_that_nobody_reads_may_not_be_sent_for_ever,
        test_a_refused_client_is_heard_out_for_two_seconds,
        test_a_reader_that_takes_nothing_is_cut_and_one_that_takes_a_little_is_not,
        test_a_long_turn_of_ours_is_not_the_readers,
        test_a_reader_that_takes_nothing_holds_up_the_end_for_three_seconds,
        test_a_last_answer_that_is_not_read_is_given_up,
        test_short_time_outs_are_kept_as_well,
    };
    Suite *suite = suite_create("http_times");
    TCase *tc = tcase_create("times");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 30);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
