/*
 * How a request and its answer travel: bodies of any length and coding, 100 Continue, HEAD,
 * pipelining, HTTP/1.0.
 */
#include "e2e.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
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

int
main(void)
{
    const TTest *const tests[] = {
        test_bytes_sends_exactly_as_many_octets,
        test_echo_gives_the_body_back_whether_chunked_or_not,
        test_expect_100_continue_is_answered_before_the_body_is_sent,
        test_head_has_the_fields_of_get_and_no_body,
        test_pipelined_requests_are_answered_in_order,
        test_http_1_0_gets_its_answer_and_a_closed_connection,
    };

    return suite_run_mode(
        suite_of("exchange", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
