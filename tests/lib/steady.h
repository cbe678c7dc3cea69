/*
 * Steady load, for end-to-end tests: a few clients for each of some addresses. Each asks on a
 * connection that it keeps, waits for the whole answer, pauses, and asks again. All of them live in
 * one thread, so that the test can do its worst to the server meanwhile.
 *
 *   steady_start() -> faults; steady_wait_good() -> steady_end(): joins, and only then judges
 *
 * What counts as wrong: no answer within the row's limit, a connection that closes in the middle, a
 * status that the row does not allow (500 never is), a 200 without the text that belongs there.
 */
#ifndef TESTS_STEADY_H
#define TESTS_STEADY_H

#include "e2e.h"

struct steady_row {
    const char *path;
    unsigned clients;
    unsigned limit_ms;
    bool always;      /* only 200 is right; else 502, 503 and 504 are, too */
    const char *text; /* stands in each answer with 200; NULL: anything may */
};

struct steady_count {
    unsigned long good;    /* 200 */
    unsigned long refused; /* 502, 503, 504 */
    unsigned long wrong;
    uint64_t last_refused_ns; /* by steady_now_ns(): when the last such answer came; 0: never */
    unsigned longest_ms;
};

struct steady;

enum { STEADY_ROWS_MAX = 8 };

/* The rows live as long as the load. */
struct steady *steady_start(const struct server *, const struct steady_row *rows, unsigned nrows);
/* What row `row` has seen so far. */
struct steady_count steady_count(struct steady *, unsigned row);
/* Waits until each row has seen `more` answers with 200 more than now. */
void steady_wait_good(struct steady *, unsigned long more);
/* Waits until row `row` has seen `more` answers of any kind more than now. */
void steady_wait_answers(struct steady *, unsigned row, unsigned long more);
/* Lets every client have its last answer, frees, sets the pointer to NULL. What each row has seen
 * is in counts (NULL: not wanted). The test fails if anything was wrong. */
void steady_end(struct steady **, struct steady_count *counts);
/* For tear-downs: the same, without a judgement, and only if there is a load. */
void steady_drop(struct steady **);

/* CLOCK_MONOTONIC. */
uint64_t steady_now_ns(void);

#endif
