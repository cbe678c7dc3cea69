/*
 * slices: see slices.h. One per thread that wants to know when it was on which CPU.
 *
 * The exact source is a perf event that counts nothing: it only makes the kernel write a record
 * (PERF_RECORD_SWITCH, perf_event_open(2)) whenever the thread is taken off a CPU or put on one,
 * into a ring that we read without any system call. If the ring overflows between two readings,
 * slices are lost, never invented.
 *
 * The tick source compares two clocks: where wall time has passed without CPU time, the thread was
 * away. It can't see gaps shorter than TICK_GAP_NS.
 */
#include "common/slices.h"

#include "common/clock.h"
#include "common/log.h"

#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RING_PAGES = 8, PENDING_MAX = 64 };
#define TICK_GAP_NS (100 * NS_PER_US)

/* What PERF_RECORD_SWITCH looks like with the sample_type below. */
struct switch_record {
    struct perf_event_header header;
    uint32_t pid, tid;
    uint64_t time;
    uint32_t cpu, reserved;
};

struct slices {
    int fd; /* -1: ticks */
    struct perf_event_mmap_page *page;
    const unsigned char *ring;
    size_t ring_size;

    bool on; /* the slice that runs: */
    uint64_t start;
    uint32_t cpu;

    /* ticks only */
    uint64_t last_wall, last_cpu_time;
    struct slice pending[PENDING_MAX]; /* finished, not yet taken */
    unsigned npending;
    uint64_t switches;
};

static int
open_event(void)
{
    struct perf_event_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    attr.context_switch = 1;
    attr.sample_id_all = 1;
    attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU;
    attr.use_clockid = 1;
    attr.clockid = CLOCK_MONOTONIC;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static bool
open_exact(struct slices *s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *map;

    s->fd = open_event();
    if (s->fd < 0)
        return false;
    map = mmap(NULL, page * (1 + RING_PAGES), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (map == MAP_FAILED) {
        close(s->fd);
        s->fd = -1;
        return false;
    }
    s->page = map;
    s->ring = (const unsigned char *)map + page;
    s->ring_size = page * RING_PAGES;
    return true;
}

struct slices *
slices_open(bool allow_exact)
{
    struct slices *s = xcalloc(1, sizeof(*s));

    s->fd = -1;
    if (allow_exact)
        (void)open_exact(s);
    slices_begin(s);
    if (s->fd >= 0) { /* the thread is running now; what follows is written by the kernel */
        s->on = true;
        s->start = clock_ns();
        s->cpu = (uint32_t)sched_getcpu();
    }
    return s;
}

void
slices_close(struct slices *s)
{
    if (s->fd >= 0) {
        munmap(s->page, (size_t)sysconf(_SC_PAGESIZE) * (1 + RING_PAGES));
        close(s->fd);
    }
    free(s);
}

bool
slices_exact(const struct slices *s)
{
    return s->fd >= 0;
}

/* ---- ticks ---- */

static void
tick_finish(struct slices *s, uint64_t end)
{
    if (!s->on)
        return;
    s->on = false;
    if (end > s->start && s->npending < PENDING_MAX)
        s->pending[s->npending++] = (struct slice){.start = s->start, .end = end, .cpu = s->cpu};
}

void
slices_begin(struct slices *s)
{
    if (s->fd >= 0)
        return;
    s->on = true;
    s->start = s->last_wall = clock_ns();
    s->last_cpu_time = clock_thread_cpu_ns();
    s->cpu = (uint32_t)sched_getcpu();
}

void
slices_tick(struct slices *s)
{
    uint64_t wall, cpu_time, away;
    uint32_t cpu;

    if (s->fd >= 0 || !s->on)
        return;
    wall = clock_ns();
    cpu_time = clock_thread_cpu_ns();
    cpu = (uint32_t)sched_getcpu();
    away = wall - s->last_wall;
    away = away > cpu_time - s->last_cpu_time ? away - (cpu_time - s->last_cpu_time) : 0;
    if (away > TICK_GAP_NS || cpu != s->cpu) {
        s->switches++;
        tick_finish(s, s->last_wall);
        s->on = true;
        s->start = s->last_wall + away;
        s->cpu = cpu;
    }
    s->last_wall = wall;
    s->last_cpu_time = cpu_time;
}

void
slices_end(struct slices *s)
{
    if (s->fd >= 0)
        return;
    slices_tick(s);
    tick_finish(s, s->last_wall);
}

static unsigned
take_ticks(struct slices *s, struct slice *out, unsigned max, uint64_t *switches)
{
    unsigned n;

    slices_tick(s);
    if (s->on) { /* handed out up to now; it goes on as a new one */
        tick_finish(s, s->last_wall);
        s->on = true;
        s->start = s->last_wall;
    }
    n = s->npending < max ? s->npending : max;
    memcpy(out, s->pending, n * sizeof(*out));
    memmove(s->pending, s->pending + n, (s->npending - n) * sizeof(*out));
    s->npending -= n;
    if (switches != NULL)
        *switches += s->switches;
    s->switches = 0;
    return n;
}

/* ---- records of the kernel ---- */

/* Copies octets out of the ring, which may wrap. */
static void
copy_out(const struct slices *s, uint64_t at, void *out, size_t size)
{
    size_t offset = (size_t)(at % s->ring_size), first = s->ring_size - offset;

    if (first > size)
        first = size;
    memcpy(out, s->ring + offset, first);
    memcpy((unsigned char *)out + first, s->ring, size - first);
}

/* One record; true when it ended a slice, which is then in *out. */
static bool
take_record(struct slices *s, const struct switch_record *r, struct slice *out, uint64_t *switches)
{
    bool ended = false;

    if ((r->header.misc & PERF_RECORD_MISC_SWITCH_OUT) != 0) {
        if (s->on && r->time > s->start) {
            *out = (struct slice){.start = s->start, .end = r->time, .cpu = s->cpu};
            ended = true;
        }
        s->on = false;
        if (switches != NULL)
            (*switches)++;
    } else {
        s->on = true;
        s->start = r->time;
        s->cpu = r->cpu;
    }
    return ended;
}

static unsigned
take_exact(struct slices *s, struct slice *out, unsigned max, uint64_t *switches)
{
    uint64_t head = __atomic_load_n(&s->page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = s->page->data_tail, now;
    unsigned n = 0;

    while (tail < head && n < max) {
        struct switch_record r = {0};

        copy_out(s, tail, &r.header, sizeof(r.header));
        if (r.header.size == 0)
            break;
        copy_out(s, tail, &r, r.header.size < sizeof(r) ? r.header.size : sizeof(r));
        tail += r.header.size;
        if (r.header.type == PERF_RECORD_SWITCH)
            n += take_record(s, &r, &out[n], switches);
    }
    __atomic_store_n(&s->page->data_tail, tail, __ATOMIC_RELEASE);
    now = clock_ns();
    if (tail == head && s->on && n < max && now > s->start) {
        out[n++] = (struct slice){.start = s->start, .end = now, .cpu = s->cpu};
        s->start = now;
    }
    return n;
}

unsigned
slices_take(struct slices *s, struct slice *out, unsigned max, uint64_t *switches)
{
    return s->fd >= 0 ? take_exact(s, out, max, switches) : take_ticks(s, out, max, switches);
}
