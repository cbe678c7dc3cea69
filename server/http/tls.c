/*
 * tls: see tls.h. One TLS connection: a struct http_conn with what OpenSSL needs behind it, so that
 * a plain connection has not an octet of it.
 *
 *   conn   --read, write-->  SSL  --records-->  bio (below)  --recv, send-->  socket
 *
 *   FIRST --octets--> HANDSHAKE --agreed--> OPEN --close_notify sent--> SHUT
 *     |                   |                   |                           |
 *     | letters           '-------------------+--> FAILED <---------------'
 *     '--> PLAIN: it is http; answered 400 in plain text by the same connection code
 *
 * The handshake goes on inside of reads: the connection above is in CONN_HANDSHAKE until it is
 * done. A signature takes a tenth of a millisecond, so a few handshakes go on in one turn and the
 * others in the next: who has his connection already does not wait for a crowd that comes.
 *
 * What costs days otherwise: a read goes on until the socket AND OpenSSL have nothing more, since
 * no event would tell of octets that OpenSSL keeps. A write that was refused has been encrypted
 * already: it must be offered again with at least the same octets (`retry`). The error queue is
 * cleared before each call, or the next connection would read our errors.
 *
 * An end without close_notify is an end: a body that was not whole then has failed anyway.
 */
#include "http/tls.h"

#include "common/log.h"
#include "common/states.h"
#include "http/http.h"
#include "http/output.h"
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDSHAKES_TURN = 2 }; /* steps of handshakes in one turn */

enum tls_state {
    TLS_FIRST,     /* nothing has come yet */
    TLS_HANDSHAKE, /* a part of the handshake is done */
    TLS_OPEN,      /* octets pass */
    TLS_SHUT,      /* our close_notify is sent; what comes in can still be read */
    TLS_FAILED,    /* OpenSSL wants to hear no more of it */
    TLS_PLAIN,     /* there is no TLS on it, and no SSL any more */
};

static const struct state_row states[] = {
    [TLS_FIRST] = {"first",
                   STATE_BIT(TLS_HANDSHAKE) | STATE_BIT(TLS_PLAIN) | STATE_BIT(TLS_FAILED)},
    [TLS_HANDSHAKE] = {"handshake", STATE_BIT(TLS_OPEN) | STATE_BIT(TLS_FAILED)},
    [TLS_OPEN] = {"open", STATE_BIT(TLS_SHUT) | STATE_BIT(TLS_FAILED)},
    [TLS_SHUT] = {"shut", STATE_BIT(TLS_FAILED)},
    [TLS_FAILED] = {"failed", 0},
    [TLS_PLAIN] = {"plain", 0},
};

struct tls_conn {
    struct http_conn conn; /* the first member */
    SSL *ssl;
    uint32_t retry;      /* octets of a refused write; 0: none */
    uint8_t state;       /* enum tls_state */
    bool drained;        /* the socket has been read empty by this read */
    bool ended;          /* the client's end has been read */
    uint8_t key_updates; /* that the client has sent */
};

/* OpenSSL takes them one after the other without giving way, some 7 us each. Nobody needs more: a
 * key is good for 2^24 records (RFC 8446 section 5.5). */
enum { KEY_UPDATES_MAX = 64 };

static struct tls_conn *
tls_of(struct http_conn *conn)
{
    return (struct tls_conn *)conn;
}

static void
tls_move(struct tls_conn *t, enum tls_state to)
{
    states_check("TLS", states, t->state, to);
    t->state = (uint8_t)to;
}

/* ---- the socket, as OpenSSL sees it ---- */

static int
bio_read(BIO *bio, char *to, int size)
{
    struct tls_conn *t = BIO_get_data(bio);
    ssize_t n;

    BIO_clear_retry_flags(bio);
    if (t->key_updates > KEY_UPDATES_MAX) {
        errno = EPROTO;
        return -1;
    }
    if (t->drained) {
        BIO_set_retry_read(bio);
        return -1;
    }
    n = recv(conn_fd(&t->conn), to, (size_t)size, 0);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    t->ended |= n == 0;
    t->drained = n < size && !t->conn.fin; /* behind its last octets stands its end */
    return (int)n;
}

