/*
 * From octets to requests: reading, heads, pipelining.
 */
#ifndef HTTP_INPUT_H
#define HTTP_INPUT_H

#include "http/conn.h"

/* Would a read be of use now? */
bool input_wanted(const struct http_conn *);
/* Reads once, if that is of use, and does all that can be done with what is there. */
void input_run(struct http_conn *);
/* Keeps what was not used until the next turn. */
void input_keep(struct http_conn *);

/* Octets not yet used: of the running connection in the server's room, else its own. */
size_t input_there(const struct http_conn *, const char **p);
void input_use(struct http_conn *, size_t len);

/* Is there more of a head than the empty line that is forgiven? */
bool input_has_head(const struct http_conn *);
/* Begins a request with a head that could not be read. */
void input_fail(struct http_conn *, enum failure, const char *why);

#endif
