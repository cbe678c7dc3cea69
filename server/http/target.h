/*
 * The request target (RFC 9112 section 3.2) and the host it names (RFC 9110 section 7.2).
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http/head.h"

/* Reads the target, of which head->target holds the octets as sent: sets target, path, query and,
 * of the absolute form, host. -1: refused. */
MUST_CHECK int target_read(struct http_head *head);

/* Is this "host" or "host:port" as a Host field may have it, with a host that is not empty? */
bool target_is_host(const char *p, size_t len);

#endif
