/*
 * TLS below a connection: the second table of operations (io.h). The connection code above reads
 * and writes octets as ever; in here they become records. Only these files see OpenSSL:
 *
 *   tls.c           the operations: handshake, read, write, close_notify
 *   tls_context.c   what all connections share: versions, suites, ALPN, certificate and key
 *   tls_ticket.c    the keys of session tickets
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "common/identity.h"
#include "http/conn.h"

#include <openssl/ssl.h>

struct buf;

enum { TLS_TICKET_NAME = 16, TLS_TICKET_KEY = 32 };

struct ticket_key {
    unsigned char name[TLS_TICKET_NAME]; /* stands in the ticket, in clear */
    unsigned char aes[TLS_TICKET_KEY], hmac[TLS_TICKET_KEY];
};

struct tickets {
    struct ticket_key now, before; /* `before` still opens tickets, makes none */
    uint64_t next_ns;              /* when `now` becomes `before` */
};

enum { TLS_RECORD_MAX = 16 * 1024 };

/* What the TLS connections of a server share. */
struct http_tls {
    SSL_CTX *context;
    BIO_METHOD *bio; /* a connection's socket, as OpenSSL sees it */
    struct tickets tickets;
    uint32_t turn_no; /* handshakes that went on in the turn of this number */
    unsigned turn_steps;
    char gather[TLS_RECORD_MAX]; /* small pieces of output become one record */
};

extern const struct http_io http_io_tls;

/* A connection that begins with a handshake; takes the descriptor. */
struct http_conn *tls_conn_open(struct http_server *, int fd, unsigned port);

/* NULL: a sentence in `why` that names the file. */
struct http_tls *tls_open(const struct identity *, struct buf *why);
void tls_close(struct http_tls *);

/* The method by which OpenSSL reaches a socket. (tls.c) */
BIO_METHOD *tls_bio_method(void);

/* Tickets of this context are made with and opened by these keys, which must live as long. */
void tickets_open(struct tickets *, SSL_CTX *);
void tickets_close(struct tickets *);

#endif
