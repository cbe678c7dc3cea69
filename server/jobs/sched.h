/*
 * sched: which job's task comes next. The job with the least service (CPU time so far, what runs
 * counted by guess) goes first; of equals, the older one.
 *
 *   sched_enter ---- sched_offer <-> sched_withdraw ---- sched_leave
 *      active           has tasks to hand out               over
 *
 * A job that enters begins with the least service among the active ones, as CFS has it: it is next,
 * but it can't make up for the time in which it did not exist. So neither small nor huge jobs
 * starve.
 *
 * Pure: no clock, no memory but its heap. An entry is part of its job.
 */
#ifndef JOBS_SCHED_H
#define JOBS_SCHED_H

#include <stdint.h>
#include <sys/queue.h>

struct sched_entry {
    uint64_t service_ns;
    uint64_t order;                  /* of entering; decides between equals */
    unsigned place;                  /* 1 + place in the heap; 0: nothing to hand out */
    TAILQ_ENTRY(sched_entry) active; /* entered and not left */
};

struct sched {
    struct sched_entry **heap; /* least service first */
    unsigned count, room;
    uint64_t orders;
    TAILQ_HEAD(sched_list, sched_entry) active;
};

void sched_init(struct sched *);
void sched_fini(struct sched *);

void sched_enter(struct sched *, struct sched_entry *);
void sched_leave(struct sched *, struct sched_entry *);

/* The job has tasks to hand out / has none at present. Both may be said twice. */
void sched_offer(struct sched *, struct sched_entry *);
void sched_withdraw(struct sched *, struct sched_entry *);

/* The job was served `ns` more, or (negative) less than was guessed. */
void sched_charge(struct sched *, struct sched_entry *, int64_t ns);

/* The offering job with the least service; NULL: none offers. */
struct sched_entry *sched_least(const struct sched *);

#endif
