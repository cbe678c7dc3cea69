/*
 * look: what the page of a worker says: CPU slices, heartbeat, and the task that runs; and the one
 * word that goes the other way, which job to stop. Runs in the front end, on each TASK_DONE and
 * every 10 ms while a worker is busy.
 *
 * The worker may write anything at any time. A number from the page is read once, checked, and used
 * for nothing but the trace, the heartbeat, and the question which task its death is blamed on.
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/page.h"

#include <string.h>

/* Copies slice number n; false: it was overwritten meanwhile. */
static bool
read_slice(const struct worker_page *page, uint64_t n, struct slice *out)
{
    memcpy(out, &page->slices[n % PAGE_SLICES], sizeof(*out));
    atomic_thread_fence(memory_order_acquire);
    /* slot n is written anew while the number n + PAGE_SLICES is next */
    return atomic_load_explicit(&page->slices_next, memory_order_relaxed) - n < PAGE_SLICES;
}

void
worker_take_slices(struct worker *w, uint64_t now)
{
    enum { CPUS_MAX = LANE_DB_FAST - LANE_CPU };
    const uint64_t next = atomic_load_explicit(&w->page->slices_next, memory_order_acquire);
    struct slice s;

    if (next - w->slices_read > PAGE_SLICES) /* too late for some, or it jumped back */
        w->slices_read = next < PAGE_SLICES ? 0 : next - PAGE_SLICES;
    for (; w->slices_read < next; w->slices_read++) {
        if (!read_slice(w->page, w->slices_read, &s) || s.cpu >= CPUS_MAX)
            continue;
        if (s.start >= s.end || s.start < w->up_ns || s.end > now)
            continue;
        span_add(w->jobs->ring, SPAN_CPU, LANE_CPU + s.cpu, 0, 1 + w->index, s.start, s.end);
    }
}

int
worker_named_slot(const struct worker *w)
{
    uint64_t job;
    uint32_t stage, index;

    if (w->page == NULL)
        return -1;
    job = atomic_load(&w->page->job);
    stage = atomic_load(&w->page->stage);
    index = atomic_load(&w->page->index);
    for (unsigned i = 0; i < w->nslots; i++) {
        const struct slot *s = &w->slots[i];

        if (s->work->id == job && s->task.stage == stage && s->task.index == index)
            return (int)i;
    }
    return -1;
}

void
worker_show_cancel(struct worker *w)
{
    uint64_t job = 0;

    if (w->page == NULL)
        return;
    for (unsigned i = 0; i < w->nslots && job == 0; i++) {
        if (w->slots[i].work->state != JOB_OPEN)
            job = w->slots[i].work->id;
    }
    atomic_store_explicit(&w->page->cancel_job, job, memory_order_relaxed);
}

/* So long it has said nothing, though something is due. */
static void
wait_for_life(struct worker *w, uint64_t elapsed, uint64_t patience, const char *why)
{
    w->silent_ns += elapsed;
    if (w->silent_ns < patience)
        return;
    w->jobs->counts.stuck++;
    worker_doom(w, why);
}

static void
look_for_heartbeat(struct worker *w, uint64_t elapsed)
{
    const uint64_t beat = atomic_load_explicit(&w->page->heartbeat, memory_order_relaxed);
    const bool ready = atomic_load_explicit(&w->page->ready, memory_order_relaxed) != 0;

    if (beat == w->heartbeat) {
        wait_for_life(w, elapsed, ready ? POOL_STUCK_NS : POOL_START_NS,
                      "it gives no sign of life");
        return;
    }
    w->heartbeat = beat;
    w->silent_ns = 0;
}

void
worker_look(struct worker *w, uint64_t elapsed, uint64_t now)
{
    switch (w->state) {
    case WORKER_BUSY:
        worker_take_slices(w, now);
        look_for_heartbeat(w, elapsed);
        break;
    case WORKER_LOST:
        wait_for_life(w, elapsed, POOL_STUCK_NS, "it has closed its socket and lives on");
        break;
    case WORKER_NONE:
    case WORKER_IDLE:
    case WORKER_DOOMED:
        break;
    }
}