static int
bio_write(BIO *bio, const char *data, int size)
{
    struct tls_conn *t = BIO_get_data(bio);
    ssize_t n = send(conn_fd(&t->conn), data, (size_t)size, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (n < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)n;
}

static long
bio_control(BIO *bio, int command, long number, void *arg)
{
    const struct tls_conn *t = BIO_get_data(bio);

    (void)number;
    (void)arg;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return t->ended;
    default: /* of OpenSSL's many commands a socket needs no other */
        return 0;
    }
}

BIO_METHOD *
tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");

    if (method == NULL || BIO_meth_set_read(method, bio_read) != 1 ||
        BIO_meth_set_write(method, bio_write) != 1 || BIO_meth_set_ctrl(method, bio_control) != 1)
        fatalx("no memory for TLS");
    return method;
}

static void
on_message(int sent, int version, int type, const void *octets, size_t len, SSL *ssl, void *arg)
{
    struct tls_conn *t = arg;

    (void)version;
    (void)ssl;
    if (!sent && type == SSL3_RT_HANDSHAKE && len > 0 &&
        *(const unsigned char *)octets == SSL3_MT_KEY_UPDATE && t->key_updates <= KEY_UPDATES_MAX)
        t->key_updates++;
}

struct http_conn *
tls_conn_open(struct http_server *s, int fd, unsigned port)
{
    struct tls_conn *t = tls_of(http_conn_open(s, fd, port, &http_io_tls));
    BIO *bio = BIO_new(s->tls->bio);

    t->ssl = SSL_new(s->tls->context);
    if (t->ssl == NULL || bio == NULL)
        fatalx("no memory for a TLS connection");
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_msg_callback(t->ssl, on_message);
    SSL_set_msg_callback_arg(t->ssl, t);
    SSL_set_accept_state(t->ssl);
    return &t->conn;
}

/* ---- what OpenSSL says ---- */

/* It did not do what it was asked to. 0: the client has ended; else -1 with errno as io.h has it.
 */
static int
refused(struct tls_conn *t, int result)
{
    char text[160] = "the connection broke";
    unsigned long code;

    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_WRITE:
        output_watch_write(&t->conn);
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_READ:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default: /* all others mean that nothing can be done with it any more */
        break;
    }
    code = ERR_peek_error();
    if (code != 0)
        ERR_error_string_n(code, text, sizeof(text));
    log_debug("TLS, %s: %s", states[t->state].name, text);
    if (t->state < TLS_OPEN)
        t->conn.server->status.tls_failures++;
    tls_move(t, TLS_FAILED);
    errno = ECONNABORTED;
    return -1;
}

/* ---- handshake ---- */

/* A request in plain text begins with its method. */
static bool
speaks_http(const struct tls_conn *t)
{
    char first;

    return recv(conn_fd(&t->conn), &first, 1, MSG_PEEK) == 1 && first >= 'A' && first <= 'Z';
}

static void
become_plain(struct tls_conn *t)
{
    t->conn.server->status.tls_failures++;
    tls_move(t, TLS_PLAIN);
    SSL_free(t->ssl);
    t->ssl = NULL;
    t->conn.io = &http_io_plain;
}

/* Has this turn time for a step of a handshake? */
static bool
has_turn(const struct http_server *s)
{
    struct http_tls *tls = s->tls;

    if (tls->turn_no != s->turn_no) {
        tls->turn_no = s->turn_no;
        tls->turn_steps = 0;
    }
    return tls->turn_steps++ < HANDSHAKES_TURN;
}

/* 1: done; else as refused(). */
static int
shake_hands(struct tls_conn *t)
{
    struct http_status *status = &t->conn.server->status;
    int done;

    if (!has_turn(t->conn.server)) {
        errno = EINTR;
        return -1;
    }
    if (t->state == TLS_FIRST) {
        if (speaks_http(t)) {
            become_plain(t);
            errno = EINTR;
            return -1;
        }
        tls_move(t, TLS_HANDSHAKE);
    }
    ERR_clear_error();
    done = SSL_do_handshake(t->ssl);
    if (done != 1) {
        t->conn.read_writes = SSL_want_write(t->ssl);
        return refused(t, done);
    }
    tls_move(t, TLS_OPEN);
    status->tls_handshakes++;
    if (SSL_session_reused(t->ssl))
        status->tls_resumed++;
    http_conn_move(&t->conn, CONN_IDLE);
    return 1;
}

