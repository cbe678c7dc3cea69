/*
 * How many spans cover a moment, over time: begins and ends are put in, in any order, and come out
 * in order of time, a few at a time, so that the loop goes on meanwhile. A binary heap: putting in
 * and taking out cost the logarithm of how many there are.
 */
#ifndef TRACE_EDGES_H
#define TRACE_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edges {
    struct edge {
        uint64_t at;
        int step; /* +1 a span begins, -1 it ends */
    } * heap;
    size_t count, room;
    int now; /* spans that cover the moment told last */
};

/* A span; grows, ends the process without memory. */
void edges_put(struct edges *, uint64_t start, uint64_t end);
/* The next moment at which the number changes, and the number from then on. False: none is left. */
bool edges_next(struct edges *, uint64_t *at, unsigned *covering);
void edges_fini(struct edges *);

#endif
