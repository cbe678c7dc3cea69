/*
 * status: the workers and their queue in numbers, for /status. Runs in the front end.
 */
#include "jobs/pool.h"

#include "common/buf.h"
#include "common/memory.h"

#include <inttypes.h>

static void
add_worker(struct buf *b, const struct worker *w)
{
    buf_addf(b, "{\"index\":%u,\"pid\":%d,\"state\":\"%s\",\"running\":%d,\"holds\":%u,\"cpu\":%u,",
             w->index, worker_is_alive(w) ? w->pid : 0, worker_state_name(w), w->nslots > 0,
             w->nslots, w->cpu);
    buf_addf(b, "\"tasks\":%" PRIu64 ",\"restarts\":%" PRIu64 "}", w->tasks + w->tasks_before,
             w->ups > 0 ? w->ups - 1 : 0);
}

static void
add_workers(struct buf *b, const struct jobs *jobs)
{
    unsigned running = 0;
    const char *comma = "";

    for (unsigned i = 0; i < jobs->nworkers; i++)
        running += jobs->workers[i] != NULL && jobs->workers[i]->nslots > 0;
    buf_addf(b, "\"alive\":%u,\"running\":%u,\"list\":[", jobs_workers(jobs), running);
    for (unsigned i = 0; i < jobs->nworkers; i++) {
        if (jobs->workers[i] == NULL)
            continue;
        buf_add_text(b, comma);
        add_worker(b, jobs->workers[i]);
        comma = ",";
    }
    buf_add_char(b, ']');
}

/* Jobs in progress, and how many of them have not begun. */
static void
add_jobs(struct buf *b, const struct jobs *jobs)
{
    const struct jobs_counts *c = &jobs->counts;
    unsigned waiting = 0, running = 0;
    uint64_t tasks_waiting = 0;

    for (const struct job_work *w = TAILQ_FIRST(&jobs->open); w != NULL; w = TAILQ_NEXT(w, link)) {
        waiting += w->waiter->begun_ns == 0;
        running += w->begun;
        tasks_waiting += w->count - w->next + w->nagain + (w->held - w->begun);
    }
    buf_addf(b,
             ",\"jobs\":{\"in_progress\":%u,\"waiting\":%u,\"max\":%d,\"started\":%" PRIu64 ","
             "\"ended\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"left\":%" PRIu64 "}",
             jobs->nopen, waiting, JOBS_OPEN_MAX, c->jobs, c->ended, c->failed, c->left);
    buf_addf(b,
             ",\"tasks\":{\"running\":%u,\"waiting\":%" PRIu64 ",\"done\":%" PRIu64
             ",\"dropped_late\":%" PRIu64 ","
             "\"run_again\":%" PRIu64 "}",
             running, tasks_waiting, c->tasks, c->dropped, c->again);
    buf_addf(b,
             ",\"deaths\":{\"all\":%" PRIu64 ",\"idle\":%" PRIu64 ",\"stuck\":%" PRIu64
             ",\"wrong_messages\":%" PRIu64 "}",
             c->deaths, c->idle_deaths, c->stuck, c->wrong_messages);
}

void
jobs_status_json(const struct jobs *jobs, struct buf *b)
{
    buf_add_char(b, '{');
    add_workers(b, jobs);
    add_jobs(b, jobs);
    buf_addf(b, ",\"memory\":{\"in_flight\":%zu,\"max\":%zu,\"refused\":%zu}", memory_used(),
             memory_limit(), memory_refused());
    buf_add_text(b, ",\"cost\":{");
    for (unsigned i = 0; i < jobs->nkernels; i++)
        buf_addf(b, "%s\"%s\":{\"unit_ns\":%.4g,\"jobs\":%" PRIu64 "}", i > 0 ? "," : "",
                 kernel_table[i]->name, jobs->costs[i].unit_ns, jobs->costs[i].jobs);
    buf_add_text(b, "}}");
}
