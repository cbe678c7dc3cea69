/*
 * A route: one row says all about an endpoint: path, methods, parameters, first step, and the
 * sentence for people. /help, /openapi.json, 404's "did you mean" and the checks are made from
 * these rows. The table itself is endpoints/routes.c; request/ gets it from the front end and knows
 * no endpoint by name.
 */
#ifndef REQUEST_ROUTE_H
#define REQUEST_ROUTE_H

#include "common/histogram.h"
#include "common/param.h"
#include "http/head.h"
#include "kernels/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct req;
struct next;
typedef struct next req_step(struct req *);

enum {
    METHOD_GET = 1u << HTTP_GET | 1u << HTTP_HEAD,
    METHOD_POST = 1u << HTTP_POST,
};

enum route_flag {
    ROUTE_BARE = 1,       /* a TechEmpower route: no X-Request-Id, no Server-Timing */
    ROUTE_OPS = 2,        /* operations: passes max_in_progress, and isn't counted as a task */
    ROUTE_ADMIN = 4,      /* only on loopback, or with demo = yes */
    ROUTE_STREAM = 8,     /* answers in parts, or reads a body in pieces: not inside a burst */
    ROUTE_LENIENT = 16,   /* takes any query string; the endpoint looks for itself */
    ROUTE_PREFIX = 32,    /* path ends with '/': all below it too; r->rest is what follows */
    ROUTE_LINKABLE = 64,  /* harmless: another site's page may link to it */
    ROUTE_RUN = 128,      /* has the parameter run: the loop executors need loopback or demo */
    ROUTE_TAGGED = 256,   /* its answers have entity tags: it looks at conditions itself */
    ROUTE_UNLISTED = 512, /* a part of a page, not an address to try: not in /help */
    ROUTE_UNSEEN = 1024,  /* watches the others: neither its spans nor switches to it are recorded,
                             or it would show itself showing */
};

struct route {
    const char *path;
    const char *help;    /* one sentence */
    const char *example; /* query string for the curl line in /help; NULL: none */
    const char *body;    /* example body for POST in /help; NULL: none */
    req_step *first;
    void (*cleanup)(struct req *); /* gives back what is not in the arena; may be NULL */
    const struct param *params;    /* NULL: none */
    const struct kernel *kernel;   /* of the generic endpoint */
    int64_t body_limit;            /* octets of a body; 0: conf's max_body */
    unsigned methods;
    unsigned flags;
};

/* What is counted for each route: exact, never sampled. */
struct route_count {
    uint64_t answered[6];          /* by status class: [2] = 2xx ... */
    uint64_t gone;                 /* clients that left before the answer */
    struct histogram latency;      /* head read -> answer written, in ns */
    unsigned turn;                 /* answered in this loop turn, not yet in the histogram */
    struct route_count *turn_next; /* chain of those with such answers; see finish.c */
};

struct route_table {
    const struct route *rows;
    unsigned count;
    size_t *lengths;            /* of the paths */
    struct route_count *counts; /* one per row, and one more for what has no route */
};

/* The row for a path, or NULL. *rest: behind the prefix, else empty. */
const struct route *route_find(const struct route_table *, const char *path, size_t len,
                               struct slice_text *rest);
/* The path that resembles this one most, or NULL: for "did you mean". */
const char *route_like(const struct route_table *, const char *text, size_t len);
unsigned route_number(const struct route_table *, const struct route *);

#endif
