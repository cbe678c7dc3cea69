/*
 * The answer on its way out: field lines that every answer carries, and the one place that calls
 * the origin. For request/ itself; endpoints use the reply_ functions of req.h.
 */
#ifndef REQUEST_REPLY_H
#define REQUEST_REPLY_H

#include "http/http.h"

#include <stddef.h>

struct req;

/* Sends a whole answer; retry_after in seconds, 0: none. */
void reply_send(struct req *, struct http_answer *, int retry_after, const void *body, size_t len);

#endif
