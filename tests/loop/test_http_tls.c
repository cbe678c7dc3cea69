/* links: server/http/server.c server/http/accept.c server/http/conn.c server/http/input.c server/http/body.c server/http/output.c server/http/reply.c server/http/answer.c server/http/timer.c server/http/io.c server/http/tls.c server/http/tls_context.c server/http/tls_ticket.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/buf.c server/common/clock.c server/common/log.c server/common/arena.c tests/lib/web_world.c tests/lib/tls_client.c tests/lib/certificate.c */
/*
 * TLS below the connection code: handshakes whole and octet by octet, what is refused in them,
 * requests and answers of all sizes through small sockets, ends with and without a word, tickets.
 */
#include "certificate.h"
#include "http/server.h"
#include "suite.h"
#include "tls_client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

enum {
    WARNING_NO_RENEGOTIATION = 100,
    ALERT_HANDSHAKE_FAILURE = 40,
    ALERT_VERSION = 70,
    ALERT_NO_PROTOCOL = 120,
    BIG = 900000
};

static struct web w;
static struct identity identity;
static struct tls_client c;

static int
connect_with(int buffer)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    (void)http_adopt_tls(w.server, fds[0]);
    if (buffer > 0) {
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
        setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    }
    return fds[1];
}

static void
use_identity(void)
{
    struct buf why = {0};

    ck_assert_msg(http_use_identity(w.server, &identity, &why) == 0, "%.*s", (int)why.len,
                  why.data);
}

static void
open_world(void)
{
    web_open(&w);
    certificate_make(&identity, CERTIFICATE_EC, "own.pem", 30);
    use_identity();
    tls_client_open(&c, &w, connect_with(0));
}

static void
close_world(void)
{
    tls_client_close(&c);
    certificate_free(&identity);
    web_close(&w);
}

static struct http_status
status(void)
{
    struct http_status s;

    http_status(w.server, &s);
    return s;
}

/* ---- handshakes ---- */

static const struct {
    int version;
    size_t piece;
} cuts[] = {
    {TLS1_2_VERSION, 0},
    {TLS1_3_VERSION, 0},
    {TLS1_2_VERSION, 1},
    {TLS1_3_VERSION, 1},
};

START_TEST(test_a_request_is_answered_over_tls_however_its_octets_are_cut)
{
    SSL_set_max_proto_version(c.ssl, cuts[_i].version);
    c.piece = cuts[_i].piece;
    ck_assert(tls_shake(&c));
    ck_assert_int_eq(SSL_version(c.ssl), cuts[_i].version);
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    ck_assert(!c.closed);
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    ck_assert_uint_eq(status().tls_handshakes, 1);
    ck_assert_uint_eq(status().tls_failures, 0);
}
END_TEST

/* Under the library's own rules the client would not even offer them. */
START_TEST(test_tls_1_1_is_refused_with_the_alert_that_says_so)
{
    SSL_set_security_level(c.ssl, 0);
    SSL_set_min_proto_version(c.ssl, TLS1_1_VERSION);
    SSL_set_max_proto_version(c.ssl, TLS1_1_VERSION);
    ck_assert(!tls_shake(&c));
    ck_assert_int_eq(c.alert, ALERT_VERSION);
    ck_assert(c.closed);
    ck_assert_uint_eq(status().tls_failures, 1);
    ck_assert_uint_eq(status().connections, 0);
}
END_TEST

static const char *const weak_suites[] = {"AES128-GCM-SHA256", "AES256-SHA", "DHE-RSA-AES128-SHA",
                                          "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"};

START_TEST(test_suites_without_forward_secrecy_or_authenticated_encryption_are_refused)
{
    SSL_set_security_level(c.ssl, 0);
    SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
    ck_assert_int_eq(SSL_set_cipher_list(c.ssl, weak_suites[_i]), 1);
    ck_assert(!tls_shake(&c));
    ck_assert_int_eq(c.alert, ALERT_HANDSHAKE_FAILURE);
    ck_assert(c.closed);
}
END_TEST

