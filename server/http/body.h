/*
 * The body of the request in progress, between the connection and whoever answers.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/conn.h"

void body_open(struct http_conn *, const struct http_head *);

/* Are there octets, or an end, for a callee that waits for them? Then it waits no more. */
bool body_news(struct http_conn *);
/* It failed: the callee, who waits, is told. */
void body_fail(struct http_conn *, enum failure);

/* The answer is about to be completed: may the connection go on behind this body? */
bool body_can_skip(const struct http_conn *);
/* Is something of it unread? */
bool body_is_unread(const struct http_conn *);
/* The wait for octets that nobody wants begins. */
void body_skip_open(struct http_conn *);
/* Drops octets of it. False: more must come first. */
bool body_skip(struct http_conn *);

#endif
