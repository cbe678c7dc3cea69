/*
 * A request, as endpoints see it. Tour 3/9.
 *
 * An endpoint is a list of steps in one file, in order of life. Each step starts work and RETURNS
 * what happens next, so that no path can forget to answer:
 *
 *     static struct next
 *     sleep_ask(struct req *r)
 *     {
 *         struct sleep *s = r->state;
 *         req_query_int(r, &s->query, SQL_SLEEP, r->params[SLEEP_MS]);
 *         return wait_all(r, sleep_answer);
 *     }
 *
 * A starter never calls back before it returns; one driver (runner.c) loops. Steps see success
 * only: a failed query, a dead worker, a deadline, a client who left: the runner cancels what else
 * the request has started and answers through the fail table (fail.c).
 *
 *   origin (a connection, or a burst) -> [gate] -> step -> wait -> step -> ... -> reply
 *
 * A request owns its memory (one arena), its state and its works; all of it ends with it.
 */
#ifndef REQUEST_REQ_H
#define REQUEST_REQ_H

#include "common/arena.h"
#include "common/buf.h"
#include "db/db.h"
#include "http/http.h"
#include "jobs/jobs.h"
#include "request/origin.h"
#include "request/route.h"
#include "statements.h"

#include <sys/queue.h>

struct runner;

enum next_kind { NEXT_STEP, NEXT_WAIT, NEXT_BODY, NEXT_DRAINED, NEXT_WAKE, NEXT_DONE, NEXT_FAIL };

/* What happens next: built only by the functions below. */
struct next {
    enum next_kind kind;
    req_step *step;
};

/* Something started, waited for: the part that queries, jobs and delays have in common. */
enum work_kind { WORK_QUERY, WORK_COMPUTE, WORK_DELAY };
struct work {
    struct req *req;
    struct work *older; /* list of the request's works */
    enum work_kind kind;
    bool soft; /* the step wants to survive its failure */
    bool done;
    enum failure failure; /* of a soft one */
};

struct query {
    struct work work;
    struct db_query q;
};

struct compute {
    struct work work;
    enum executor executor;
    struct job job;
};

struct delay; /* allocated by req_delay() */

struct req {
    uint64_t id; /* counted from 1; with the start time it is the X-Request-Id */
    struct runner *runner;
    const struct route *route;
    const struct http_head *head; /* valid for as long as the request */
    struct slice_text rest;       /* of a ROUTE_PREFIX route */
    int64_t params[PARAM_MAX];    /* values in the order of route->params */
    const char *texts[PARAM_MAX]; /* of PARAM_TEXT ones; NULL when absent */
    void *state;                  /* the endpoint's own; see req_state_new() */
    const char *body;             /* after wait_body(): the next piece; after wait_whole_body():
                                     all of it, NUL behind it */
    size_t body_len;
    bool body_end; /* after wait_body(): that was all (body_len is 0) */