/* ---- the operations ---- */

static ssize_t
tls_read(struct http_conn *conn, void *to, size_t size)
{
    struct tls_conn *t = tls_of(conn);
    size_t got = 0, n;
    int result = 1;

    t->drained = false;
    conn->read_writes = false;
    if (t->state == TLS_FAILED) {
        errno = ECONNABORTED;
        return -1;
    }
    if (t->state < TLS_OPEN && (result = shake_hands(t)) != 1)
        return result;
    while (got < size) {
        ERR_clear_error();
        result = SSL_read_ex(t->ssl, (char *)to + got, size - got, &n);
        if (result != 1)
            break;
        got += n;
    }
    if (result == 1)
        return (ssize_t)got;
    conn->read_writes = SSL_want_write(t->ssl);
    result = refused(t, result);
    if (got == 0)
        return result;
    /* No event will tell of these once more: what has come is used first. */
    conn->fin |= result == 0;
    conn->broken |= t->state == TLS_FAILED;
    return (ssize_t)got;
}

/* `len` octets, `from` octets after the first: where they are, or put together. */
static const char *
gather(struct http_tls *tls, const struct iovec *iov, size_t from, size_t len)
{
    size_t done = 0;

    for (; from >= iov->iov_len; iov++)
        from -= iov->iov_len;
    if (iov->iov_len - from >= len)
        return (const char *)iov->iov_base + from;
    for (; done < len; iov++, from = 0) {
        size_t n = iov->iov_len - from;

        if (n > len - done)
            n = len - done;
        memcpy(tls->gather + done, (const char *)iov->iov_base + from, n);
        done += n;
    }
    return tls->gather;
}

static size_t
record_size(size_t left)
{
    return left < TLS_RECORD_MAX ? left : TLS_RECORD_MAX;
}

static ssize_t
tls_write(struct http_conn *conn, const struct iovec *iov, int count)
{
    struct tls_conn *t = tls_of(conn);
    size_t total = 0, done = 0, n;

    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    if (total < t->retry) { /* this turn allows less than what was refused: a later one will not */
        errno = EINTR;
        return -1;
    }
    if (t->state != TLS_OPEN) {
        errno = ECONNABORTED;
        return -1;
    }
    while (done < total) {
        size_t len = t->retry != 0 ? t->retry : record_size(total - done);
        int result;

        ERR_clear_error();
        result = SSL_write_ex(t->ssl, gather(conn->server->tls, iov, done, len), len, &n);
        if (result != 1) {
            if (refused(t, result) == 0)
                errno = ECONNABORTED;
            t->retry = (uint32_t)len;
            break;
        }
        t->retry = 0;
        done += n;
    }
    return done > 0 || total == 0 ? (ssize_t)done : -1;
}

/* Behind half a record nothing can be said. */
static void
say_end(struct tls_conn *t)
{
    if (t->state != TLS_OPEN || t->retry != 0 || t->conn.broken)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl);
    tls_move(t, TLS_SHUT);
}

static void
tls_shut(struct http_conn *conn)
{
    say_end(tls_of(conn));
    shutdown(conn_fd(conn), SHUT_WR);
}

static void
tls_end(struct http_conn *conn)
{
    struct tls_conn *t = tls_of(conn);

    if (t->state == TLS_HANDSHAKE) /* cut amid it */
        conn->server->status.tls_failures++;
    say_end(t);
    SSL_free(t->ssl);
    t->ssl = NULL;
    close(conn_fd(conn));
}

const struct http_io http_io_tls = {
    .size = sizeof(struct tls_conn),
    .first_state = CONN_HANDSHAKE,
    .read = tls_read,
    .write = tls_write,
    .shut = tls_shut,
    .close = tls_end,
    .short_read_is_all = true,
};
