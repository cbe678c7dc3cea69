/* links: server/supervisor/listen.c server/supervisor/listen_owner.c server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * Listening sockets: ports, several addresses, and failures that name their cure.
 */
#include "../lib/suite.h"
#include "common/buf.h"
#include "supervisor/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct listen_set set;
static struct buf error;

static void
set_up(void)
{
    set = (struct listen_set){0};
    error = (struct buf){0};
    unsetenv("INTERLEAVE_STEP");
}

static void
tear_down(void)
{
    listen_close(&set);
    buf_fini(&error);
}

static const char *
error_text(void)
{
    buf_add_char(&error, '\0');
    return error.data;
}

static void
expect_error(const char *addresses, unsigned port, const char *part)
{
    ck_assert_int_eq(listen_open(&set, addresses, port, &error), -1);
    ck_assert_uint_eq(set.count, 0);
    if (strstr(error_text(), part) == NULL)
        ck_abort_msg("\"%s\" does not say \"%s\"", error.data, part);
}

static bool
can_connect(const char *address, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    ck_assert_int_eq(inet_pton(AF_INET, address, &a.sin_addr), 1);
    connected = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    close(fd);
    return connected;
}

START_TEST(test_port_0_becomes_a_free_port_that_takes_connections)
{
    ck_assert_int_eq(listen_open(&set, "127.0.0.1", 0, &error), 0);
    ck_assert_uint_eq(set.count, 1);
    ck_assert_uint_ne(set.port, 0);
    ck_assert(can_connect("127.0.0.1", set.port));
}
END_TEST

START_TEST(test_all_addresses_share_one_port)
{
    ck_assert_int_eq(listen_open(&set, " 127.0.0.1  127.0.0.2 ", 0, &error), 0);
    ck_assert_uint_eq(set.count, 2);
    ck_assert(can_connect("127.0.0.1", set.port));
    ck_assert(can_connect("127.0.0.2", set.port));
}
END_TEST

