/*
 * https over the real binary: what curl, openssl and a client of our own get, what is refused, and
 * what HUP does with certificates that are good, bad, and gone.
 */
#include "certificate.h"
#include "e2e.h"
#include "suite.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server *server;
static char folder[] = "/tmp/interleave-test-XXXXXX";
static char certificate_path[64], key_path[64], certificate_option[96], key_option[96];
static SSL_CTX *context;

/* A new certificate in both files; only one of them: they don't fit each other. */
static void
renew(enum certificate_kind kind, bool certificate, bool key)
{
    struct identity identity;

    certificate_make(&identity, kind, "", 30);
    if (certificate)
        certificate_write(&identity.certificate, certificate_path);
    if (key)
        certificate_write(&identity.key, key_path);
    certificate_free(&identity);
}

static void
start_with(enum certificate_kind kind)
{
    const char *const options[] = {"workers=2",        "tls_port=0", "head_timeout=2s",
                                   certificate_option, key_option,   NULL};

    renew(kind, true, true);
    server = server_start(options);
    ck_assert_int_gt(server->tls_port, 0);
}

static void
open_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(certificate_path, sizeof(certificate_path), "%s/certificate.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    snprintf(certificate_option, sizeof(certificate_option), "tls_certificate=%s",
             certificate_path);
    snprintf(key_option, sizeof(key_option), "tls_key=%s", key_path);
    context = SSL_CTX_new(TLS_client_method());
    signal(SIGPIPE, SIG_IGN);
}

static void
close_folder(void)
{
    SSL_CTX_free(context);
    unlink(certificate_path);
    unlink(key_path);
    rmdir(folder);
}

/* ---- other people's clients ---- */

/* Runs a command with the port in place of PORT and the certificate in that of CERT; its exit
 * status, and all that it printed. */
static int
run(const char *command, char *out, size_t size)
{
    char line[1024];
    size_t n = 0, len;
    FILE *f;

    while (*command != '\0' && n < sizeof(line) - 100) {
        if (strncmp(command, "PORT", 4) == 0) {
            n += (size_t)snprintf(line + n, sizeof(line) - n, "%d", server->tls_port);
            command += 4;
        } else if (strncmp(command, "CERT", 4) == 0) {
            n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", certificate_path);
            command += 4;
        } else {
            line[n++] = *command++;
        }
    }
    snprintf(line + n, sizeof(line) - n, " 2>&1");
    f = popen(line, "r");
    ck_assert_ptr_nonnull(f);
    len = fread(out, 1, size - 1, f);
    out[len] = '\0';
    return pclose(f);
}

static void
expect(const char *command, const char *part)
{
    char out[65536];

    (void)run(command, out, sizeof(out));
    ck_assert_msg(strstr(out, part) != NULL, "%s: %s", command, out);
}

/* ---- a client of our own ---- */

static SSL *
tls_connect(void)
{
    struct server at = {.port = server->tls_port};
    const struct timeval limit = {E2E_DEADLINE_MS / 1000, 0};
    SSL *ssl = SSL_new(context);
    int fd = client_connect(&at);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
    ck_assert_int_eq(SSL_connect(ssl), 1);
    return ssl;
}

static void
tls_disconnect(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static void
tls_ask(SSL *ssl, const char *target)
{
    char head[256];
    int len = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);

    ck_assert_int_eq(SSL_write(ssl, head, len), len);
}

/* Reads until this text has come. */
static void
tls_expect(SSL *ssl, const char *part)
{
    char text[8192];
    int len = 0, n;

    for (text[0] = '\0'; strstr(text, part) == NULL; len += n) {
        n = SSL_read(ssl, text + len, (int)sizeof(text) - 1 - len);
        ck_assert_msg(n > 0, "the answer ended: %s", text);
        text[len + n] = '\0';
    }
}

static bool
same_certificate(SSL *a, SSL *b)
{
    X509 *one = SSL_get1_peer_certificate(a), *two = SSL_get1_peer_certificate(b);
    bool same = X509_cmp(one, two) == 0;

    X509_free(one);
    X509_free(two);
    return same;
}

/* ---- tests ---- */