/* The client hears nothing of it in one go, and has nothing more to say meanwhile. */
START_TEST(test_a_chain_that_is_longer_than_the_socket_goes_on_when_there_is_room)
{
    enum { COPIES = 40 };
    struct identity_part *part = &identity.certificate;
    char *chain = malloc(COPIES * part->len);

    for (size_t i = 0; i < COPIES; i++)
        memcpy(chain + i * part->len, part->pem, part->len);
    free(part->pem);
    part->pem = chain;
    part->len *= COPIES;
    web_reopen(&w);
    use_identity();
    close(c.fd);
    c.fd = connect_with(4096);
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
}
END_TEST

START_TEST(test_of_the_protocols_offered_http_1_1_is_chosen)
{
    const unsigned char *chosen;
    unsigned len;

    SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    ck_assert(tls_shake(&c));
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    ck_assert_uint_eq(len, 8);
    ck_assert_mem_eq(chosen, "http/1.1", 8);
}
END_TEST

START_TEST(test_a_client_that_speaks_other_protocols_only_is_told_so)
{
    SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x02h2\x08spdy/3.1", 12);
    ck_assert(!tls_shake(&c));
    ck_assert_int_eq(c.alert, ALERT_NO_PROTOCOL);
    ck_assert(c.closed);
}
END_TEST

START_TEST(test_half_a_handshake_is_cut_when_the_time_for_a_head_is_over)
{
    SSL_do_handshake(c.ssl);
    c.piece = 40; /* one piece of the hello, no more */
    c.closed = false;
    web_send_octets(c.fd, "\x16\x03\x01\x02", 4);
    web_pass(&w, 9900);
    ck_assert_uint_eq(status().connections, 1);
    web_pass(&w, 300);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert_uint_eq(status().tls_failures, 1);
    ck_assert_uint_eq(status().timeouts, 1);
}
END_TEST

START_TEST(test_a_silent_connection_is_cut_as_early_and_is_no_failure)
{
    web_pass(&w, 10200);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert_uint_eq(status().tls_failures, 0);
}
END_TEST

START_TEST(test_a_client_that_leaves_amid_the_handshake_is_closed_at_once)
{
    web_send_octets(c.fd, "\x16\x03\x01\x02\x00\x01", 6);
    close(c.fd);
    c.fd = -1;
    for (int i = 0; i < 4; i++)
        web_turn(&w);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert_uint_eq(status().tls_failures, 1);
}
END_TEST

START_TEST(test_plain_http_is_told_in_plain_text_that_this_port_speaks_tls)
{
    bool closed;
    const char *text;

    web_send(c.fd, GET("/plaintext"));
    text = web_hear(&w, c.fd, &closed);
    ck_assert_str_eq(text, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 7\r\nConnection: close\r\n\r\nrefused");
    ck_assert_uint_eq(status().tls_failures, 1);
    ck_assert_uint_eq(status().requests, 1);
    shutdown(c.fd, SHUT_WR);
    ck_assert(web_is_closed(&w, c.fd));
    ck_assert_uint_eq(status().connections, 0);
}
END_TEST

static const char *const garbage[] = {"\x16\x03\x01\x00\x05hello", "\x80\x2e\x01\x00\x02",
                                      "\x15\x03\x01\x00\x02\x02\x28", "hello"};

START_TEST(test_what_is_neither_tls_nor_http_is_closed)
{
    size_t len = _i == 0 ? 10 : _i == 1 ? 5 : _i == 2 ? 7 : 5;
    bool closed;

    web_send_octets(c.fd, garbage[_i], len);
    shutdown(c.fd, SHUT_WR);
    (void)web_hear(&w, c.fd, &closed);
    ck_assert(closed);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert_uint_eq(status().tls_failures, 1);
}
END_TEST

/* The first turn takes a few of them; a plain client in the same turn has its answer. */
START_TEST(test_a_crowd_of_handshakes_does_not_hold_up_the_others)
{
    struct tls_client crowd[12];
    const int plain = web_client(&w);
    unsigned begun = 0;

    for (unsigned i = 0; i < 12; i++) {
        char *text = NULL;
        size_t len;

        tls_client_open(&crowd[i], &w, connect_with(0));
        SSL_do_handshake(crowd[i].ssl);
        len = (size_t)BIO_get_mem_data(crowd[i].out, &text);
        web_send_octets(crowd[i].fd, text, len);
        (void)BIO_reset(crowd[i].out);
    }
    web_send(plain, GET("/plaintext"));
    web_turn(&w);
    for (unsigned i = 0; i < 12; i++) {
        char octet;

        begun += recv(crowd[i].fd, &octet, 1, MSG_PEEK) == 1;
    }
    ck_assert_uint_eq(begun, 2);
    ck_assert_ptr_nonnull(strstr(web_hear(&w, plain, NULL), "Hello"));
    for (unsigned i = 0; i < 12; i++) {
        ck_assert(tls_shake(&crowd[i]));
        tls_client_close(&crowd[i]);
    }
    close(plain);
}
END_TEST

/* What is said in plain text would be noise to it. */
START_TEST(test_over_max_connections_a_client_is_closed_without_a_word)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), fd;

    w.conf.max_connections = 1;
    web_reopen(&w);
    use_identity();
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(listening, 8), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    http_listen_tls(w.server, listening);
    close(c.fd);
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(c.fd, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert(tls_shake(&c));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert(web_is_closed(&w, fd));
    ck_assert_uint_eq(status().refused_connections, 1);
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    close(fd);
    close(listening);
}
END_TEST

