/*
 * The fields that http itself must understand: where the message ends (Content-Length,
 * Transfer-Encoding), whether the connection goes on (Connection), who is asked (Host), and Expect.
 * They are where requests are smuggled, so whatever two readers could take differently is refused.
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include "http/head.h"

/* What these fields have said so far. */
struct framing {
    unsigned hosts;
    bool has_length;
    bool has_coding;   /* there was a Transfer-Encoding */
    bool coding_last;  /* chunked has been named, so nothing may follow it */
    bool coding_other; /* some other coding has been named */
    bool close;        /* Connection: close */
    bool keep_alive;   /* Connection: keep-alive */
    bool expect_other;
    bool absolute; /* the target has named the host already */
};

/* One more field. -1: refused. */
MUST_CHECK int framing_field(struct framing *, struct http_head *, const struct http_field *);

/* No more fields: do they agree? -1: refused. */
MUST_CHECK int framing_end(struct framing *, struct http_head *);

#endif
