/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c */
/*
 * Bodies of requests: read in pieces, bounded, refused, dropped; and 100 Continue.
 */
#include "../lib/suite.h"
#include "../lib/web_world.h"
#include "http/conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
#define ASK(path)          "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define CONTINUE           "HTTP/1.1 100 Continue\r\n\r\n"
#define IGNORED            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n"

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

static char octets[4 << 20];

/* Sends as many of the octets as go, in turns, until nothing goes any more; how many went. */
static size_t
pour(int fd, size_t len)
{
    size_t sent = 0;
    int stuck = 0;

    while (sent < len && stuck < 4) {
        ssize_t n = send(fd, octets + sent, len - sent, MSG_NOSIGNAL);

        ck_assert(n > 0 || errno == EAGAIN);
        stuck = n > 0 ? 0 : stuck + 1;
        sent += n > 0 ? (size_t)n : 0;
        web_turn(&w);
    }
    return sent;
}

static void
fill_octets(void)
{
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (char)(i * 31 + (i >> 8) * 7);
}

/* ---- reading ---- */

START_TEST(test_a_large_body_comes_whole)
{
    enum { LENGTH = 1000000 };
    int fd = web_client(&w);
    char head[100];

    fill_octets();
    snprintf(head, sizeof(head), POST("/take", "Content-Length: %d\r\n"), LENGTH);
    web_send(fd, head);
    web_turn(&w);
    ck_assert_int_eq(web_pull(web_last(&w)), HTTP_BODY_MORE);
    ck_assert_uint_eq(pour(fd, LENGTH), LENGTH);
    web_send(fd, ASK("/plaintext"));
    ck_assert(web_is_silent(&w, fd));
    ck_assert_int_eq(web_last(&w)->body_state, HTTP_BODY_END);
    ck_assert_uint_eq(web_last(&w)->body.len, LENGTH);
    ck_assert(memcmp(web_last(&w)->body.data, octets, LENGTH) == 0);
    web_answer(web_last(&w), "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO HELLO);
    close(fd);
}
END_TEST

START_TEST(test_chunks_come_whole_and_the_next_request_behind_them)
{
    int fd = web_client(&w);

    web_send(fd, POST("/echo", "Transfer-Encoding: chunked\r\n") "6\r\nHello,\r\n");
    ck_assert(web_is_silent(&w, fd));
    web_send(fd, "7;x\r\n World!\r\n0\r\nX: y\r\n");
    ck_assert(web_is_silent(&w, fd));
    web_send(fd, "\r\n" ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO HELLO);
    close(fd);
}
END_TEST

START_TEST(test_who_does_not_ask_for_its_body_makes_the_client_wait)
{
    int fd = web_client(&w);
    size_t went;

    fill_octets();
    w.pull = false;
    web_send(fd, POST("/take", "Content-Length: 4000000\r\n"));
    went = pour(fd, 4000000);
    ck_assert_uint_lt(went, 1000000); /* what the kernel holds, and READ_ROOM */
    ck_assert_uint_lt(web_last(&w)->conn->in_cap, 70000);
    w.body_limit = 4000000;
    w.pull = true;
    ck_assert_int_eq(web_pull(web_last(&w)), HTTP_BODY_MORE);
    while (went < 4000000) {
        ssize_t n = send(fd, octets + went, 4000000 - went, MSG_NOSIGNAL);

        went += n > 0 ? (size_t)n : 0;
        web_turn(&w);
    }
    ck_assert(web_is_silent(&w, fd));
    ck_assert_int_eq(web_last(&w)->body_state, HTTP_BODY_END);
    ck_assert(memcmp(web_last(&w)->body.data, octets, 4000000) == 0);
    close(fd);
}
END_TEST

START_TEST(test_a_body_read_piece_by_piece_between_other_work)
{
    int fd = web_client(&w);
    const void *data;
    size_t len;
    enum failure why;
    struct asked *a;

    w.pull = false;
    web_send(fd, POST("/take", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n2\r\nde\r\n");
    web_turn(&w);
    a = web_last(&w);
    ck_assert_int_eq(http_body(a->conn, 100, &data, &len, &why), HTTP_BODY_PIECE);
    ck_assert(len == 3 && memcmp(data, "abc", 3) == 0);
    web_send(fd, "0\r\n\r\n");
    web_turn(&w);
    ck_assert_uint_eq(a->bodies, 0); /* it has not been told to wait */
    ck_assert_int_eq(http_body(a->conn, 100, &data, &len, &why), HTTP_BODY_PIECE);
    ck_assert(len == 2 && memcmp(data, "de", 2) == 0);
    if (http_body(a->conn, 100, &data, &len, &why) == HTTP_BODY_MORE) {
        web_turn(&w);
        web_turn(&w);
        ck_assert_uint_eq(a->bodies, 1);
    }
    ck_assert_int_eq(http_body(a->conn, 100, &data, &len, &why), HTTP_BODY_END);
    web_answer(a, "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    close(fd);
}
END_TEST

START_TEST(test_a_request_without_a_body_has_an_end_at_once)
{
    int fd = web_client(&w);

    web_send(fd, POST("/take", ""));
    web_turn(&w);
    ck_assert_int_eq(web_pull(web_last(&w)), HTTP_BODY_END);
    web_send(fd, POST("/take", "Content-Length: 0\r\n"));
    web_answer(web_last(&w), "");
    web_turn(&w);
    ck_assert_int_eq(web_pull(web_last(&w)), HTTP_BODY_END);
    close(fd);
}
END_TEST

/* ---- too much ---- */

START_TEST(test_a_length_above_the_limit_is_refused_before_the_body_comes)
{
    int fd = web_client(&w);
    bool closed;

    w.body_limit = 10;
    web_send(fd, POST("/echo", "Content-Length: 11\r\nExpect: 100-continue\r\n"));
    ck_assert_str_eq(web_hear(&w, fd, &closed),
                     "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 6\r\nConnection: close\r\n\r\nfailed");
    ck_assert(closed);
    close(fd);
}
END_TEST

START_TEST(test_chunks_above_the_limit_are_refused_when_they_pass_it)
{
    int fd = web_client(&w);
    bool closed;

    w.body_limit = 10;
    web_send(fd, POST("/echo", "Transfer-Encoding: chunked\r\n") "a\r\n0123456789\r\n");
    ck_assert(web_is_silent(&w, fd));
    web_send(fd, "1\r\nx");
    ck_assert_ptr_nonnull(strstr(web_hear(&w, fd, &closed), "413 Content Too Large"));
    ck_assert(closed);
    close(fd);
}
END_TEST

START_TEST(test_a_chunk_that_passes_the_limit_is_refused_before_its_data_comes)
{
    static const char *const sizes[] = {"b\r\n", "3\r\nabc\r\n8;a=b\r\n", "3ffffffffffffff\r\n"};

    w.body_limit = 10;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int fd = web_client(&w);
        bool closed;

        web_send(fd, POST("/echo", "Transfer-Encoding: chunked\r\n"));
        ck_assert(web_is_silent(&w, fd));
        for (const char *p = sizes[i]; *p != '\0'; p++) {
            ck_assert(web_is_silent(&w, fd));
            web_send(fd, (char[]){*p, '\0'});
        }
        ck_assert_ptr_nonnull(strstr(web_hear(&w, fd, &closed), "413 Content Too Large"));
        ck_assert(closed);
        close(fd);
    }
}
END_TEST

/* ---- 100 Continue ---- */

START_TEST(test_the_client_is_told_to_continue_when_its_body_is_wanted)
{
    int fd = web_client(&w);

    web_send(fd, POST("/echo", "Content-Length: 13\r\nExpect: 100-continue\r\n"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), CONTINUE);
    web_send(fd, "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    web_send(fd, POST("/later", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
    ck_assert(web_is_silent(&w, fd));
    ck_assert_int_eq(web_pull(web_last(&w)), HTTP_BODY_MORE);
    ck_assert_str_eq(web_hear(&w, fd, NULL), CONTINUE);
    close(fd);
}
END_TEST

START_TEST(test_who_did_not_wait_is_not_told_to_continue)
{
    int fd = web_client(&w);

    web_send(fd, POST("/echo", "Content-Length: 13\r\nExpect: 100-continue\r\n") "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    close(fd);
}
END_TEST

START_TEST(test_an_answer_without_the_expected_body_closes)
{
    int fd = web_client(&w);
    bool closed;

    web_send(fd, POST("/ignore", "Content-Length: 7\r\nExpect: 100-continue\r\n"));
    ck_assert_str_eq(web_hear(&w, fd, &closed), IGNORED "Connection: close\r\n\r\nignored");
    ck_assert(closed);
    close(fd);
}
END_TEST

START_TEST(test_an_answer_in_parts_that_begins_before_its_body_says_continue_first)
{
    struct http_answer a = {.status = 200, .length = 2};
    int fd = web_client(&w);

    w.pull = false;
    web_send(fd, POST("/take", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
    web_turn(&w);
    http_reply_begin(web_last(&w)->conn, &a);
    ck_assert_str_eq(web_hear(&w, fd, NULL),
                     CONTINUE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    ck_assert_int_eq(web_pull(web_last(&w)), HTTP_BODY_MORE);
    ck_assert(web_is_silent(&w, fd));
    close(fd);
}
END_TEST

/* ---- bodies that nobody reads ---- */

START_TEST(test_a_small_body_that_nobody_reads_is_dropped)
{
    int fd = web_client(&w);

    web_send(fd, POST("/ignore", "Content-Length: 7\r\n") "GET /sm");
    ck_assert_str_eq(web_hear(&w, fd, NULL), IGNORED "\r\nignored");
    web_send(fd, POST("/ignore", "Content-Length: 7\r\n") "GET");
    ck_assert_str_eq(web_hear(&w, fd, NULL), IGNORED "\r\nignored");
    web_send(fd, " /sm" ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    ck_assert_uint_eq(w.nasked, 3);
    close(fd);
}
END_TEST

START_TEST(test_a_body_left_unread_by_a_late_answer_is_dropped)
{
    int fd = web_client(&w);

    w.pull = false;
    web_send(fd, POST("/take", "Content-Length: 20000\r\n"));
    web_turn(&w);
    ck_assert_uint_eq(pour(fd, 10000), 10000);
    web_answer(web_last(&w), "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    ck_assert_uint_eq(pour(fd, 10000), 10000);
    web_send(fd, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    ck_assert_uint_eq(w.nasked, 2);
    close(fd);
}
END_TEST

START_TEST(test_a_large_or_chunked_body_that_nobody_reads_closes)
{
    static const char *const requests[] = {
        POST("/ignore", "Content-Length: 65537\r\n"),
        POST("/ignore", "Transfer-Encoding: chunked\r\n"),
    };

    for (unsigned i = 0; i < 2; i++) {
        int fd = web_client(&w);
        bool closed;

        web_send(fd, requests[i]);
        ck_assert_str_eq(web_hear(&w, fd, &closed), IGNORED "Connection: close\r\n\r\nignored");
        ck_assert(closed);
        ck_assert_uint_eq(pour(fd, 60000), 60000); /* heard out, so that the answer gets through */
        close(fd);
    }
}
END_TEST

START_TEST(test_a_broken_chunk_ends_request_and_connection)
{
    struct http_status status;
    int fd = web_client(&w);
    bool closed;

    web_send(fd, POST("/echo", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n");
    ck_assert(web_is_silent(&w, fd));
    web_send(fd, "zz\r\n" ASK("/plaintext"));
    ck_assert_ptr_nonnull(strstr(web_hear(&w, fd, &closed), "400 Bad Request"));
    ck_assert(closed);
    ck_assert_uint_eq(w.nasked, 1);
    http_status(w.server, &status);
    ck_assert_uint_eq(status.malformed, 1);
    close(fd);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_large_body_comes_whole,
        test_chunks_come_whole_and_the_next_request_behind_them,
        test_who_does_not_ask_for_its_body_makes_the_client_wait,
        test_a_body_read_piece_by_piece_between_other_work,
        test_a_request_without_a_body_has_an_end_at_once,
        test_a_length_above_the_limit_is_refused_before_the_body_comes,
        test_chunks_above_the_limit_are_refused_when_they_pass_it,
        test_a_chunk_that_passes_the_limit_is_refused_before_its_data_comes,
        test_the_client_is_told_to_continue_when_its_body_is_wanted,
        test_who_did_not_wait_is_not_told_to_continue,
        test_an_answer_without_the_expected_body_closes,
        test_an_answer_in_parts_that_begins_before_its_body_says_continue_first,
        test_a_small_body_that_nobody_reads_is_dropped,
        test_a_body_left_unread_by_a_late_answer_is_dropped,
        test_a_large_or_chunked_body_that_nobody_reads_closes,
        test_a_broken_chunk_ends_request_and_connection,
    };
    Suite *suite = suite_create("http_bodies");
    TCase *tc = tcase_create("bodies");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