    /* ---- the runner's own ---- */
    struct origin *origin;
    struct origin own_origin; /* of a request that came over a connection */
    TAILQ_ENTRY(req) all;     /* list of all requests, or of free ones */
    TAILQ_ENTRY(req) queue;   /* of those to be resumed, or of those at the gate */
    req_step *step;
    struct work *works;
    unsigned waiting;         /* works not done */
    unsigned open_tasks;      /* works begun and not ended */
    struct buf whole;         /* wait_whole_body() gathers here */
    size_t memory;            /* of it, taken from max_memory */
    enum next_kind wait;      /* what it waits for; NEXT_STEP: nothing, it runs */
    enum failure failed;      /* noticed while it ran or waited: answered by the driver */
    char why[200];            /* for the fail table: a sentence about this very case */
    const char *fail_members; /* further members of the problem object, in the arena */
    const char *fields;       /* NULL, or field lines of the answer, in the arena: set just before
                                 it; they say how it may be cached, in place of no-store */
    char allow[40];           /* the field Allow, for 405 */
    int status;               /* of the answer */
    uint64_t start_ns, gate_ns;
    uint64_t state_ns;  /* it waits for what it waits for since then; see waits.h */
    struct usage usage; /* of all works that are done */
    uint64_t loop_ns;   /* own work on the loop */
    uint64_t lock_ns;   /* of usage.queue_ns: waited for a lock that another request held */
    uint64_t switches_at, answered_at, mark_at; /* counters when it began, for `meanwhile` */
    struct route_count *count;
    unsigned steps;
    unsigned ran_on;    /* bit e: computed by executor e */
    bool running;       /* the driver is in one of its steps */
    bool woken;         /* req_wake() came while it ran */
    bool ready;         /* stands in the queue of those to be resumed */
    bool at_gate;       /* waits for one of max_in_progress places */
    bool gate_held;     /* holds one */
    bool kept;          /* its head has been copied: it outlives its octets */
    bool counted;       /* is in the counts of requests and tasks in progress */
    bool sampled;       /* it was decided whether its spans are recorded */
    bool recorded;      /* they are */
    bool replying;      /* reply_begin() was called */
    bool whole_body;    /* wait_whole_body(), not wait_body() */
    struct arena arena; /* the last member: all before it is zeroed for a new request */
};

/* ---- what happens next ---- */

struct next next_step(req_step *);
/* Goes on with `step` when all that was started is done. */
struct next wait_all(struct req *, req_step *step);
/* Goes on with each further piece of the body (r->body), at last with r->body_end. */
struct next wait_body(struct req *, req_step *step);
/* Goes on with the whole body, at most the route's body_limit. */
struct next wait_whole_body(struct req *, req_step *step);
/* Goes on when the client has taken enough of what was written. */
struct next wait_drained(struct req *, req_step *step);
/* Goes on after req_wake(), called by whatever the endpoint has arranged. */
struct next wait_wake(struct req *, req_step *step);
void req_wake(struct req *);

/* ---- whole answers ---- */

struct next reply_json(struct req *, int status, const struct buf *body);
struct next reply_text(struct req *, int status, const char *content_type, const void *body,
                       size_t len);
/* An object that was begun with '{' and lacks its end: adds "ran" and "meanwhile", closes it. */
struct next reply_ran(struct req *, struct buf *object);
/* No; `fmt` is the sentence about this very case. */
struct next reply_fail(struct req *, enum failure, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- answers in parts ---- */

/* length: octets that follow, or -1. Then reply_part()s, at last reply_end(). */
void reply_begin(struct req *, int status, const char *content_type, int64_t length);
/* Writes, and goes on with `step`, after wait_drained() where too much is unsent. */
struct next reply_part(struct req *, const void *data, size_t len, req_step *step);
struct next reply_end(struct req *);

/* ---- starters ---- */

void req_query(struct req *, struct query *, enum db_statement, const char *const *params,
               int nparams);
void req_query_int(struct req *, struct query *, enum db_statement, int64_t param);
void req_compute(struct req *, struct compute *, const struct kernel *, const int64_t *params,
                 unsigned sections, enum executor);
void req_delay(struct req *, uint64_t ns);
/* The work just started fails alone: the step looks at work.failure. */
void req_soft(struct work *);
/* Frees what a work holds (a result, an area) before the request ends; it must be done. Its memory
 * may then be started again. */
void req_release(struct work *);

/* ---- small things ---- */

/* The first step's first act: memory for the endpoint's state, zeroed; r->state from now on. */
void *req_state_new(struct req *, size_t size);

/* Adds "ran":{...},"meanwhile":{...} as members (with a leading comma). */
void req_add_ran(struct req *, struct buf *);
/* A buffer of this request for one text: a shared one, empty; valid until the step returns. */
struct buf *req_scratch(struct req *);
bool req_accepts_html(const struct req *);

#endif
