/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c */
/*
 * The server as a whole: accepting, having no place for more, draining, closing.
 */
#include "../lib/suite.h"
#include "../lib/web_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
#define HELLO_CLOSE                                                                                \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: "            \
    "close\r\n\r\nHello, World!"
#define ASK(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct web w;
static int listening = -1;
static struct sockaddr_in address;

static void
set_up(void)
{
    web_open(&w);
}

static void
tear_down(void)
{
    web_close(&w);
    if (listening >= 0)
        close(listening);
    listening = -1;
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

static void
listen_on_loopback(void)
{
    socklen_t len = sizeof(address);

    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listening, 128), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &len), 0);
    http_listen(w.server, listening);
}

static int
connect_client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* ---- accepting ---- */

START_TEST(test_clients_are_accepted_and_know_their_port_and_peer)
{
    char peer[64], expected[64];
    struct sockaddr_in own = {0};
    socklen_t len = sizeof(own);
    int fd;

    listen_on_loopback();
    fd = connect_client();
    web_send(fd, ASK("/plaintext") ASK("/later"));
    ck_assert_str_eq(web_hear(&w, fd, NULL), HELLO);
    ck_assert_uint_eq(status().accepted, 1);
    ck_assert_uint_eq(http_conn_port(web_last(&w)->conn), ntohs(address.sin_port));
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(own.sin_port));
    ck_assert_str_eq(http_conn_peer(web_last(&w)->conn, peer, sizeof(peer)), expected);
    close(fd);
    turns();
    ck_assert_uint_eq(web_last(&w)->gone, 1);
}
END_TEST

START_TEST(test_a_client_that_resets_is_gone_even_if_much_of_it_is_unread)
{
    struct linger reset = {.l_onoff = 1};
    static char more[1 << 20];
    int fd;

    listen_on_loopback();
    fd = connect_client();
    web_send(fd, ASK("/later"));
    turns();
    for (int i = 0; i < 10; i++) {
        (void)!send(fd, more, sizeof(more), MSG_NOSIGNAL);
        turns();
    }
    ck_assert_uint_eq(web_last(&w)->gone, 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    turns();
    ck_assert_uint_eq(web_last(&w)->gone, 1);
}
END_TEST

START_TEST(test_over_max_connections_clients_are_told_503)
{
    int fds[3];
    bool closed;

    w.conf.max_connections = 2;
    web_reopen(&w);
    listen_on_loopback();
    for (int i = 0; i < 3; i++) {
        fds[i] = connect_client();
        web_send(fds[i], ASK("/plaintext"));
        turns();
    }
    ck_assert_str_eq(web_hear(&w, fds[1], NULL), HELLO);
    ck_assert_ptr_nonnull(strstr(web_hear(&w, fds[2], &closed), "503 Service Unavailable"));
    ck_assert(closed);
    ck_assert_uint_eq(status().refused_connections, 1);
    ck_assert_uint_eq(status().connections, 2);
    close(fds[0]);
    close(fds[2]);
    turns();
    fds[0] = connect_client();
    web_send(fds[0], ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fds[0], NULL), HELLO);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(test_without_descriptors_clients_are_sent_away_and_the_loop_does_not_spin)
{
    struct rlimit old, few;
    int fds[4], spare, next = dup(0);
    bool closed;

    listen_on_loopback();
    for (int i = 0; i < 4; i++)
        fds[i] = connect_client();
    spare = fds[3];
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)spare + 2; /* room for one more */
    close(next);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    turns();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_uint_eq(status().connections + status().refused_connections, 4);
    ck_assert_uint_ge(status().refused_connections, 2);
    (void)web_hear(&w, fds[3], &closed);
    ck_assert(closed);
    web_send(fds[0], ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fds[0], NULL), HELLO);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    turns();
    fds[0] = connect_client(); /* all is well again */
    web_send(fds[0], ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fds[0], NULL), HELLO);
    close(fds[0]);
}
END_TEST

/* ---- draining ---- */

START_TEST(test_draining_closes_idle_connections_and_finishes_requests)
{
    int idle = web_client(&w), later = web_client(&w), half = web_client(&w);
    bool closed;

    web_send(idle, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, idle, NULL), HELLO);
    web_send(later, ASK("/later"));
    web_send(half, "GET /plaintext HT");
    web_pass(&w, 5000);
    http_drain(w.server);
    web_pass(&w, 100);
    ck_assert(web_is_closed(&w, idle)); /* it had been idle for long */
    web_answer(web_last(&w), "Hello, World!");
    ck_assert_str_eq(web_hear(&w, later, &closed), HELLO_CLOSE);
    ck_assert(closed);
    web_send(half, "TP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_str_eq(web_hear(&w, half, &closed), HELLO_CLOSE);
    ck_assert(closed);
    ck_assert_uint_eq(status().connections, 0);
    close(idle);
    close(later);
    close(half);
}
END_TEST

START_TEST(test_a_request_on_its_way_when_draining_begins_is_answered)
{
    int fresh = web_client(&w), used = web_client(&w), silent = web_client(&w);
    bool closed;

    web_send(used, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, used, NULL), HELLO);
    http_drain(w.server);
    web_pass(&w, 200);
    web_send(fresh, ASK("/plaintext"));
    web_send(used, ASK("/plaintext"));
    ck_assert_str_eq(web_hear(&w, fresh, &closed), HELLO_CLOSE);
    ck_assert(closed);
    ck_assert_str_eq(web_hear(&w, used, &closed), HELLO_CLOSE);
    ck_assert(closed);
    ck_assert(web_is_silent(&w, silent));
    web_pass(&w, 200);
    ck_assert(web_is_closed(&w, silent));
    close(fresh);
    close(used);
    close(silent);
}
END_TEST

START_TEST(test_draining_accepts_no_more)
{
    int fd;

    listen_on_loopback();
    http_drain(w.server);
    fd = connect_client();
    turns();
    ck_assert_uint_eq(status().accepted, 0);
    close(fd);
}
END_TEST

START_TEST(test_closing_the_server_closes_all_and_calls_no_hooks)
{
    int later = web_client(&w), head = web_client(&w), idle = web_client(&w);
    struct asked *a;

    web_send(later, ASK("/later"));
    web_send(head, "GET /");
    turns();
    a = web_last(&w);
    web_reopen(&w);
    ck_assert_uint_eq(a->gone, 0);
    ck_assert(web_is_closed(&w, later) && web_is_closed(&w, head) && web_is_closed(&w, idle));
    close(later);
    close(head);
    close(idle);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_clients_are_accepted_and_know_their_port_and_peer,
        test_a_client_that_resets_is_gone_even_if_much_of_it_is_unread,
        test_over_max_connections_clients_are_told_503,
        test_without_descriptors_clients_are_sent_away_and_the_loop_does_not_spin,
        test_draining_closes_idle_connections_and_finishes_requests,
        test_a_request_on_its_way_when_draining_begins_is_answered,
        test_draining_accepts_no_more,
        test_closing_the_server_closes_all_and_calls_no_hooks,
    };
    Suite *suite = suite_create("http_server");
    TCase *tc = tcase_create("server");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
