/*
 * jobs: the doors of this room: opening and closing, workers that come and go, the end of a loop
 * turn, and the tick. Runs in the front end; owns struct jobs.
 *
 *   loop turn:  sockets -> worker.c: results in -> waiters told     every 10 ms, while there is
 *               jobs_turn_end(): tasks out                          a job: deadlines, pages
 *               jobs_compute_here(): one task of the loop
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"

#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

static void on_tick(evutil_socket_t fd, short what, void *arg);

/* Only makes the loop turn once more; the work is done at the end of the turn. */
static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void
learn_kernels(struct jobs *jobs)
{
    while (kernel_table[jobs->nkernels] != NULL)
        jobs->nkernels++;
    jobs->costs = xcalloc(jobs->nkernels + 1, sizeof(*jobs->costs));
    for (unsigned i = 0; i < jobs->nkernels; i++)
        cost_init(&jobs->costs[i], kernel_table[i]->unit_ns);
}

struct jobs *
jobs_open(struct event_base *base, const struct conf *conf, struct span_ring *ring,
          void (*kill_worker)(void *arg, unsigned index, int pid), void *arg)
{
    struct jobs *jobs = xcalloc(1, sizeof(*jobs));

    jobs->base = base;
    jobs->conf = conf;
    jobs->ring = ring;
    jobs->kill_worker = kill_worker;
    jobs->kill_arg = arg;
    TAILQ_INIT(&jobs->open);
    TAILQ_INIT(&jobs->over);
    TAILQ_INIT(&jobs->told);
    TAILQ_INIT(&jobs->left);
    TAILQ_INIT(&jobs->blocking);
    sched_init(&jobs->pool);
    sched_init(&jobs->loop);
    learn_kernels(jobs);
    memory_set_limit((size_t)conf->max_memory);
    jobs->tick = event_new(base, -1, EV_PERSIST, on_tick, jobs);
    jobs->wake = event_new(base, -1, 0, on_wake, jobs);
    if (jobs->tick == NULL || jobs->wake == NULL)
        fatalx("jobs: no event");
    return jobs;
}

static void
destroy_all(struct work_list *list)
{
    struct job_work *w;

    while ((w = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, w, link);
        if (w->waiter != NULL)
            w->waiter->work = NULL;
        job_destroy(w);
    }
}

void
jobs_close(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    for (unsigned i = 0; i < jobs->nworkers; i++) {
        if (jobs->workers[i] != NULL)
            worker_free(jobs->workers[i]);
    }
    jobs->nworkers = 0;
    destroy_all(&jobs->open);
    destroy_all(&jobs->over);
    destroy_all(&jobs->told);
    destroy_all(&jobs->left);
    event_free(jobs->tick);
    event_free(jobs->wake);
    sched_fini(&jobs->pool);
    sched_fini(&jobs->loop);
    free(jobs->costs);
    free(jobs);
}

void
jobs_watch_loop(struct jobs *jobs, struct slices *slices)
{
    jobs->loop_slices = slices;
}

/* ---- workers come and go ---- */

void
jobs_worker_up(struct jobs *jobs, const struct worker_seat *seat)
{
    const uint64_t now = clock_ns();
    struct worker *w;

    if (seat->index >= POOL_WORKERS_MAX) {
        log_errorx("worker %u: there are %d seats", seat->index, POOL_WORKERS_MAX);
        close(seat->socket_fd);
        close(seat->page_fd);
        return;
    }
    w = jobs->workers[seat->index];
    if (w == NULL)
        w = jobs->workers[seat->index] = worker_new(jobs, seat->index);
    if (seat->index >= jobs->nworkers)
        jobs->nworkers = seat->index + 1;
    if (w->state != WORKER_NONE) {
        log_errorx("worker %u: its seat is taken by pid %d", seat->index, w->pid);
        worker_down(w, 0, now);
    }
    if (worker_up(w, seat, now) == 0)
        log_debug("worker %u (pid %d) is up", w->index, w->pid);
    pool_wake(jobs);
}

void
jobs_worker_down(struct jobs *jobs, unsigned index, int pid, int wait_status)
{
    struct worker *w = index < jobs->nworkers ? jobs->workers[index] : NULL;

    if (w == NULL || w->state == WORKER_NONE || w->pid != pid) {
        log_debug("worker %u (pid %d) died, and was not known", index, pid);
        return;
    }
    jobs->counts.deaths++;
    worker_down(w, wait_status, clock_ns());
    (void)jobs_tell(jobs);
    pool_wake(jobs);
}

unsigned
jobs_workers(const struct jobs *jobs)
{
    unsigned alive = 0;

    for (unsigned i = 0; i < jobs->nworkers; i++)
        alive += jobs->workers[i] != NULL && worker_is_alive(jobs->workers[i]);
    return alive;
}

/* ---- turn and tick ---- */

void
pool_wake(struct jobs *jobs)
{
    event_active(jobs->wake, EV_TIMEOUT, 0);
}

void
pool_watch(struct jobs *jobs)
{
    static const struct timeval every = {0, POOL_TICK_NS / NS_PER_US};

    if (jobs->ticking)
        return;
    jobs->ticking = true;
    jobs->ticked_ns = clock_ns();
    event_add(jobs->tick, &every);
}

bool
jobs_turn_end(struct jobs *jobs)
{
    bool more;

    event_del(jobs->wake);
    more = jobs_tell(jobs);
    pool_hand_out(jobs);
    return more || !TAILQ_EMPTY(&jobs->over);
}

bool
jobs_are_here(const struct jobs *jobs)
{
    return !TAILQ_EMPTY(&jobs->blocking) || sched_least(&jobs->loop) != NULL;
}

bool
jobs_compute_here(struct jobs *jobs)
{
    local_turn(jobs);
    return jobs_are_here(jobs) || !TAILQ_EMPTY(&jobs->over);
}

static void
end_late_jobs(struct jobs *jobs, uint64_t now)
{
    struct job_work *w;

    while ((w = TAILQ_FIRST(&jobs->open)) != NULL && w->deadline_ns <= now)
        job_end_late(w);
}

/* How long it is since the last tick counts up to a few ticks only: when the loop itself stood
 * still, it saw no heartbeats either. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct jobs *jobs = arg;
    const uint64_t now = clock_ns();
    uint64_t elapsed = now - jobs->ticked_ns;
    bool busy = false;

    (void)fd;
    (void)what;
    if (elapsed > 4 * POOL_TICK_NS)
        elapsed = 4 * POOL_TICK_NS;
    jobs->ticked_ns = now;
    end_late_jobs(jobs, now);
    for (unsigned i = 0; i < jobs->nworkers; i++) {
        if (jobs->workers[i] == NULL)
            continue;
        worker_look(jobs->workers[i], elapsed, now);
        busy |= jobs->workers[i]->nslots > 0 || jobs->workers[i]->state == WORKER_LOST;
    }
    if (!busy && TAILQ_EMPTY(&jobs->open)) {
        event_del(jobs->tick);
        jobs->ticking = false;
    }
    (void)jobs_tell(jobs);
}
