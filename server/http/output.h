/*
 * From answers to the socket: gathering, what is left over, and who gets how much of a turn.
 */
#ifndef HTTP_OUTPUT_H
#define HTTP_OUTPUT_H

#include "http/conn.h"

/* What follows the octets that were added to the server's `out`. */
struct output_more {
    const void *data; /* sent from where it is, or copied */
    size_t len;
    const char *tail;
    size_t tail_len;
};

/* Octets were added to the server's `out` from `base` on, and `more` follows them (or NULL): they
 * are this connection's output. Its own callback gathers them; else they are sent at once (`now`)
 * or at the end of the turn. */
void output_commit(struct http_conn *, size_t base, const struct output_more *more, bool now);

/* Tells a client that waits before its body: go on. */
void output_continue(struct http_conn *);

/* Sends what was gathered / what was left over earlier. */
void output_gathered(struct http_conn *);
void output_send(struct http_conn *);

/* From now on, and for good, the loop tells when there is room again. */
void output_watch_write(struct http_conn *);

/* May its producer write more in this turn? */
bool output_has_room(const struct http_conn *);

/* Forgets what was not sent. */
void output_drop(struct http_conn *);

struct http_server;
void output_free_blocks(struct http_server *);

#endif
