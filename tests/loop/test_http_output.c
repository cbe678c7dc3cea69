/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c */
/*
 * Answers on their way out: in parts, to slow readers, to those who read nothing.
 */
#include "../lib/suite.h"
#include "../lib/web_world.h"
#include "http/conn.h"
#include "http/server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
#define ASK(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct web w;
static char octets[1 << 20];

static void
set_up(void)
{
    web_open(&w);
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (char)('a' + i % 23);
}

static void
tear_down(void)
{
    web_close(&w);
}

static struct http_conn *
ask(int fd, const char *request)
{
    web_send(fd, request);
    web_turn(&w);
    return web_last(&w)->conn;
}

static void
begin_parts(struct http_conn *conn, int64_t length)
{
    struct http_answer a = {.status = 200, .length = length};

    http_reply_begin(conn, &a);
}

static void
end_parts(struct http_conn *conn)
{
    web_last(&w)->open = false;
    http_reply_end(conn);
}

/* ---- in parts ---- */

START_TEST(test_parts_of_unknown_length_are_chunks)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, ASK("/parts"));

    begin_parts(conn, -1);
    ck_assert(http_reply_part(conn, "Hello", 5));
    ck_assert(http_reply_part(conn, "", 0)); /* only asks: an empty chunk would be the end */
    ck_assert_str_eq(web_hear(&w, fd, NULL), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                             "5\r\nHello\r\n");
    ck_assert(http_reply_part(conn, octets, 26));
    end_parts(conn);
    ck_assert_str_eq(web_hear(&w, fd, NULL), "1a\r\nabcdefghijklmnopqrstuvwabc\r\n0\r\n\r\n");
    ask(fd, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    close(fd);
}
END_TEST

START_TEST(test_parts_of_known_length_are_sent_as_they_are)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, ASK("/parts"));

    begin_parts(conn, 8);
    ck_assert(http_reply_part(conn, "abc", 3));
    ck_assert(http_reply_part(conn, "defgh", 5));
    end_parts(conn);
    ck_assert_str_eq(web_hear(&w, fd, NULL),
                     "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabcdefgh");
    close(fd);
}
END_TEST

START_TEST(test_parts_to_http_1_0_end_with_the_connection)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, "GET /parts HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    bool closed;

    begin_parts(conn, -1);
    ck_assert(http_reply_part(conn, "abc", 3));
    end_parts(conn);
    ck_assert_str_eq(web_hear(&w, fd, &closed), "HTTP/1.1 200 OK\r\n\r\nabc");
    ck_assert(closed);
    close(fd);
}
END_TEST

START_TEST(test_parts_to_head_are_left_out)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, "HEAD /parts HTTP/1.1\r\nHost: a\r\n\r\n");

    begin_parts(conn, 1000000);
    ck_assert(http_reply_part(conn, octets, 1000000));
    end_parts(conn);
    ck_assert_str_eq(web_hear(&w, fd, NULL), "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    close(fd);
}
END_TEST

START_TEST(test_a_failure_in_the_middle_can_be_told_from_an_end)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, ASK("/parts"));
    bool closed;

    begin_parts(conn, -1);
    ck_assert(http_reply_part(conn, "abc", 3));
    web_last(&w)->open = false;
    http_reply_abort(conn);
    ck_assert_str_eq(web_hear(&w, fd, &closed),
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    ck_assert(closed);
    close(fd);
    fd = web_client(&w);
    conn = ask(fd, ASK("/nothing-said-yet"));
    web_last(&w)->open = false;
    http_reply_abort(conn);
    ck_assert(web_is_closed(&w, fd));
    close(fd);
}
END_TEST

/* ---- slow readers ---- */

/* What a producer of `total` octets, in parts of `part`, has come to. */
static size_t produced, total, part;

static void
produce(struct asked *a)
{
    bool room = true;

    while (room && produced < total) {
        size_t n = part < total - produced ? part : total - produced;

        room = http_reply_part(a->conn, octets + produced % 23, n);
        produced += n;
    }
    if (produced == total) {
        a->open = false;
        http_reply_end(a->conn);
    }
}

static void
begin_produce(struct asked *a)
{
    produced = 0;
    begin_parts(a->conn, (int64_t)total);
    produce(a);
}

static void
produce_to(int fd, size_t octets_in_all, size_t octets_of_part)
{
    total = octets_in_all;
    part = octets_of_part;
    w.on_begin = begin_produce;
    w.on_drained = produce;
    web_send(fd, ASK("/produce"));
    for (int i = 0; i < 20; i++)
        web_turn(&w);
}

/* Reads an answer of `total` octets and compares each. */
static void
read_produced(int fd)
{
    const char *text = web_hear(&w, fd, NULL), *body = strstr(text, "\r\n\r\n");
    size_t same = 0;

    ck_assert_ptr_nonnull(body);
    body += 4;
    ck_assert_uint_eq(strlen(body), total);
    while (same < total && body[same] == (char)('a' + same % 23))
        same++;
    ck_assert_uint_eq(same, total);
}

