/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c tests/lib/malformed.c */
/*
 * Requests and answers on a connection: what an answer looks like, pipelining, and what strange
 * requests do to the connection.
 */
#include "../lib/malformed.h"
#include "../lib/suite.h"
#include "../lib/web_world.h"
#include "http/conn.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_REST "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
#define HELLO      "HTTP/1.1 200 OK\r\n" HELLO_REST
#define ASK(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

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

/* ---- answers ---- */

START_TEST(test_an_answer_is_exactly_this)
{
    int fd = web_client(&w);

    web_send(fd, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    web_send(fd, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    close(fd);
}
END_TEST

START_TEST(test_an_answer_carries_its_own_fields_and_any_status)
{
    struct http_answer a = {.status = 299, .fields = "X: y\r\nZ:\r\n", .fields_len = 10};
    int fd = web_client(&w);

    web_send(fd, ASK("/later"));
    web_turn(&w);
    web_last(&w)->open = false;
    http_reply(web_last(&w)->conn, &a, "", 0);
    ck_assert_str_eq(web_hear(&w, fd, NULL),
                     "HTTP/1.1 299 \r\nContent-Length: 0\r\nX: y\r\nZ:\r\n\r\n");
    close(fd);
}
END_TEST

START_TEST(test_head_has_the_length_and_no_body)
{
    int fd = web_client(&w);

    web_send(fd, "HEAD /plaintext HTTP/1.1\r\nHost: a\r\n\r\n" ASK("/empty"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                             "Content-Length: 13\r\n\r\n"
                                             "HTTP/1.1 204 No Content\r\n\r\n");
    close(fd);
}
END_TEST

START_TEST(test_connections_close_and_say_so_as_version_and_options_want)
{
    static const struct {
        const char *request, *answer;
        bool closed;
    } cases[] = {
        {"GET /plaintext HTTP/1.0\r\n\r\n", HELLO, true},
        {"GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
         "Connection: keep-alive\r\n\r\nHello, World!",
         false},
        {"GET /plaintext HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
         "Connection: close\r\n\r\nHello, World!",
         true},
        {ASK("/close"),
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
         "Connection: close\r\n\r\nHello, World!",
         true},
        {ASK("/plaintext"), HELLO, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = web_client(&w);
        bool closed;

        web_send(fd, cases[i].request);
        ck_assert_str_eq(web_hear(&w, fd, &closed), cases[i].answer);
        ck_assert_msg(closed == cases[i].closed, "%s", cases[i].request);
        close(fd);
    }
}
END_TEST

/* ---- pipelining ---- */

static unsigned writes;

static ssize_t
counting_write(struct http_conn *conn, const struct iovec *iov, int count)
{
    writes++;
    return http_io_plain.write(conn, iov, count);
}

START_TEST(test_all_that_came_in_one_read_is_answered_by_one_write)
{
    static struct http_io counting;
    int fd = web_client(&w);

    counting = http_io_plain;
    counting.write = counting_write;
    writes = 0;
    web_send(fd, ASK("/plaintext"));
    web_turn(&w);
    web_last(&w)->conn->io = &counting;
    web_send(fd, ASK("/plaintext") ASK("/plaintext") ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO HELLO HELLO HELLO);
    ck_assert_uint_eq(writes, 1);
    close(fd);
}
END_TEST

START_TEST(test_requests_behind_one_that_waits_keep_their_order)
{
    int fd = web_client(&w);
    struct asked *later;

    web_send(fd, ASK("/plaintext") ASK("/later") ASK("/plaintext") "GET /plain");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    later = web_last(&w);
    ck_assert_str_eq(later->path, "/later");
    web_send(fd, "text HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(web_is_silent(&w, fd));
    web_answer(later, "Hello, World!");
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO HELLO HELLO);
    ck_assert_uint_eq(w.nasked, 4);
    close(fd);
}
END_TEST

START_TEST(test_more_requests_than_one_turn_takes_are_all_answered)
{
    enum { REQUESTS = 1000, OCTETS = sizeof(ASK("/plaintext")) - 1 };
    static char requests[REQUESTS * OCTETS];
    struct http_status status;
    int fd = web_client(&w);
    size_t octets = 0;

    for (size_t i = 0; i < REQUESTS; i++)
        memcpy(requests + i * OCTETS, ASK("/plaintext"), OCTETS);
    web_send_octets(fd, requests, sizeof(requests));
    web_turn(&w);
    http_status(w.server, &status);
    ck_assert_uint_lt(status.requests, REQUESTS);
    octets = web_drink(&w, fd, SIZE_MAX);
    http_status(w.server, &status);
    ck_assert_uint_eq(status.requests, REQUESTS);
    ck_assert_uint_eq(status.answers_2xx, REQUESTS);
    ck_assert_uint_eq(octets, status.bytes_out);
    ck_assert_uint_eq(octets % REQUESTS, 0);
    close(fd);
}
END_TEST

static struct asked *waiting;

static void
answer_both(struct asked *a)
{
    if (waiting == NULL) {
        waiting = a;
        return;
    }
    web_answer(waiting, "Hello, World!");
    web_answer(a, "Hello, World!");
}

START_TEST(test_answers_to_two_connections_in_one_callback_do_not_mix)
{
    int a = web_client(&w), b = web_client(&w);

    waiting = NULL;
    w.on_begin = answer_both;
    web_send(a, ASK("/wait"));
    web_turn(&w);
    web_send(b, ASK("/plaintext") ASK("/answer-both") ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, b, NULL), HELLO HELLO HELLO);
    ck_assert_str_eq(web_hear(&w, a, NULL), HELLO);
    close(a);
    close(b);
}
END_TEST

START_TEST(test_a_request_cut_at_every_octet_is_answered_the_same)
{
    static const char request[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n"
                                  "Hello, World!" ASK("/plaintext");

    for (size_t cut = 1; cut < sizeof(request) - 1; cut++) {
        int fd = web_client(&w);

        web_send_octets(fd, request, cut);
        web_turn(&w);
        web_send(fd, request + cut);
        ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO HELLO);
        close(fd);
    }
}
END_TEST

/* ---- strange requests ---- */

static unsigned smuggled; /* requests that were none */

static void
answer_any_path(struct asked *a)
{
    smuggled += strcmp(a->path, "/smuggled") == 0;
    web_answer(a, "any");
}

/* A strange request, its octets cut behind `first` of them and then each `step`, and a good one
 * behind it. Says what is wrong with the answers, true if something is. */
static bool
goes_wrong(const struct malformed *m, size_t first, size_t step)
{
    static const char next[] = ASK("/plaintext");
    struct malformed_answers answers;
    char why[300] = "";
    int fd = web_client(&w);
    const char *text;
    bool closed;

    for (size_t at = 0, end = first; at < m->len; at = end, end += step) {
        if (end > m->len)
            end = m->len;
        (void)!send(fd, m->octets + at, end - at, MSG_NOSIGNAL); /* it may be closed by now */
        web_turn(&w);
    }
    (void)!send(fd, next, sizeof(next) - 1, MSG_NOSIGNAL);
    text = web_hear(&w, fd, &closed);
    close(fd);
    malformed_read_answers(m, text, strlen(text), false, &answers);
    if (malformed_is_answered(m, &answers, false, why, sizeof(why)) && closed != (m->end == CLOSES))
        snprintf(why, sizeof(why), "%s: closed %d", m->name, closed);
    if (smuggled > 0)
        snprintf(why, sizeof(why), "%s: smuggled octets were answered", m->name);
    smuggled = 0;
    if (why[0] == '\0')
        return false;
    fprintf(stderr, "cut behind %zu and each %zu: %s\n", first, step, why);
    return true;
}

START_TEST(test_strange_requests_are_answered_as_their_rules_say)
{
    unsigned wrong = 0;

    w.on_begin = answer_any_path;
    for (size_t i = 0; i < malformed_count; i++)
        wrong += goes_wrong(&malformed_table[i], malformed_table[i].len, 1);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(test_strange_requests_octet_by_octet_are_answered_the_same)
{
    unsigned wrong = 0;

    w.on_begin = answer_any_path;
    for (size_t i = 0; i < malformed_count; i++)
        wrong += goes_wrong(&malformed_table[i], 1, 1);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Long ones consist of repetitions: there the first cuts and the last ones will do. */
START_TEST(test_strange_requests_in_two_pieces_are_answered_the_same)
{
    enum { CUTS = 120 };
    unsigned wrong = 0;

    w.on_begin = answer_any_path;
    for (size_t i = 0; i < malformed_count; i++) {
        const struct malformed *m = &malformed_table[i];

        for (size_t cut = 1; cut < m->len; cut++) {
            if (cut == CUTS && m->len > 2 * (size_t)CUTS)
                cut = m->len - CUTS;
            wrong += goes_wrong(m, cut, m->len);
        }
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(test_a_refused_client_still_hears_its_answer_while_it_sends)
{
    static char garbage[100000];
    int fd = web_client(&w);
    struct http_status status;
    bool closed;

    memset(garbage, '(', sizeof(garbage));
    web_send_octets(fd, garbage, sizeof(garbage));
    ck_assert_ptr_nonnull(strstr(web_hear(&w, fd, &closed), "400 Bad Request"));
    ck_assert(closed); /* no more will be sent to it, but what it sends is taken */
    web_send_octets(fd, garbage, sizeof(garbage));
    web_turn(&w);
    http_status(w.server, &status);
    ck_assert_uint_eq(status.connections, 1);
    ck_assert_uint_eq(status.malformed, 1);
    for (int i = 0; i < 3; i++) { /* up to a point */
        (void)!send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL);
        web_turn(&w);
        web_turn(&w);
    }
    http_status(w.server, &status);
    ck_assert_uint_eq(status.connections, 0);
    close(fd);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_an_answer_is_exactly_this,
        test_an_answer_carries_its_own_fields_and_any_status,
        test_head_has_the_length_and_no_body,
        test_connections_close_and_say_so_as_version_and_options_want,
        test_all_that_came_in_one_read_is_answered_by_one_write,
        test_requests_behind_one_that_waits_keep_their_order,
        test_more_requests_than_one_turn_takes_are_all_answered,
        test_answers_to_two_connections_in_one_callback_do_not_mix,
        test_a_request_cut_at_every_octet_is_answered_the_same,
        test_a_refused_client_still_hears_its_answer_while_it_sends,
    };
    Suite *suite = suite_create("http");
    TCase *tc = tcase_create("connection"), *strange = tcase_create("strange");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(strange, set_up, tear_down);
    tcase_set_timeout(strange, 120);
    tcase_add_test(strange, test_strange_requests_are_answered_as_their_rules_say);
    tcase_add_test(strange, test_strange_requests_octet_by_octet_are_answered_the_same);
    tcase_add_test(strange, test_strange_requests_in_two_pieces_are_answered_the_same);
    suite_add_tcase(suite, strange);
    return suite_run(suite);
}
