/*
 * A ticket joins a piece of started work (a query, a job) with whoever waits for it. The room
 * below (db, jobs) holds a pointer to it and calls up through its hooks; it never knows who waits.
 *
 *   starter(ticket) ......... began ... ended ......... done
 *        |                      (a job: once per task)     |
 *        never calls back before it has returned           exactly once, unless cancelled
 *
 * The waiter owns the ticket's memory. After the room's cancel function nothing is called any
 * more and the memory may go: a late answer is drained, counted and dropped by the room.
 */
#ifndef COMMON_TICKET_H
#define COMMON_TICKET_H

#include "common/failure.h"

#include <stdint.h>

/* What a piece of work has used; the room below adds, the waiter reads after done. */
struct usage {
    uint64_t queue_ns;        /* started but not begun: waited for a connection or a worker */
    uint64_t db_ns;           /* in PostgreSQL: from send to result */
    uint64_t unseen_ns;       /* of db_ns: the loop computed, an answer may have lain there */
    uint64_t cpu_ns;          /* CPU time of its tasks */
    uint64_t tasks;           /* queries or tasks that ran to their end */
    uint64_t kernel_switches; /* involuntary and voluntary switches of the process during tasks */
};

struct ticket;

struct ticket_hooks {
    /* A task of this work begins / has ended (query sent / answered, section started / done) at
     * that clock_ns(): the counts of tasks in progress. Every began is followed by one ended, but
     * for cancelled ones. */
    void (*began)(struct ticket *, uint64_t now);
    void (*ended)(struct ticket *, uint64_t now);
    /* All of it is over: FAIL_NONE, or why not. From the event loop, never from a starter. */
    void (*done)(struct ticket *, enum failure);
};

struct ticket {
    const struct ticket_hooks *hooks;
    uint64_t request;     /* number of the request, for spans */
    uint32_t recorded;    /* 1: record spans for it; 0: sampled out (counts stay exact) */
    uint32_t in_progress; /* tasks begun and not ended; kept by the hooks' owner */
    struct usage usage;
};

#endif