START_TEST(test_sockets_neither_block_nor_survive_exec)
{
    ck_assert_int_eq(listen_open(&set, "127.0.0.1", 0, &error), 0);
    ck_assert_int_ne(fcntl(set.fds[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(set.fds[0], F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

START_TEST(test_a_port_can_be_opened_again_right_after_a_connection_was_closed_by_us)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    unsigned port;
    int client, accepted;

    ck_assert_int_eq(listen_open(&set, "127.0.0.1", 0, &error), 0);
    port = set.port;
    a.sin_port = htons((uint16_t)port);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
    accepted = accept(set.fds[0], NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    close(accepted); /* our end is now the one that lingers (TIME_WAIT) */
    close(client);
    listen_close(&set);
    ck_assert_int_eq(listen_open(&set, "127.0.0.1", port, &error), 0);
}
END_TEST

/* Row: what is listened on, where a browser on this machine finds it, and who else can reach it. */
static const struct {
    const char *addresses, *host;
    bool beyond;
} hosts[] = {
    {"127.0.0.1", "127.0.0.1", false},
    {"localhost", "127.0.0.1", false},
    {"127.0.0.3 127.0.0.1", "127.0.0.3", false},
    {"0.0.0.0", "127.0.0.1", true},
};

START_TEST(test_the_host_is_one_that_works_here_and_beyond_says_who_else_gets_in)
{
    ck_assert_int_eq(listen_open(&set, hosts[_i].addresses, 0, &error), 0);
    ck_assert_str_eq(set.host, hosts[_i].host);
    ck_assert(set.beyond_loopback == hosts[_i].beyond);
}
END_TEST

static bool
machine_has_ipv6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

    close(fd);
    return has;
}

START_TEST(test_ipv6_stands_beside_ipv4_on_the_same_port)
{
    if (!machine_has_ipv6()) {
        fprintf(stderr, "SKIP: this machine has no IPv6\n");
        return;
    }
    ck_assert_int_eq(listen_open(&set, ":: 0.0.0.0", 0, &error), 0);
    ck_assert_uint_eq(set.count, 2);
    ck_assert_str_eq(set.host, "[::1]");
    ck_assert(set.beyond_loopback);
    listen_close(&set);
    ck_assert_int_eq(listen_open(&set, "[::1]", 0, &error), 0);
    ck_assert(!set.beyond_loopback);
}
END_TEST

/* ---- failures ---- */

/* Another process that listens, since our own port is not "in use" by somebody. */
static unsigned
start_other(pid_t *pid)
{
    unsigned port = 0;
    int report[2];

    ck_assert_int_eq(pipe(report), 0);
    *pid = fork();
    if (*pid == 0) {
        struct listen_set other = {0};

        if (listen_open(&other, "127.0.0.1", 0, &error) != 0 ||
            write(report[1], &other.port, sizeof(other.port)) < 0)
            _exit(EXIT_FAILURE);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(report[0], &port, sizeof(port)), sizeof(port));
    return port;
}

START_TEST(test_a_port_in_use_names_its_owner_and_a_port_that_is_free)
{
    char expected[128];
    unsigned cure;
    pid_t other;
    const unsigned port = start_other(&other);

    snprintf(expected, sizeof(expected), "port %u is in use by pid %d (test_listen). Try: ", port,
             (int)other);
    expect_error("127.0.0.1", port, expected);
    ck_assert_int_eq(sscanf(strstr(error.data, "Try: "), "Try: interleave -o port=%u", &cure), 1);
    ck_assert_uint_ne(cure, port);
    ck_assert_int_eq(listen_open(&set, "127.0.0.1", cure, &error), 0);
    kill(other, SIGKILL);
}
END_TEST

START_TEST(test_under_make_run_the_cure_is_a_make_line)
{
    pid_t other;
    const unsigned port = start_other(&other);

    setenv("INTERLEAVE_STEP", "[5/5]", 1);
    expect_error("127.0.0.1", port, "Try: make run PORT=");
    kill(other, SIGKILL);
}
END_TEST

START_TEST(test_the_cure_for_https_is_a_port_of_its_own)
{
    pid_t other;
    const unsigned port = start_other(&other);

    set.tls = true;
    expect_error("127.0.0.1", port, "Try: interleave -o tls_port=");
    setenv("INTERLEAVE_STEP", "[5/5]", 1);
    expect_error("127.0.0.1", port, "Try: make run TLS_PORT=");
    kill(other, SIGKILL);
}
END_TEST

START_TEST(test_an_address_that_this_machine_does_not_have_says_how_to_find_those_it_has)
{
    expect_error("192.0.2.1", 0, "this machine has no address 192.0.2.1. Try: `ip addr`");
}
END_TEST

START_TEST(test_addresses_that_overlap_are_an_error)
{
    expect_error("127.0.0.1 0.0.0.0", 0, "names 0.0.0.0, which is part of another address");
}
END_TEST

/* Row: addresses, how many errors, and what is said. */
static const struct {
    const char *addresses;
    int wrong;
    const char *part;
} checks[] = {
    {"127.0.0.1", 0, ""},
    {" 127.0.0.1  localhost 0.0.0.0 ::1 [::1] :: [::] ", 0, ""},
    {"127.0.0.1 eht0", 1, "\"eht0\" is not an address. Try: 127.0.0.1"},
    {"127.0.0.1:8080 300.1.1.1 [::1", 3, "\"[::1\" is not an address"},
    {"[", 1, "\"[\" is not"},
    {"[]", 1, "\"[]\" is not"},
    {"[127.0.0.1]", 1, "is not an address"},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", 1, "is not an address"},
    {"  ", 1, "listen: 0 addresses; 1 to 16 are possible"},
    {"::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1", 0, ""},
    {"::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1 ::1", 1, "17 addresses"},
};

START_TEST(test_every_wrong_address_is_named)
{
    ck_assert_int_eq(listen_check(checks[_i].addresses, &error), checks[_i].wrong);
    if (strstr(error_text(), checks[_i].part) == NULL)
        ck_abort_msg("\"%s\" does not say \"%s\"", error.data, checks[_i].part);
}
END_TEST

START_TEST(test_the_owner_of_a_port_where_nobody_listens_is_not_found)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char name[64];
    unsigned port;
    int client;

    ck_assert_int_eq(listen_open(&set, "127.0.0.1", 0, &error), 0);
    port = set.port;
    ck_assert_int_eq(listen_find_owner(port, name, sizeof(name)), getpid());
    ck_assert_str_eq(name, "test_listen");
    a.sin_port = htons((uint16_t)port);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_ge(accept(set.fds[0], NULL, NULL),
                     0); /* has this port too, but does not listen */
    listen_close(&set);
    ck_assert_int_eq(listen_find_owner(port, name, sizeof(name)), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("listen");
    TCase *tc = tcase_create("listen");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_port_0_becomes_a_free_port_that_takes_connections);
    tcase_add_test(tc, test_all_addresses_share_one_port);
    tcase_add_test(tc, test_sockets_neither_block_nor_survive_exec);
    tcase_add_test(tc, test_a_port_can_be_opened_again_right_after_a_connection_was_closed_by_us);
    tcase_add_loop_test(tc, test_the_host_is_one_that_works_here_and_beyond_says_who_else_gets_in,
                        0, sizeof(hosts) / sizeof(hosts[0]));
    tcase_add_test(tc, test_ipv6_stands_beside_ipv4_on_the_same_port);
    tcase_add_test(tc, test_a_port_in_use_names_its_owner_and_a_port_that_is_free);
    tcase_add_test(tc, test_under_make_run_the_cure_is_a_make_line);
    tcase_add_test(tc, test_the_cure_for_https_is_a_port_of_its_own);
    tcase_add_test(tc,
                   test_an_address_that_this_machine_does_not_have_says_how_to_find_those_it_has);
    tcase_add_test(tc, test_addresses_that_overlap_are_an_error);
    tcase_add_loop_test(tc, test_every_wrong_address_is_named, 0,
                        sizeof(checks) / sizeof(checks[0]));
    tcase_add_test(tc, test_the_owner_of_a_port_where_nobody_listens_is_not_found);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
