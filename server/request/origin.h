/*
 * Where a request comes from and where its answer goes: a connection, or a burst. One table of
 * functions each; the runner knows no more about them.
 */
#ifndef REQUEST_ORIGIN_H
#define REQUEST_ORIGIN_H

#include "http/http.h"

struct req;

struct origin_ops {
    void (*reply)(struct req *, const struct http_answer *, const void *body, size_t len);
    void (*begin)(struct req *, const struct http_answer *);
    bool (*part)(struct req *, const void *data, size_t len);
    void (*end)(struct req *);
    void (*abort)(struct req *);
    enum http_body_state (*body)(struct req *, uint64_t limit, const void **data, size_t *len,
                                 enum failure *why);
    /* Tasks of this request begun (+) or ended (-). May be NULL. */
    void (*tally)(struct req *, int delta, uint64_t now);
    /* The request is over, its counts are final; called just before it is recycled. May be NULL. */
    void (*over)(struct req *);
};

struct origin {
    const struct origin_ops *ops;
    struct http_conn *conn; /* of a connection origin */
    void *arg;              /* of any other */
};

#endif