/* ---- requests and answers ---- */

START_TEST(test_pipelined_requests_are_answered_in_order_in_one_write)
{
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/plaintext") GET("/empty") GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO "HTTP/1.1 204 No Content\r\n\r\n" HELLO);
    ck_assert_uint_eq(w.nasked, 3);
}
END_TEST

static const int buffers[] = {0, 4096, 65536};

/* More than sockets hold, in both directions: partial writes, refused ones, records in pieces. */
START_TEST(test_a_big_body_goes_up_and_comes_back_through_small_sockets)
{
    char *body = malloc(BIG);
    char head[128];

    for (size_t i = 0; i < BIG; i++)
        body[i] = (char)('a' + i % 23);
    close(c.fd);
    c.fd = connect_with(buffers[_i]);
    ck_assert(tls_shake(&c));
    snprintf(head, sizeof(head),
             "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", BIG);
    tls_send(&c, head);
    tls_send_octets(&c, body, BIG);
    ck_assert_uint_gt(c.heard.len, BIG);
    ck_assert_mem_eq(c.heard.data + c.heard.len - BIG, body, BIG);
    ck_assert_int_eq(memcmp(c.heard.data, "HTTP/1.1 200 OK\r\n", 17), 0);
    tls_hear(&c);
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    free(body);
}
END_TEST

/* Refused writes are offered again in other lengths: when there is room at last, the connection has
 * had most of its share already, as if in an earlier callback of the turn. */
