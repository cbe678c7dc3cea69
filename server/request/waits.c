/*
 * waits: see waits.h. Nothing is kept for it: what has been started and how far it is says it.
 */
#include "request/waits.h"

#include "request/req.h"

#define CONTAINER(pointer, type, member)                                                           \
    ((const type *)((const char *)(pointer)-offsetof(type, member)))

const char *const req_waits_names[] = {
    [WAITS_GATE] = "gate", [WAITS_QUEUE] = "queue", [WAITS_DB] = "db",
    [WAITS_CPU] = "cpu",   [WAITS_LOOP] = "loop",   [WAITS_CLIENT] = "client",
};

static enum req_waits
work_waits(const struct work *w)
{
    if (w->done)
        return WAITS_LOOP;
    switch (w->kind) {
    case WORK_QUERY:
        return CONTAINER(w, struct query, work)->q.ticket.in_progress > 0 ? WAITS_DB : WAITS_QUEUE;
    case WORK_COMPUTE:
        return CONTAINER(w, struct compute, work)->job.ticket.in_progress > 0 ? WAITS_CPU
                                                                              : WAITS_QUEUE;
    case WORK_DELAY:
        break;
    }
    return WAITS_LOOP;
}

enum req_waits
req_waits_for(const struct req *r)
{
    static const unsigned char rank[] = {
        [WAITS_LOOP] = 0, [WAITS_QUEUE] = 1, [WAITS_DB] = 2, [WAITS_CPU] = 3};
    enum req_waits waits = WAITS_LOOP;

    if (r->at_gate)
        return WAITS_GATE;
    if (r->wait == NEXT_BODY || r->wait == NEXT_DRAINED)
        return WAITS_CLIENT;
    for (const struct work *w = r->works; w != NULL; w = w->older) {
        enum req_waits this = work_waits(w);

        if (rank[this] > rank[waits])
            waits = this;
    }
    return waits;
}
