/*
 * tls_client: see tls_client.h. The SSL stands between two memory BIOs; what it wants to send goes
 * to the socket by hand, so that the test decides how it is cut.
 */
#include "tls_client.h"

#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUIET_TURNS = 4 };

static void
on_info(const SSL *ssl, int where, int value)
{
    struct tls_client *c = SSL_get_app_data(ssl);

    if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT)
        return;
    if (value >> 8 == SSL3_AL_FATAL)
        c->alert = value & 0xff;
    else
        c->warning = value & 0xff;
}

void
tls_client_open(struct tls_client *c, struct web *w, int fd)
{
    *c = (struct tls_client){.web = w, .fd = fd};
    c->context = SSL_CTX_new(TLS_client_method());
    ck_assert_ptr_nonnull(c->context);
    c->ssl = SSL_new(c->context);
    c->in = BIO_new(BIO_s_mem());
    c->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(c->in, -1);
    SSL_set_bio(c->ssl, c->in, c->out);
    SSL_set_connect_state(c->ssl);
    SSL_set_app_data(c->ssl, c);
    SSL_set_info_callback(c->ssl, on_info);
}

void
tls_client_close(struct tls_client *c)
{
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN); /* or its session would be a bad one */
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    buf_fini(&c->heard);
    if (c->fd >= 0)
        close(c->fd);
}

/* What stands in `out` goes to the server, as far as the socket takes it. */
static bool
send_out(struct tls_client *c)
{
    char *text;
    size_t len = (size_t)BIO_get_mem_data(c->out, &text);
    ssize_t n;

    if (len == 0 || c->closed)
        return false;
    if (c->piece != 0 && len > c->piece)
        len = c->piece;
    n = send(c->fd, text, len, MSG_NOSIGNAL);
    if (n <= 0)
        return false;
    for (char dropped[4096]; n > 0;) {
        int got = BIO_read(c->out, dropped, n < 4096 ? (int)n : 4096);

        ck_assert_int_gt(got, 0);
        n -= got;
    }
    return true;
}

static bool
take_in(struct tls_client *c)
{
    char octets[4096];
    ssize_t n = recv(c->fd, octets, sizeof(octets), 0);

    if (n > 0)
        ck_assert_int_eq(BIO_write(c->in, octets, (int)n), (int)n);
    else if (n == 0 || errno != EAGAIN)
        c->closed = true;
    return n > 0;
}

static void
read_clear(struct tls_client *c)
{
    char octets[4096];
    int n;

    ERR_clear_error();
    while ((n = SSL_read(c->ssl, octets, sizeof(octets))) > 0)
        buf_add(&c->heard, octets, (size_t)n);
    c->notified |= (SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    ERR_clear_error();
}

bool
tls_turn(struct tls_client *c)
{
    bool moved = send_out(c);

    web_turn(c->web);
    moved |= take_in(c);
    read_clear(c);
    return moved;
}

void
tls_turns(struct tls_client *c)
{
    int quiet = 0;

    while (quiet < QUIET_TURNS)
        quiet = tls_turn(c) ? 0 : quiet + 1;
}

bool
tls_shake(struct tls_client *c)
{
    (void)SSL_do_handshake(c->ssl);
    tls_turns(c);
    return SSL_is_init_finished(c->ssl) == 1 && c->alert == 0;
}

void
tls_send_octets(struct tls_client *c, const void *data, size_t len)
{
    ck_assert_int_eq(SSL_write(c->ssl, data, (int)len), (int)len);
    tls_turns(c);
}

void
tls_send(struct tls_client *c, const char *text)
{
    tls_send_octets(c, text, strlen(text));
}

const char *
tls_hear(struct tls_client *c)
{
    char *at;

    buf_add_char(&c->heard, '\0');
    at = c->heard.data;
    while ((at = strstr(at, "Server: interleave\r\n")) != NULL) {
        char *end = strstr(strstr(at, "Date: "), "\r\n") + 2;

        memmove(at, end, strlen(end) + 1);
    }
    c->heard.len = 0;
    return c->heard.data;
}