START_TEST(test_a_share_of_a_turn_that_shrinks_cuts_no_record_in_two)
{
    char *body = malloc(BIG);
    struct http_conn *conn;

    memset(body, 'x', BIG);
    w.conf.max_bytes_per_turn = 5000;
    web_reopen(&w);
    use_identity();
    close(c.fd);
    c.fd = connect_with(4096);
    ck_assert(tls_shake(&c));
    tls_send(&c, "POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    conn = web_last(&w)->conn;
    body[BIG - 1] = '\0';
    web_answer(web_last(&w), body);
    for (int quiet = 0; quiet < 8;) {
        for (int i = 0; i < 3; i++) /* until a write is refused */
            web_turn(&w);
        for (int i = 0; i < 3; i++) {
            conn->turn_no = w.server->turn_no;
            conn->turn_bytes = 4900;
            quiet = tls_turn(&c) ? 0 : quiet + 1;
        }
    }
    ck_assert_uint_gt(c.heard.len, BIG - 1);
    ck_assert_mem_eq(c.heard.data + c.heard.len - (BIG - 1), body, BIG - 1);
    ck_assert(!c.closed);
    free(body);
}
END_TEST

START_TEST(test_an_absolute_target_must_be_https)
{
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("https://localhost/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    tls_send(&c, GET("HTTPS://localhost/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    tls_send(&c, GET("http://localhost/plaintext"));
    ck_assert_ptr_nonnull(strstr(tls_hear(&c), "HTTP/1.1 400 "));
}
END_TEST

START_TEST(test_a_client_may_change_its_keys_at_any_time)
{
    ck_assert(tls_shake(&c));
    ck_assert_int_eq(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
}
END_TEST

START_TEST(test_who_does_nothing_but_change_keys_is_cut)
{
    ck_assert(tls_shake(&c));
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(SSL_key_update(c.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        (void)SSL_do_handshake(c.ssl);
        if (i == 50) {
            tls_send(&c, GET("/plaintext"));
            ck_assert_str_eq(tls_hear(&c), HELLO);
        }
    }
    tls_turns(&c);
    tls_turns(&c);
    ck_assert_uint_eq(status().connections, 0);
}
END_TEST

START_TEST(test_renegotiation_is_declined)
{
    SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
    ck_assert(tls_shake(&c));
    ck_assert_int_eq(SSL_renegotiate(c.ssl), 1);
    (void)SSL_do_handshake(c.ssl);
    tls_turns(&c);
    ck_assert_uint_eq(status().tls_handshakes, 1);
    ck_assert_int_eq(c.warning, WARNING_NO_RENEGOTIATION);
}
END_TEST

/* ---- ends ---- */

START_TEST(test_the_last_answer_is_followed_by_close_notify_and_the_end)
{
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/close"));
    ck_assert_ptr_nonnull(strstr(tls_hear(&c), "Connection: close\r\n"));
    ck_assert(c.notified && c.closed);
    ck_assert_uint_eq(status().connections, 0);
}
END_TEST

START_TEST(test_an_idle_connection_is_closed_with_close_notify)
{
    ck_assert(tls_shake(&c));
    web_pass(&w, 60200);
    tls_turns(&c);
    ck_assert(c.notified && c.closed);
    ck_assert_uint_eq(status().tls_failures, 0);
}
END_TEST

START_TEST(test_when_the_server_drains_an_idle_connection_gets_close_notify)
{
    ck_assert(tls_shake(&c));
    http_drain(w.server);
    web_pass(&w, 400);
    tls_turns(&c);
    ck_assert(c.notified && c.closed);
}
END_TEST

START_TEST(test_close_notify_of_the_client_is_answered_and_ends_the_connection)
{
    ck_assert(tls_shake(&c));
    SSL_shutdown(c.ssl);
    tls_turns(&c);
    ck_assert(c.notified && c.closed);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert_uint_eq(status().gone, 0);
}
END_TEST

START_TEST(test_close_notify_behind_a_request_means_that_its_client_has_gone)
{
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/slow"));
    ck_assert(web_last(&w)->open);
    SSL_shutdown(c.ssl);
    tls_turns(&c);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
    ck_assert_uint_eq(status().gone, 1);
}
END_TEST

/* No event tells of what came together with the request. */
START_TEST(test_close_notify_in_the_same_packet_as_a_request_is_seen)
{
    const char *get = GET("/slow");

    ck_assert(tls_shake(&c));
    ck_assert_int_gt(SSL_write(c.ssl, get, (int)strlen(get)), 0);
    SSL_shutdown(c.ssl);
    tls_turns(&c);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
    ck_assert(c.notified && c.closed);
}
END_TEST

START_TEST(test_garbage_in_the_same_packet_as_a_request_ends_it)
{
    const char *get = GET("/slow"), noise[] = "this is no record at all, is it?";

    ck_assert(tls_shake(&c));
    ck_assert_int_gt(SSL_write(c.ssl, get, (int)strlen(get)), 0);
    ck_assert_int_gt(BIO_write(c.out, noise, sizeof(noise)), 0);
    tls_turns(&c);
    ck_assert_uint_eq(status().connections, 0);
    ck_assert(c.closed);
}
END_TEST

START_TEST(test_an_end_without_close_notify_amid_a_body_is_the_end_of_its_request)
{
    ck_assert(tls_shake(&c));
    tls_send(&c, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
    ck_assert(web_last(&w)->open);
    shutdown(c.fd, SHUT_WR);
    tls_turns(&c);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
    ck_assert_uint_eq(status().connections, 0);
}
END_TEST

START_TEST(test_octets_that_are_no_record_end_the_connection)
{
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/slow"));
    web_send(c.fd, "this is no record at all, is it?");
    tls_turns(&c);
    ck_assert(c.closed);
    ck_assert_uint_eq(web_last(&w)->gone, 1);
    ck_assert_uint_eq(status().tls_failures, 0); /* its handshake was good */
}
END_TEST

/* ---- tickets ---- */

/* Once more, with the ticket of the last time. */
static bool
resumes(SSL_SESSION *session)
{
    bool reused;

    tls_client_close(&c);
    tls_client_open(&c, &w, connect_with(0));
    SSL_set_max_proto_version(c.ssl, SSL_SESSION_get_protocol_version(session));
    SSL_set_session(c.ssl, session);
    ck_assert(tls_shake(&c));
    reused = SSL_session_reused(c.ssl) == 1;
    tls_send(&c, GET("/plaintext"));
    ck_assert_str_eq(tls_hear(&c), HELLO);
    return reused;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(test_a_ticket_resumes_for_an_hour_and_the_key_before_for_another_one)
{
    SSL_SESSION *session;

    SSL_set_max_proto_version(c.ssl, versions[_i]);
    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/plaintext"));
    session = SSL_get1_session(c.ssl);
    ck_assert(resumes(session));
    web_pass(&w, 61 * 60 * 1000);
    ck_assert(resumes(session));
    web_pass(&w, 61 * 60 * 1000);
    ck_assert(!resumes(session));
    ck_assert_uint_eq(status().tls_resumed, 2);
    ck_assert_uint_eq(status().tls_handshakes, 4);
    SSL_SESSION_free(session);
}
END_TEST

START_TEST(test_a_ticket_of_another_generation_costs_a_full_handshake)
{
    SSL_SESSION *session;

    ck_assert(tls_shake(&c));
    tls_send(&c, GET("/plaintext"));
    session = SSL_get1_session(c.ssl);
    web_reopen(&w);
    use_identity();
    ck_assert(!resumes(session));
    SSL_SESSION_free(session);
}
END_TEST

/* ---- identities that won't do ---- */

static void
expect_refused(const struct identity *bad, const char *sentence)
{
    struct buf why = {0};

    ck_assert_int_eq(http_check_identity(bad, &why), -1);
    buf_add_char(&why, '\0');
    ck_assert_msg(strncmp(why.data, sentence, strlen(sentence)) == 0, "%s", why.data);
    buf_fini(&why);
}

START_TEST(test_an_identity_that_will_not_do_is_refused_by_a_sentence_with_its_file)
{
    static char nonsense[] = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
    struct identity other, mixed;
    char *twice = malloc(2 * identity.certificate.len);

    certificate_make(&other, CERTIFICATE_EC, "other.pem", 30);
    mixed = (struct identity){identity.certificate, other.key};
    expect_refused(&mixed, "tls_key: other.pem is not the key of the certificate in own.pem");
    mixed = (struct identity){identity.key, identity.key};
    mixed.certificate.path = "chain.pem";
    expect_refused(&mixed, "tls_certificate: chain.pem: there is no certificate in it as PEM");
    mixed = (struct identity){identity.certificate, other.certificate};
    expect_refused(&mixed, "tls_key: other.pem: there is no private key in it as PEM");
    mixed = identity;
    mixed.certificate.pem = nonsense;
    mixed.certificate.len = sizeof(nonsense) - 1;
    expect_refused(&mixed, "tls_certificate: own.pem: there is no certificate in it as PEM");
    /* the second one of the chain is cut off */
    memcpy(twice, identity.certificate.pem, identity.certificate.len);
    memcpy(twice + identity.certificate.len, identity.certificate.pem, identity.certificate.len);
    mixed = identity;
    mixed.certificate.pem = twice;
    mixed.certificate.len = 2 * identity.certificate.len - 40;
    expect_refused(&mixed, "tls_certificate: own.pem: a certificate of the chain can't be read");
    mixed.certificate.len = 2 * identity.certificate.len;
    ck_assert_int_eq(http_check_identity(&mixed, &(struct buf){0}), 0);
    certificate_free(&other);
    free(twice);
}
END_TEST

START_TEST(test_an_expired_certificate_is_served_all_the_same)
{
    struct identity old;

    certificate_make(&old, CERTIFICATE_EC, "old.pem", 0);
    ck_assert_int_eq(http_check_identity(&old, &(struct buf){0}), 0);
    certificate_free(&old);
}
END_TEST

#define LOOP(test, rows) tcase_add_loop_test(tc, test, 0, (int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tc = tcase_create("tls");

    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_set_timeout(tc, 60);
    LOOP(test_a_request_is_answered_over_tls_however_its_octets_are_cut, cuts);
    tcase_add_test(tc, test_tls_1_1_is_refused_with_the_alert_that_says_so);
    LOOP(test_suites_without_forward_secrecy_or_authenticated_encryption_are_refused, weak_suites);
    tcase_add_test(tc, test_a_chain_that_is_longer_than_the_socket_goes_on_when_there_is_room);
    tcase_add_test(tc, test_of_the_protocols_offered_http_1_1_is_chosen);
    tcase_add_test(tc, test_a_client_that_speaks_other_protocols_only_is_told_so);
    tcase_add_test(tc, test_half_a_handshake_is_cut_when_the_time_for_a_head_is_over);
    tcase_add_test(tc, test_a_silent_connection_is_cut_as_early_and_is_no_failure);
    tcase_add_test(tc, test_a_client_that_leaves_amid_the_handshake_is_closed_at_once);
    tcase_add_test(tc, test_plain_http_is_told_in_plain_text_that_this_port_speaks_tls);
    LOOP(test_what_is_neither_tls_nor_http_is_closed, garbage);
    tcase_add_test(tc, test_a_crowd_of_handshakes_does_not_hold_up_the_others);
    tcase_add_test(tc, test_over_max_connections_a_client_is_closed_without_a_word);
    tcase_add_test(tc, test_pipelined_requests_are_answered_in_order_in_one_write);
    LOOP(test_a_big_body_goes_up_and_comes_back_through_small_sockets, buffers);
    tcase_add_test(tc, test_a_share_of_a_turn_that_shrinks_cuts_no_record_in_two);
    tcase_add_test(tc, test_an_absolute_target_must_be_https);
    tcase_add_test(tc, test_a_client_may_change_its_keys_at_any_time);
    tcase_add_test(tc, test_who_does_nothing_but_change_keys_is_cut);
    tcase_add_test(tc, test_renegotiation_is_declined);
    tcase_add_test(tc, test_the_last_answer_is_followed_by_close_notify_and_the_end);
    tcase_add_test(tc, test_an_idle_connection_is_closed_with_close_notify);
    tcase_add_test(tc, test_when_the_server_drains_an_idle_connection_gets_close_notify);
    tcase_add_test(tc, test_close_notify_of_the_client_is_answered_and_ends_the_connection);
    tcase_add_test(tc, test_close_notify_behind_a_request_means_that_its_client_has_gone);
    tcase_add_test(tc, test_close_notify_in_the_same_packet_as_a_request_is_seen);
    tcase_add_test(tc, test_garbage_in_the_same_packet_as_a_request_ends_it);
    tcase_add_test(tc, test_an_end_without_close_notify_amid_a_body_is_the_end_of_its_request);
    tcase_add_test(tc, test_octets_that_are_no_record_end_the_connection);
    LOOP(test_a_ticket_resumes_for_an_hour_and_the_key_before_for_another_one, versions);
    tcase_add_test(tc, test_a_ticket_of_another_generation_costs_a_full_handshake);
    tcase_add_test(tc, test_an_identity_that_will_not_do_is_refused_by_a_sentence_with_its_file);
    tcase_add_test(tc, test_an_expired_certificate_is_served_all_the_same);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
