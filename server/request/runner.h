/*
 * runner: the life of every request. One driver calls the steps; one gate keeps max_in_progress;
 * one place counts what is in progress. Tour 4/9.
 *
 *   http hooks ---> req_begin -> [gate] -> driver: step, step ... -> reply -> free list
 *   burst --------'                ^          |
 *                                  '-- waits: works, body, output, wake
 *
 * Runs on the loop thread of the front end; owns all requests. What can fail is in fail.c.
 */
#ifndef REQUEST_RUNNER_H
#define REQUEST_RUNNER_H

#include "common/conf.h"
#include "common/course.h"
#include "common/maxtrack.h"
#include "common/span.h"
#include "request/origin.h"
#include "request/req.h"

struct event_base;
struct endpoints;
TAILQ_HEAD(req_list, req);

/* What the front end is made of; endpoints reach it by r->runner. */
struct runner {
    const struct conf *conf;
    const struct conf_set *conf_set;
    struct event_base *base;
    struct http_server *http;
    struct db *db;
    struct jobs *jobs;
    struct span_ring *ring;
    struct route_table routes;
    const struct front_info *info;
    struct endpoints *endpoints; /* what they keep from one request to the next */
    bool demo;                   /* the admin set and the loop executors are on */
    bool draining;

    /* counts, exact */
    uint64_t next_id;
    uint64_t start_ns;      /* clock_ns() when the runner was opened */
    uint64_t epoch_s;       /* wall clock then: first part of X-Request-Id */
    uint64_t answered;      /* requests answered */
    uint64_t loop_switches; /* the loop went on with another request */
    uint64_t last_run;      /* number of the request that ran last */
    unsigned in_progress;   /* tasks begun and not ended */
    unsigned requests;      /* requests begun and not answered */
    unsigned in_progress_max, requests_max;
    struct maxtrack *progress; /* its highest since any moment, for `meanwhile` */
    struct course *course;     /* in_progress over time, for the trace */
    unsigned queries;          /* sent to PostgreSQL and not answered */
    struct course *queries_course;
    uint64_t kernel_switches; /* of the workers, in tasks that are done */
    uint64_t failures[FAIL_COUNT];

    /* ---- the runner's own ---- */
    char host[64]; /* the field Host that was found to be ours last */
    size_t host_len;
    struct req_list all, free; /* requests in progress; memory of ended ones */
    unsigned free_count;
    struct req_list ready; /* resumed at the end of the turn */
    unsigned ready_count;
    struct req_list gate; /* wait for their turn */
    unsigned gate_waiting, gate_held;
    uint64_t gate_refused;
    uint64_t turn_start; /* first own work of this loop turn; 0: none yet */
    uint64_t turn_mark;  /* last look at the clock in this turn: own work since then is accounted
                            to the request that runs next */
    uint64_t deaf_from, deaf_to;     /* when the last turn computed; 0: it did not */
    unsigned turn_answered;          /* requests answered in the turn they were parsed in */
    struct route_count *turn_routes; /* chain of routes that have such answers */
    struct buf scratch;
    struct buf problem;
};

/* What /status and the banner say about this process. */
struct front_info {
    const char *config_path;
    unsigned workers_wanted;
    unsigned cpus;
    unsigned generation;
    uint64_t started_ns; /* of the supervisor */
    uint64_t conf_hash;
    const struct loop_watch *loop;
};

/* Lag of the loop, measured always. */
struct loop_watch {
    uint64_t turns, busy_ns, longest_ns;
    uint64_t turn_longest_ns;   /* of the second that runs */
    uint64_t recent_longest_ns; /* of the last whole second */
    uint64_t long_turns;        /* above a millisecond */
    uint64_t kernel_switches;
    bool exact;
};

void runner_open(struct runner *, const struct route *routes, unsigned nroutes);
/* Cancels all requests without answering. */
void runner_close(struct runner *);

/* For http_open(). */
extern const struct http_hooks runner_hooks;

/* Starts a request that does not come from a connection; head lives as long as the request. NULL:
 * it is over already. */
struct req *runner_begin(struct runner *, struct origin *, const struct http_head *head);
/* Cancels a request and frees it; nothing is answered. */
void runner_cancel(struct req *);

/* Own work of this loop turn begins here, if none did before. */
void runner_turn_begin(struct runner *);

/* End of a loop turn: resumes what is ready, lets requests through the gate, closes the turn's
 * batch span. True: more is ready, do not sleep. */
bool runner_turn_end(struct runner *);

#endif
