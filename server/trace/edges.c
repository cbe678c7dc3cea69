/*
 * edges: see edges.h. Runs in the front end. The earliest edge is on top; of those at the same
 * moment all are taken together, so that a span that ends where the next begins is no peak.
 */
#include "trace/edges.h"

#include "common/log.h"

#include <assert.h>
#include <stdlib.h>

static void
push(struct edges *e, struct edge edge)
{
    size_t i = e->count++;

    while (i > 0 && e->heap[(i - 1) / 2].at > edge.at) {
        e->heap[i] = e->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    e->heap[i] = edge;
}

static struct edge
pop(struct edges *e)
{
    struct edge top = e->heap[0], last = e->heap[--e->count];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < e->count) {
        if (child + 1 < e->count && e->heap[child + 1].at < e->heap[child].at)
            child++;
        if (e->heap[child].at >= last.at)
            break;
        e->heap[i] = e->heap[child];
        i = child;
    }
    e->heap[i] = last;
    return top;
}

void
edges_put(struct edges *e, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    if (e->count + 2 > e->room) {
        e->room = e->room == 0 ? 1024 : 2 * e->room;
        e->heap = xrealloc(e->heap, e->room * sizeof(*e->heap));
    }
    push(e, (struct edge){start, 1});
    push(e, (struct edge){end, -1});
}

bool
edges_next(struct edges *e, uint64_t *at, unsigned *covering)
{
    while (e->count > 0) {
        int before = e->now;

        *at = e->heap[0].at;
        while (e->count > 0 && e->heap[0].at == *at)
            e->now += pop(e).step;
        assert(e->now >= 0);
        *covering = (unsigned)e->now;
        if (e->now != before)
            return true;
    }
    return false;
}

void
edges_fini(struct edges *e)
{
    free(e->heap);
    *e = (struct edges){0};
}
