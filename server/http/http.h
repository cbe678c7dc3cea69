/*
 * http: octets <-> requests. An own HTTP/1.1 layer (RFC 9112, 9110) on plain libevent events: one
 * struct event per connection, no epoll_ctl, timer or allocation per request. Knows nothing of
 * routes or endpoints: it calls up through struct http_hooks. Tour 5/9.
 *
 *   readable -> read into the shared room -> parse ALL heads that are there -> hooks->begin each
 *            -> answers gathered -> one write -> what the socket did not take: when it is writable
 *
 * A connection has one request in progress; what is pipelined behind waits in it, bounded.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "common/attr.h"
#include "common/conf.h"
#include "common/failure.h"
#include "http/head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct buf;
struct identity;
struct http_server;
struct http_conn;

struct http_hooks {
    /* A head is there. It, and all it points to, is valid until begin returns; http_head_keep()
     * copies it. The callee answers with http_reply*(), now or later. head->failure != FAIL_NONE:
     * it could not be read; answer with that failure (the connection then closes by itself).
     * Returns the callee's object for this request, passed to the hooks below; NULL when the
     * request was answered completely within begin. */
    void *(*begin)(void *arg, struct http_conn *, struct http_head *head);
    /* After http_body() said MORE: body octets are there, or its end, or its failure. */
    void (*body)(void *request);
    /* After http_reply_part() said false: output has fallen below the low-water mark. */
    void (*drained)(void *request);
    /* The client left, or stalled too long: cancel all work of it. The connection is gone; what is
     * still said to it is ignored. */
    void (*gone)(void *request, enum failure why);
};
/* The last three are called from loop callbacks only, never from within a function of this header;
 * none of them after the answer was completed. */

/* What an answer says about itself. Content-Length or chunks, Connection, Date and Server are added
 * by http; the body is left out by http when the method was HEAD. */
struct http_answer {
    int status;               /* a final one: 200 to 599 */
    const char *content_type; /* NULL: none */
    const char *fields;       /* further field lines, each with CRLF; or NULL */
    size_t fields_len;
    int64_t length; /* http_reply_begin() only: octets that follow, or -1: not known (chunked; until
                       close for HTTP/1.0) */
    bool close;     /* close the connection after it */
};

struct http_server *http_open(struct event_base *, const struct conf *, const struct http_hooks *,
                              void *arg);
/* Closes all connections at once; hooks are NOT called. */
void http_close(struct http_server *);

/* Accepts on this listening socket (non-blocking; stays the caller's). */
void http_listen(struct http_server *, int fd);
/* Likewise, with TLS; before the first one, whom it is to prove to be (common/identity.h; need not
 * live on). 0; -1: a sentence in `why` that names the file. The second only looks whether that
 * would do. */
void http_listen_tls(struct http_server *, int fd);
MUST_CHECK int http_use_identity(struct http_server *, const struct identity *, struct buf *why);
MUST_CHECK int http_check_identity(const struct identity *, struct buf *why);
/* Accept no more; answers from now on say Connection: close; idle connections are closed, but those
 * used a moment ago (250 ms) only after that, since their next request may be on its way. */
void http_drain(struct http_server *);
/* Takes over a connected socket, as if accepted: for loop tests over a socketpair. */
struct http_conn *http_adopt(struct http_server *, int fd);
struct http_conn *http_adopt_tls(struct http_server *, int fd);

/* Whole answer. The body is sent at once or copied: let large ones go in parts. */
void http_reply(struct http_conn *, const struct http_answer *, const void *body, size_t len);
/* An answer in parts: begin, part..., end. Parts are sent or copied; the return value is false when
 * this connection has had its share of the turn, or its output is above the high-water mark: stop
 * until hooks->drained. A part of length 0 only asks that. */
void http_reply_begin(struct http_conn *, const struct http_answer *);
bool http_reply_part(struct http_conn *, const void *data, size_t len);
void http_reply_end(struct http_conn *);
/* Something failed in the middle of an answer: close without a proper end, so that the client
 * knows. */
void http_reply_abort(struct http_conn *);

/* The body of the request in progress. HTTP_BODY_PIECE: *data, *len are further octets, valid until
 * http_body() is called again or control returns to the loop; MORE: wait for hooks->body; END: all
 * read; FAILED: see *why. The first call sends 100 Continue if that was asked for. limit: octets
 * allowed in all (FAIL_BODY_TOO_LARGE above; from Content-Length before anything is read, from a
 * chunk's size before its data). What is
 * not read when the request is answered is dropped, or the connection closes. */
enum http_body_state { HTTP_BODY_PIECE, HTTP_BODY_MORE, HTTP_BODY_END, HTTP_BODY_FAILED };
enum http_body_state http_body(struct http_conn *, uint64_t limit, const void **data, size_t *len,
                               enum failure *why);

/* Called at the end of each loop turn: sends what was gathered, frees what was closed. Calls no
 * hooks. */
void http_turn_end(struct http_server *);

/* Port of the listening socket it came in by; 0: none (a socketpair). */
unsigned http_conn_port(const struct http_conn *);
/* Peer as text, for logs. */
const char *http_conn_peer(const struct http_conn *, char *out, size_t size);

struct http_status {
    uint64_t accepted;                              /* connections taken, ever */
    uint64_t connections;                           /* open now */
    uint64_t requests;                              /* begun, refused ones too */
    uint64_t answers_2xx, answers_4xx, answers_5xx; /* by class; 3xx counts as 2xx */
    uint64_t bytes_in, bytes_out;
    uint64_t gone;                /* clients that left before their answer */
    uint64_t timeouts;            /* connections cut for being slow or silent, idle ones too */
    uint64_t malformed;           /* heads and bodies that were refused */
    uint64_t refused_connections; /* over max_connections, or out of descriptors */
    /* TLS: done; of these, by a ticket; not done: refused, broken off, too slow, plain http */
    uint64_t tls_handshakes, tls_resumed, tls_failures;
};
void http_status(const struct http_server *, struct http_status *);

#endif