START_TEST(test_curl_trusts_the_certificate_and_gets_what_it_gets_without_tls)
{
    start_with(CERTIFICATE_EC);
    expect("curl -sS --cacert CERT https://127.0.0.1:PORT/plaintext", "Hello, World!");
    expect("curl -sS --cacert CERT https://localhost:PORT/json", "\"Hello, World!\"");
    expect("curl -sSi --cacert CERT https://localhost:PORT/plaintext https://localhost:PORT/db",
           "randomNumber");
    expect("curl -sS --cacert CERT --tls-max 1.2 https://localhost:PORT/plaintext", "Hello");
    expect("curl -sS https://127.0.0.1:PORT/plaintext", "self");
    ck_assert_uint_ge((unsigned)status_number(server, "tls.handshakes"), 4);
    server_stop(server);
}
END_TEST

START_TEST(test_large_bodies_pass_in_both_directions)
{
    start_with(CERTIFICATE_EC);
    expect("curl -sS --cacert CERT 'https://localhost:PORT/bytes?n=20000000' | wc -c",
           "20000000\n");
    expect("f=$(mktemp) && head -c 900000 /dev/urandom > $f && "
           "curl -sS --cacert CERT --data-binary @$f https://localhost:PORT/echo | cmp - $f "
           "&& echo same; rm $f",
           "same");
    server_stop(server);
}
END_TEST

/* Row: what openssl offers, and what the server says to that. An RSA certificate, which would allow
 * the exchange of keys without forward secrecy. */
static const struct {
    const char *arguments, *answer;
} offers[] = {
    {"-tls1_1 -cipher 'ALL:@SECLEVEL=0'", "alert protocol version"},
    {"-tls1 -cipher 'ALL:@SECLEVEL=0'", "alert protocol version"},
    {"-tls1_2 -cipher kRSA", "alert handshake failure"},
    {"-tls1_2 -cipher DHE", "alert handshake failure"},
    {"-tls1_2 -cipher 'ECDHE+SHA:@SECLEVEL=0'", "alert handshake failure"},
    {"-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", "Cipher is ECDHE-RSA-AES256-GCM-SHA384"},
    {"-tls1_2 -cipher 'kRSA:ECDHE-RSA-CHACHA20-POLY1305'", "Cipher is ECDHE-RSA-CHACHA20"},
    {"-tls1_3", "Cipher is TLS_AES_128_GCM_SHA256"},
    {"-alpn h2", "alert no application protocol"},
    {"-alpn h2,http/1.1", "ALPN protocol: http/1.1"},
    {"-tls1_2", "Compression: NONE"},
};

START_TEST(test_what_is_offered_by_openssl_is_taken_or_refused)
{
    char command[256];

    start_with(CERTIFICATE_RSA);
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        snprintf(command, sizeof(command),
                 "openssl s_client -connect 127.0.0.1:PORT %s < /dev/null", offers[i].arguments);
        expect(command, offers[i].answer);
    }
    server_stop(server);
}
END_TEST

START_TEST(test_plain_http_on_the_port_of_https_is_told_so)
{
    start_with(CERTIFICATE_EC);
    expect("curl -sSi http://127.0.0.1:PORT/plaintext", "HTTP/1.1 400 Bad Request");
    expect("curl -sSi http://127.0.0.1:PORT/plaintext", "ask with https://");
    server_stop(server);
}
END_TEST

START_TEST(test_a_ticket_makes_the_next_handshake_short)
{
    SSL_SESSION *session;
    SSL *ssl;

    start_with(CERTIFICATE_EC);
    ssl = tls_connect();
    tls_ask(ssl, "/plaintext");
    tls_expect(ssl, "Hello, World!");
    session = SSL_get1_session(ssl);
    tls_disconnect(ssl);
    ssl = SSL_new(context);
    SSL_set_session(ssl, session);
    ck_assert_int_eq(SSL_set_fd(ssl, client_connect(&(struct server){.port = server->tls_port})),
                     1);
    ck_assert_int_eq(SSL_connect(ssl), 1);
    ck_assert_int_eq(SSL_session_reused(ssl), 1);
    tls_ask(ssl, "/plaintext");
    tls_expect(ssl, "Hello, World!");
    ck_assert_int_eq((int)status_number(server, "tls.resumed"), 1);
    tls_disconnect(ssl);
    SSL_SESSION_free(session);
    server_stop(server);
}
END_TEST

START_TEST(test_hup_serves_a_new_certificate_while_old_connections_finish_with_theirs)
{
    SSL *old, *new;

    start_with(CERTIFICATE_EC);
    old = tls_connect();
    tls_ask(old, "/db/sleep?ms=500");
    status_wait(server, "requests.in_progress", 1, 1);
    renew(CERTIFICATE_EC, true, true);
    kill(server->pid, SIGHUP);
    status_wait(server, "server.generation", 2, 2);
    new = tls_connect();
    ck_assert(!same_certificate(old, new));
    tls_ask(new, "/plaintext");
    tls_expect(new, "Hello, World!");
    tls_expect(old, "HTTP/1.1 200 OK");
    tls_disconnect(old);
    tls_disconnect(new);
    server_stop(server);
}
END_TEST