START_TEST(test_a_producer_waits_for_a_slow_reader_and_nothing_is_lost)
{
    static const size_t parts[] = {1000, 16384, 16385, 100000};

    for (size_t i = 0; i < 4; i++) {
        int fd = web_client_small(&w);

        produce_to(fd, 900000, parts[i]);
        ck_assert_uint_lt(produced, OUT_HIGH + parts[i] + 100000);
        ck_assert_uint_gt(produced, OUT_HIGH / 2);
        ck_assert_uint_le(web_last(&w)->conn->out_len, OUT_HIGH + parts[i]);
        read_produced(fd);
        ck_assert_uint_gt(web_last(&w)->drained, 1);
        close(fd);
        web_turn(&w);
    }
}
END_TEST

/* Reads what is there, without a turn of the loop. */
static size_t
take_all(int fd)
{
    static char taken[65536];
    size_t all = 0;
    ssize_t n;

    while ((n = recv(fd, taken, sizeof(taken), 0)) > 0)
        all += (size_t)n;
    return all;
}

START_TEST(test_a_fast_reader_gets_its_share_of_a_turn_and_no_more)
{
    struct http_status status;
    uint64_t before;
    int fd;

    w.conf.max_bytes_per_turn = 20000;
    web_reopen(&w);
    fd = web_client(&w);
    total = 500000;
    part = 1000;
    w.on_begin = begin_produce;
    w.on_drained = produce;
    web_send(fd, ASK("/produce"));
    http_status(w.server, &status);
    for (int i = 0; i < 10; i++) {
        before = status.bytes_out;
        web_turn(&w);
        http_status(w.server, &status);
        ck_assert_uint_le(status.bytes_out - before, 20000);
        ck_assert_uint_gt(status.bytes_out - before, 10000);
        take_all(fd);
    }
    close(fd);
}
END_TEST

START_TEST(test_a_producer_stopped_by_its_share_alone_goes_on_in_the_next_turn)
{
    int fd;

    w.conf.max_bytes_per_turn = 1000; /* reached to the octet, so that nothing is left unsent */
    web_reopen(&w);
    fd = web_client(&w);
    produce_to(fd, 5000, 1);
    ck_assert_uint_ge(web_last(&w)->drained, 4);
    read_produced(fd);
    close(fd);
}
END_TEST

START_TEST(test_many_fast_readers_together_do_not_make_a_turn_long)
{
    enum { READERS = 30 };
    struct http_status status;
    int fds[READERS];

    total = 900000;
    part = 100000;
    w.on_begin = begin_produce;
    for (int i = 0; i < READERS; i++) {
        fds[i] = web_client(&w);
        web_send(fds[i], ASK("/produce"));
    }
    web_turn(&w);
    http_status(w.server, &status);
    ck_assert_uint_eq(status.requests, READERS);
    ck_assert_uint_lt(status.bytes_out, TURN_FULL + 256 * 1024 + READERS * TURN_CRUMB);
    for (int i = 0; i < READERS; i++)
        close(fds[i]);
}
END_TEST

START_TEST(test_a_large_whole_answer_is_bounded_per_turn_and_comes_whole)
{
    int fd = web_client_small(&w);
    struct http_conn *conn = ask(fd, ASK("/large"));
    struct http_answer a = {.status = 200};
    const char *body;

    web_last(&w)->open = false;
    http_reply(conn, &a, octets, sizeof(octets));
    memset(octets, '!', 100); /* it was sent or copied */
    web_send(fd, ASK("/plaintext"));
    body = strstr(web_hear(&w, fd, NULL), "\r\n\r\n") + 4;
    ck_assert_uint_eq(strlen(body), sizeof(octets) + sizeof(HELLO) - 1);
    ck_assert(body[0] == 'a' &&
              body[sizeof(octets) - 1] == (char)('a' + (sizeof(octets) - 1) % 23));
    ck_assert_str_eq(body + sizeof(octets), HELLO);
    close(fd);
}
END_TEST

START_TEST(test_small_late_parts_of_a_turn_are_sent_together)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, ASK("/parts"));
    struct http_status status;
    uint64_t before;

    begin_parts(conn, -1);
    http_status(w.server, &status);
    before = status.bytes_out;
    ck_assert(http_reply_part(conn, "abc", 3));
    ck_assert(http_reply_part(conn, "def", 3));
    http_status(w.server, &status);
    ck_assert_uint_eq(status.bytes_out, before); /* not yet */
    http_turn_end(w.server);
    http_status(w.server, &status);
    ck_assert_uint_gt(status.bytes_out, before);
    close(fd);
}
END_TEST

