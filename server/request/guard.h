/*
 * Who may ask: any web page can make a browser send requests to 127.0.0.1, and a name can be made
 * to resolve to it. So a Host that is not ours gets 421 (RFC 9110 15.5.20), and a request that
 * another site's page sent gets 403 (Fetch Metadata, Origin: RFC 6454 section 7). For request/.
 */
#ifndef REQUEST_GUARD_H
#define REQUEST_GUARD_H

#include "common/attr.h"

struct req;

/* 0, or -1 with r->failed and r->why. */
MUST_CHECK int guard_check(struct req *);

#endif
