/*
 * The head of an answer, written without printf.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "http/conn.h"

/* May an answer of this status, to the present request, have a body? */
bool answer_has_body(const struct http_conn *, int status);

/* Adds status line, Server, Date, Content-Type, Content-Length (conn->reply_left, if conn->reply
 * says so) or Transfer-Encoding, the answer's own fields, and Connection where it is needed. Counts
 * the answer. */
void answer_head(struct http_conn *, const struct http_answer *);

#endif
