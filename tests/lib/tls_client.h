/*
 * A TLS client of its own for loop tests, over the other end of a socketpair, that can send its
 * records octet by octet, leave without a word, and offer what nobody should take.
 */
#ifndef TESTS_TLS_CLIENT_H
#define TESTS_TLS_CLIENT_H

#include "common/buf.h"
#include "web_world.h"

#include <openssl/ssl.h>

struct tls_client {
    struct web *web;
    int fd;
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;    /* octets from and for the socket */
    size_t piece;     /* octets sent in one turn; 0: all */
    struct buf heard; /* what the server said, in clear; NUL behind it */
    bool closed;      /* the server has closed the connection */
    bool notified;    /* its close_notify came */
    int alert;        /* the fatal alert that came; 0: none */
    int warning;      /* likewise, the last that is not fatal */
};

/* Connects; nothing is sent yet, so context and ssl may still be changed. */
void tls_client_open(struct tls_client *, struct web *, int fd);
void tls_client_close(struct tls_client *);

/* One turn; true: octets passed. */
bool tls_turn(struct tls_client *);
/* Turns until neither side has more to say. tls_send() does it, too. */
void tls_turns(struct tls_client *);
/* The handshake; true: it was done. */
bool tls_shake(struct tls_client *);
void tls_send(struct tls_client *, const char *text);
void tls_send_octets(struct tls_client *, const void *data, size_t len);
/* What the server said until now, without its fields Server and Date. */
const char *tls_hear(struct tls_client *);

#endif