START_TEST(test_pipelined_requests_wait_while_their_answers_are_not_read)
{
    enum { REQUESTS = 300, OCTETS = sizeof(ASK("/p")) - 1 };
    static char requests[REQUESTS * OCTETS];
    struct http_conn *conn;
    size_t sent, heard = 0;
    int fd = web_client_small(&w);

    for (size_t i = 0; i < REQUESTS; i++)
        memcpy(requests + i * OCTETS, ASK("/p"), OCTETS);
    total = part = 20000;
    w.on_begin = begin_produce;
    sent = (size_t)send(fd, requests, sizeof(requests), 0);
    ck_assert_uint_gt(sent, (size_t)20 * OCTETS);
    for (int i = 0; i < 20; i++)
        web_turn(&w);
    conn = web_last(&w)->conn;
    ck_assert_uint_lt(w.nasked, 10);
    ck_assert_uint_lt(conn->out_len, OUT_LOW + 25000);
    while (sent < sizeof(requests)) {
        ssize_t n = send(fd, requests + sent, sizeof(requests) - sent, 0);

        sent += n > 0 ? (size_t)n : 0;
        web_turn(&w);
        ck_assert_uint_lt(conn->out_len, OUT_LOW + 25000);
        heard += take_all(fd);
    }
    heard += web_drink(&w, fd, SIZE_MAX);
    ck_assert_uint_eq(w.nasked, REQUESTS);
    ck_assert_uint_gt(heard, (size_t)REQUESTS * 20000);
    close(fd);
}
END_TEST

START_TEST(test_what_slow_readers_hold_together_lowers_the_mark_for_each)
{
    enum { READERS = 4 };
    int fds[READERS];
    struct http_server *s = w.server;

    s->out_total = OUT_TOTAL_HIGH + 1; /* as if thousands held much */
    for (int i = 0; i < READERS; i++) {
        fds[i] = web_client_small(&w);
        produce_to(fds[i], 900000, 1000);
        ck_assert_uint_le(web_last(&w)->conn->out_len, OUT_LOW + 2000);
    }
    s->out_total -= OUT_TOTAL_HIGH + 1;
    for (int i = 0; i < READERS; i++)
        close(fds[i]);
}
END_TEST

START_TEST(test_an_idle_connection_holds_no_buffers_and_is_small)
{
    int fd = web_client_small(&w);
    struct http_conn *conn;

    produce_to(fd, 100000, 1000);
    conn = web_last(&w)->conn;
    (void)web_drink(&w, fd, SIZE_MAX);
    ck_assert_int_eq(conn->state, CONN_IDLE);
    ck_assert(conn->in == NULL && conn->out_first == NULL && conn->out_last == NULL);
    ck_assert_uint_le(sizeof(struct http_conn), 400);
    close(fd);
}
END_TEST

START_TEST(test_a_client_that_goes_away_in_the_middle_ends_its_request)
{
    int fd = web_client_small(&w);

    produce_to(fd, 900000, 1000);
    ck_assert(web_last(&w)->open);
    close(fd);
    for (int i = 0; i < 4; i++)
        web_turn(&w);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
}
END_TEST

START_TEST(test_writing_to_a_client_that_has_gone_tells_the_request_later)
{
    int fd = web_client(&w);
    struct http_conn *conn = ask(fd, ASK("/parts"));
    struct asked *a = web_last(&w);

    begin_parts(conn, -1);
    http_turn_end(w.server);
    close(fd);
    ck_assert(!http_reply_part(conn, octets, 100000)); /* fails, but a hook within would be rude */
    ck_assert_uint_eq(a->gone, 0);
    (void)http_reply_part(conn, octets, 10);
    web_turn(&w);
    web_turn(&w);
    ck_assert_uint_eq(a->gone, 1);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_parts_of_unknown_length_are_chunks,
        test_parts_of_known_length_are_sent_as_they_are,
        test_parts_to_http_1_0_end_with_the_connection,
        test_parts_to_head_are_left_out,
        test_a_failure_in_the_middle_can_be_told_from_an_end,
        test_a_producer_waits_for_a_slow_reader_and_nothing_is_lost,
        test_a_fast_reader_gets_its_share_of_a_turn_and_no_more,
        test_a_producer_stopped_by_its_share_alone_goes_on_in_the_next_turn,
        test_many_fast_readers_together_do_not_make_a_turn_long,
        test_a_large_whole_answer_is_bounded_per_turn_and_comes_whole,
        test_small_late_parts_of_a_turn_are_sent_together,
        test_pipelined_requests_wait_while_their_answers_are_not_read,
        test_what_slow_readers_hold_together_lowers_the_mark_for_each,
        test_an_idle_connection_holds_no_buffers_and_is_small,
        test_a_client_that_goes_away_in_the_middle_ends_its_request,
        test_writing_to_a_client_that_has_gone_tells_the_request_later,
    };
    Suite *suite = suite_create("http_output");
    TCase *tc = tcase_create("output");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 30);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
