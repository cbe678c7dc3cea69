/*
 * CPU slices of the calling thread: when it was on which CPU. Two sources, one interface:
 *
 *   exact   perf_event_open: software dummy event, context_switch, exclude_kernel, CLOCK_MONOTONIC,
 *           sample_id_all with TIME and CPU. Open to ordinary users (perf_event_paranoid <= 2).
 *   ticks   where that is forbidden: slices_tick() every ~65 us of own work notes CLOCK_MONOTONIC,
 *           sched_getcpu() and the thread's CPU time; a gap in CPU time or another CPU ends a
 * slice.
 *
 * Used by each worker and by the loop thread; each drains its own.
 */
#ifndef COMMON_SLICES_H
#define COMMON_SLICES_H

#include <stdbool.h>
#include <stdint.h>

struct slice {
    uint64_t start; /* clock_ns() */
    uint64_t end;
    uint32_t cpu;
    uint32_t spare;
};

struct slices;

/* Opens the best source there is for the calling thread. allow_exact = false: ticks only (tests).
 */
struct slices *slices_open(bool allow_exact);
void slices_close(struct slices *);
bool slices_exact(const struct slices *);

/* Own work begins (after a wait) / goes on / ends (before a wait that may sleep). Cheap: one clock
 * reading for the tick source, nothing for the exact one. */
void slices_begin(struct slices *);
void slices_tick(struct slices *);
void slices_end(struct slices *);

/* Takes up to `max` finished slices, oldest first; a slice still running is handed out up to now
 * and goes on as a new one. Returns how many. *switches (may be NULL) is raised by the kernel
 * switches (times the thread was taken off a CPU) seen. */
unsigned slices_take(struct slices *, struct slice *out, unsigned max, uint64_t *switches);

#endif
