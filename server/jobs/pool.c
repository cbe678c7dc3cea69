/*
 * pool: which worker gets the next task, and when the workers themselves are ill. Runs in the front
 * end, at the end of each loop turn and on deaths.
 *
 * First each idle worker gets a task; only then do busy ones get a second. Every time the job with
 * the least service gives the task.
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/log.h"

#include <stddef.h>

#define WORK_OF(entry) ((struct job_work *)((char *)(entry)-offsetof(struct job_work, sched)))

unsigned
pool_size(const struct jobs *jobs)
{
    return jobs->nworkers > 0 ? jobs->nworkers : 1;
}

void
pool_hand_out(struct jobs *jobs)
{
    const uint64_t now = sched_least(&jobs->pool) != NULL ? clock_ns() : 0;

    for (unsigned held = 0; held < WORKER_SLOTS; held++) {
        for (unsigned i = 0; i < jobs->nworkers; i++) {
            struct worker *w = jobs->workers[i];
            struct sched_entry *least = sched_least(&jobs->pool);

            if (least == NULL)
                return;
            if (w != NULL && worker_takes(w, held))
                (void)worker_give(w, WORK_OF(least), now);
        }
    }
}

/* A worker that has done a task is no part of an illness. */
static bool
one_is_well(const struct jobs *jobs)
{
    for (unsigned i = 0; i < jobs->nworkers; i++) {
        const struct worker *w = jobs->workers[i];

        if (w != NULL && worker_is_alive(w) && w->tasks > 0)
            return true;
    }
    return false;
}

bool
pool_is_ill(const struct jobs *jobs, uint64_t now)
{
    return now < jobs->ill_until_ns && !one_is_well(jobs);
}

/* Nobody will compute them soon. */
static void
refuse_waiting(struct jobs *jobs)
{
    struct job_work *w, *next;

    for (w = TAILQ_FIRST(&jobs->open); w != NULL; w = next) {
        next = TAILQ_NEXT(w, link);
        if (w->executor == EXEC_WORKERS && w->held == 0)
            job_end(w, FAIL_NO_WORKERS, "the workers keep dying by themselves");
    }
}

/* Workers that keep dying are started ever more rarely: then one death soon after a rest is enough
 * to say that nothing has changed, or jobs would wait in vain until their time is over. */
void
pool_idle_death(struct jobs *jobs, uint64_t now)
{
    const uint64_t number = jobs->counts.idle_deaths++;
    const bool again = jobs->ill_until_ns != 0 && now < jobs->ill_until_ns + POOL_ILL_WINDOW_NS;
    uint64_t *oldest = &jobs->idle_deaths_ns[number % POOL_ILL_DEATHS];

    *oldest = now;
    oldest = &jobs->idle_deaths_ns[(number + 1) % POOL_ILL_DEATHS];
    if (!again && (*oldest == 0 || now - *oldest > POOL_ILL_WINDOW_NS))
        return;
    jobs->ill_until_ns = now + POOL_ILL_REST_NS;
    if (!pool_is_ill(jobs, now))
        return;
    log_errorx("workers keep dying with no task to blame: no jobs for %llu s",
               POOL_ILL_REST_NS / NS_PER_S);
    refuse_waiting(jobs);
}
