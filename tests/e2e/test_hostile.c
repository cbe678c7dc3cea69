/*
 * A thousand bad clients of each kind at once: every good request beside them is answered, the
 * server cuts all of them when their time is over, and nothing of them is left.
 *
 * The times are a second here; what the server gives them by itself stands in its settings.
 */
#include "certificate.h"
#include "e2e.h"
#include "hostile.h"
#include "suite.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 1000, PATIENCE_S = 40 };

static struct server *server;
static char folder[] = "/tmp/interleave-test-XXXXXX";
static char certificate_path[64], key_path[64];

/* What a client of TLS says first (RFC 8446 4.1.2). */
static char hello[2048];
static size_t hello_len;

static void
say_hello(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    int n;

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    ck_assert_int_ne(SSL_connect(ssl), 1);
    n = BIO_read(out, hello, sizeof(hello));
    ck_assert_int_gt(n, 100);
    hello_len = (size_t)n;
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void
make_certificate(void)
{
    struct identity identity;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(certificate_path, sizeof(certificate_path), "%s/certificate.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    certificate_make(&identity, CERTIFICATE_EC, "", 30);
    certificate_write(&identity.certificate, certificate_path);
    certificate_write(&identity.key, key_path);
    certificate_free(&identity);
}

static void
start(void)
{
    char certificate[96], key[96];
    const char *const options[] = {
        "workers=1",
        "head_timeout=1s",
        "body_timeout=1s",
        "idle_timeout=1s",
        "write_timeout=1s",
        "tls_port=0",
        certificate,
        key,
        NULL,
    };

    say_hello();
    make_certificate();
    snprintf(certificate, sizeof(certificate), "tls_certificate=%s", certificate_path);
    snprintf(key, sizeof(key), "tls_key=%s", key_path);
    server = server_start(options);
    status_wait(server, "workers.alive", 1, 1);
}

static void
stop(void)
{
    server_stop(server);
    unlink(certificate_path);
    unlink(key_path);
    rmdir(folder);
}

static const struct hostile_kind kinds[] = {
    {.name = "silent"},
    {.name = "half a request", .begin = "GET /plaintext HTTP/1.1\r\nHost: loc"},
    {.name = "dripping head",
     .begin = "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n",
     .drip = "X-A: b\r\n"},
    {.name = "dripping body",
     .begin = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
     .drip = "x"},
    {.name = "dripping chunks",
     .begin = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
     .drip = "1\r\nx\r\n"},
    {.name = "zero window",
     .begin = "GET /bytes?n=4000000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
     .receive_buffer = 4096},
    {.name = "slow reader",
     .begin = "GET /bytes?n=4000000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
     .take = 1,
     .receive_buffer = 4096},
    {.name = "idle after a request",
     .begin = "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n",
     .take = 4096},
    {.name = "pipelines and reads nothing",
     .begin = "GET /bytes?n=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
              "GET /bytes?n=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
              "GET /bytes?n=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
     .receive_buffer = 4096},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void
ask_well(const char *beside)
{
    static const char *const targets[] = {"/plaintext", "/db"};

    for (unsigned i = 0; i < 2; i++) {
        struct reply r = http_get(server, targets[i]);

        ck_assert_msg(r.status == 200, "%s beside %s: status %d", targets[i], beside, r.status);
        reply_free(&r);
    }
}

static void
expect_nothing_left(void)
{
    status_wait(server, "connections.open", 0, 1); /* the one that asks */
    status_wait(server, "requests.in_progress", 0, 0);
    status_wait(server, "memory.in_flight", 0, 0);
}

static void
expect_cut(const struct hostile_kind *kind)
{
    const time_t end = time(NULL) + PATIENCE_S;
    struct hostile bad;

    hostile_open(&bad, server, kind, CLIENTS);
    while (bad.left > 0) {
        hostile_turn(&bad);
        ask_well(kind->name);
        ck_assert_msg(time(NULL) < end, "%s: %u of %u are still there", kind->name, bad.left,
                      bad.count);
    }
    hostile_close(&bad);
    expect_nothing_left();
}

START_TEST(test_a_thousand_bad_clients_are_cut_and_harm_nobody)
{
    expect_cut(&kinds[_i]);
}
END_TEST

START_TEST(test_a_thousand_broken_handshakes_are_cut_and_harm_nobody)
{
    const struct hostile_kind broken[] = {
        {.name = "silent, at the port of https", .tls = true},
        {.name = "half a ClientHello", .tls = true, .begin = hello, .begin_len = hello_len / 2},
        {.name = "dripping ClientHello", .tls = true, .drip = hello, .drip_len = hello_len},
        {.name = "half a handshake",
         .tls = true,
         .begin = hello,
         .begin_len = hello_len,
         .take = 4096},
    };

    for (unsigned i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const double before = status_number(server, "tls.failed");
        double failed;

        expect_cut(&broken[i]);
        failed = status_number(server, "tls.failed") - before;
        /* who never said a word has not begun; a slow machine cuts some before they are heard */
        ck_assert_msg(i == 0 ? failed == 0 : failed > 0 && failed <= CLIENTS,
                      "%s: %g handshakes failed", broken[i].name, failed);
    }
}
END_TEST

START_TEST(test_clients_that_come_and_go_leave_nothing)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        int fd = client_connect(server);

        if (i % 2 == 0)
            client_send_get(fd, "/bytes?n=100000");
        close(fd);
        if (i % 100 == 0)
            ask_well("churn");
    }
    expect_nothing_left();
}
END_TEST

START_TEST(test_clients_that_reset_leave_nothing)
{
    static const char *const targets[] = {"/plaintext", "/db", "/db/sleep?ms=5000",
                                          "/bytes?n=4000000", "/work?wait_ms=0&cpu_ms=5000"};
    const struct linger at_once = {.l_onoff = 1};

    for (unsigned i = 0; i < CLIENTS; i++) {
        int fd = client_connect(server);

        client_send_get(fd, targets[i % 5]);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fd);
        if (i % 100 == 0)
            ask_well("resets");
    }
    expect_nothing_left();
}
END_TEST

START_TEST(test_huge_heads_are_refused_and_cut)
{
    char field[1100];

    memset(field, 'a', sizeof(field));
    memcpy(field, "X-Long: ", 8);
    memcpy(field + sizeof(field) - 3, "\r\n", 3);
    for (unsigned i = 0; i < CLIENTS; i++) {
        int fd = client_connect(server);
        char status[16] = "";

        client_send(fd, "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n");
        for (unsigned n = 0; n < 40; n++)
            client_send(fd, field);
        client_read_octets(fd, status, 12);
        ck_assert_str_eq(status, "HTTP/1.1 431");
        close(fd);
        if (i % 100 == 0)
            ask_well("huge heads");
    }
    expect_nothing_left();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tc = tcase_create("hostile");

    tcase_add_unchecked_fixture(tc, start, stop);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_a_thousand_bad_clients_are_cut_and_harm_nobody, 0, KINDS);
    tcase_add_test(tc, test_a_thousand_broken_handshakes_are_cut_and_harm_nobody);
    tcase_add_test(tc, test_clients_that_come_and_go_leave_nothing);
    tcase_add_test(tc, test_clients_that_reset_leave_nothing);
    tcase_add_test(tc, test_huge_heads_are_refused_and_cut);
    suite_add_tcase(suite, tc);
    return suite_run_mode(suite, CK_NOFORK);
}