static void
wait_for_log(const char *text)
{
    char *log = server_log(server);

    while (strstr(log, text) == NULL) { /* each round asks the server, so it takes its time */
        free(log);
        (void)status_number(server, "server.generation");
        log = server_log(server);
    }
    free(log);
}

START_TEST(test_hup_with_a_certificate_that_will_not_do_changes_nothing)
{
    SSL *before, *after;

    start_with(CERTIFICATE_EC);
    before = tls_connect();
    renew(CERTIFICATE_EC, true, false);
    kill(server->pid, SIGHUP);
    wait_for_log("key.pem is not the key of the certificate in ");
    wait_for_log("not reloaded: the new front end failed");
    unlink(key_path);
    kill(server->pid, SIGHUP);
    wait_for_log("tls_key: can't read ");
    tls_ask(before, "/plaintext");
    tls_expect(before, "Hello, World!");
    after = tls_connect();
    ck_assert(same_certificate(before, after));
    tls_disconnect(before);
    tls_disconnect(after);
    ck_assert_int_eq((int)status_number(server, "server.generation"), 1);
    /* the files are no longer those that were read: a front end that dies comes back with these */
    kill(server_front(server), SIGKILL);
    wait_for_log("generation 3: front end");
    status_wait(server, "server.generation", 3, 3);
    after = tls_connect();
    tls_ask(after, "/plaintext");
    tls_expect(after, "Hello, World!");
    tls_disconnect(after);
    server_stop(server);
}
END_TEST

START_TEST(test_half_handshakes_are_cut_and_others_served)
{
    enum { HALF = 200 };
    int fds[HALF];

    start_with(CERTIFICATE_EC);
    for (int i = 0; i < HALF; i++) {
        fds[i] = client_connect(&(struct server){.port = server->tls_port});
        client_send_octets(fds[i], "\x16\x03\x01\x02\x00\x01\x00\x01", (size_t)(i % 9));
    }
    expect("curl -sS --cacert CERT https://127.0.0.1:PORT/plaintext", "Hello, World!");
    for (int i = 0; i < HALF; i++) {
        ck_assert(client_is_closed(fds[i]));
        close(fds[i]);
    }
    ck_assert_int_ge((int)status_number(server, "connections.timeouts"), HALF);
    server_stop(server);
}
END_TEST

static void
expect_refused(const char *const *args, const char *part)
{
    char out[4096];

    ck_assert_int_eq(server_run(args, out, sizeof(out)), 78);
    ck_assert_msg(strstr(out, part) != NULL, "%s", out);
}

START_TEST(test_a_certificate_that_will_not_do_ends_the_start_with_78_and_its_name)
{
    const char *const start[] = {"-o", "port=0",   "-o", "tls_port=0", "-o", certificate_option,
                                 "-o", key_option, NULL};
    const char *const check[] = {"-t", "-o", certificate_option, "-o", key_option, NULL};

    renew(CERTIFICATE_EC, true, true);
    renew(CERTIFICATE_EC, false, true);
    expect_refused(start, "key.pem is not the key of the certificate in ");
    expect_refused(check, "key.pem is not the key of the certificate in ");
    truncate(certificate_path, 100);
    expect_refused(start, "certificate.pem: there is no certificate in it as PEM");
    expect_refused(check, "certificate.pem: there is no certificate in it as PEM");
    unlink(key_path);
    expect_refused(start, "tls_key: can't read ");
    expect_refused(check, "tls_key: can't read ");
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_curl_trusts_the_certificate_and_gets_what_it_gets_without_tls,
        test_large_bodies_pass_in_both_directions,
        test_what_is_offered_by_openssl_is_taken_or_refused,
        test_plain_http_on_the_port_of_https_is_told_so,
        test_a_ticket_makes_the_next_handshake_short,
        test_hup_serves_a_new_certificate_while_old_connections_finish_with_theirs,
        test_hup_with_a_certificate_that_will_not_do_changes_nothing,
        test_half_handshakes_are_cut_and_others_served,
        test_a_certificate_that_will_not_do_ends_the_start_with_78_and_its_name,
    };

    return suite_run_mode(
        suite_of("tls", open_folder, close_folder, tests, sizeof(tests) / sizeof(tests[0])),
        CK_NOFORK);
}
