/*
 * request/ alone: a runner with the test's own routes, and stand-ins at link time for the rooms
 * below it. Nothing happens by itself: the test is the client, PostgreSQL and the workers.
 *
 *   test: rw_get() ---> runner_hooks.begin ---> steps ---> http_reply() ... : struct http_conn
 *   test: rw_done() --> ticket hooks           '--> db_start(), job_start() : struct started
 *
 * A stand-in that is called when the contract of its room forbids it fails the test: a second
 * answer, a part before the beginning, anything said to a client who has gone, a release of what
 * was never started. rw_close() demands that each request is over and each started work released.
 */
#ifndef TESTS_REQ_WORLD_H
#define TESTS_REQ_WORLD_H

#include "common/buf.h"
#include "request/runner.h"

#include <jansson.h>

enum { RW_CONNS = 64, RW_STARTED = 64 };

struct req_world;

/* A connection with one request, as the runner sees it: what was said to it. */
struct http_conn {
    struct req_world *world;
    void *request; /* what begin returned; NULL: answered within it */
    int status;    /* 0: no answer yet */
    char type[64]; /* Content-Type, "" where there is none */
    int64_t length;
    struct buf fields, body;
    bool begun;    /* in parts */
    bool answered; /* whole */
    bool aborted;
    bool gone;
    bool full; /* what the test sets: no more parts for now */
    /* the body it sends */
    struct buf coming;
    char *piece;
    size_t taken;
    bool ended;
    enum failure failure;
};

/* A query, or a job if `query` is NULL. */
struct started {
    struct ticket *ticket;
    struct db_query *query;
    struct job *job;
    enum db_statement statement;
    int64_t param;
    enum executor executor;
    unsigned sections;
    bool done;
    unsigned released; /* how often */
};

struct db {
    struct req_world *world;
};
struct jobs {
    struct req_world *world;
};

struct req_world {
    struct runner runner;
    struct conf conf; /* no limit but max_body = 1 MiB; to be changed before requests come */
    struct db db;
    struct jobs jobs;
    struct http_conn conns[RW_CONNS];
    unsigned nconns;
    bool full;                          /* new connections are full from the start */
    bool secure;                        /* clients come over TLS */
    struct started started[RW_STARTED]; /* in order */
    unsigned nstarted;
};

/* demo is on; the clock stands at 1,000 s. */
void rw_open(struct req_world *, const struct route *, unsigned nroutes);
void rw_close(struct req_world *);
struct req_world *rw_of(const struct req *);

/* A turn of the loop that does not sleep. / Moves the clock on. */
void rw_turn(struct req_world *);
void rw_pass(uint64_t ms);

/* A request: "GET /x HTTP/1.1" and field lines, each with its CRLF, without the empty line. Its
 * octets are freed when begin has returned, as http/ does. */
struct http_conn *rw_ask(struct req_world *, const char *text);
/* The same for a GET with Host: localhost. */
struct http_conn *rw_get(struct req_world *, const char *target);
/* Further octets of the body / its end / its failure, told to the runner. */
void rw_send(struct http_conn *, const char *octets);
void rw_send_end(struct http_conn *);
void rw_send_fail(struct http_conn *, enum failure);
/* The client takes what was written / leaves. */
void rw_drain(struct http_conn *);
void rw_leave(struct http_conn *);

/* The value of this field among those that request/ added, in a static buffer; NULL: not there. */
const char *rw_field(const struct http_conn *, const char *name);
/* The answer's body as text. */
const char *rw_body(struct http_conn *);
/* The answer is the problem of this name with this status; its object, to be freed. */
json_t *rw_problem(struct http_conn *, int status, const char *name);
/* The same, and its "detail" is this. */
void rw_detail(struct http_conn *, int status, const char *name, const char *detail);

/* What the room below tells about the i-th started work. */
void rw_began(struct req_world *, unsigned i);
void rw_ended(struct req_world *, unsigned i);
void rw_done(struct req_world *, unsigned i, enum failure, const char *why);

#endif
