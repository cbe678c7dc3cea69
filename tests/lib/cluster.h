/*
 * A private PostgreSQL cluster of a test's own, which it may stop, crash and freeze as it likes.
 * The servers that are started afterwards use it (TEST_DB_URL names it).
 */
#ifndef TESTS_CLUSTER_H
#define TESTS_CLUSTER_H

#include "e2e.h"

enum { CLUSTER_BACKENDS = 128 };

/* Processes of PostgreSQL. */
struct backends {
    unsigned count;
    pid_t pids[CLUSTER_BACKENDS];
};

/* Makes it, starts it, applies the schema. */
void cluster_open(void);
void cluster_close(void);
/* As an administrator does; both wait until it is done. Starting a running one does nothing. */
void cluster_start(void);
void cluster_stop(void);
/* Its first process; 0: it does not run. */
pid_t cluster_postmaster(void);
/* Ends its first process by SIGQUIT (PostgreSQL's immediate mode) or SIGKILL; waits until all of
 * its processes are gone. */
void cluster_crash(int signal_number);
/* A plain connection; NULL: it takes none now. */
struct pg_conn *cluster_connect(void);
/* The moment, by steady_now_ns(), when it takes one, and how long it needed for that. */
uint64_t cluster_wait_accepts(double *took_ms);
/* Like database_connect(), as a superuser, for whom places are kept. */
struct pg_conn *cluster_superuser(void);
/* The backends that the query names, in its order, one pid a row. */
struct backends cluster_backends(struct pg_conn *, const char *sql);
void backends_signal(const struct backends *, int signal_number);
/* Waits until none of them is there any more. */
void backends_wait_gone(const struct backends *);
/* Does it wait for a statement? */
bool backend_is_idle(pid_t pid);

#endif
