/*
 * task: see task.h. Runs in a worker.
 *
 *   wait in recvmsg() -> TASK_AREA  map it
 *        ^               TASK_RUN   page: job -> run() -> page: slices, no job -> TASK_DONE
 *        |               TASK_DROP  unmap it
 *        '--------------------'
 *
 * A worker never wakes by itself. While a kernel runs, task_tick() comes by every few microseconds:
 * it raises the heartbeat, looks whether the job is still wanted, and now and then hands finished
 * CPU slices to the front end through the page. What comes from the front end is believed: it is
 * the same program and was started by the same parent.
 */
#include "task.h"

#include "area.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pace.h"
#include "common/page.h"
#include "common/slices.h"
#include "common/wire.h"
#include "kernels/kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

_Static_assert((int)WIRE_SMALL_MAX == (int)KERNEL_SMALL_MAX, "a small result fits into a message");

/* How often the kernel's ticks look at the clock: for slices by ticks, or only to hand out exact
 * ones. */
#define TICK_NS       (40 * NS_PER_US)
#define TICK_EXACT_NS NS_PER_MS
#define FLUSH_NS      (2 * NS_PER_MS)

struct server {
    int fd;
    unsigned index;
    struct worker_page *page;
    struct slices *slices;
    bool exact;
    struct areas areas;
    uint64_t job; /* of the running task */
    uint64_t heartbeat;
    struct pace pace;
    uint64_t flushed_ns;
};

/* Finished slices go into the page, where the front end finds them. */
static void
flush_slices(struct server *s, uint64_t now)
{
    enum { TAKE = 32 };
    struct worker_page *page = s->page;
    struct slice taken[TAKE];
    unsigned n;

    do {
        n = slices_take(s->slices, taken, TAKE, NULL);
        for (unsigned i = 0; i < n; i++) {
            uint64_t next = atomic_load_explicit(&page->slices_next, memory_order_relaxed);

            page->slices[next % PAGE_SLICES] = taken[i];
            atomic_store_explicit(&page->slices_next, next + 1, memory_order_release);
        }
    } while (n == TAKE);
    s->flushed_ns = now;
}

static void
beat(struct server *s)
{
    atomic_store_explicit(&s->page->heartbeat, ++s->heartbeat, memory_order_relaxed);
}

static bool
is_cancelled(const struct server *s)
{
    return atomic_load_explicit(&s->page->cancel_job, memory_order_relaxed) == s->job;
}

/* Called every few microseconds by tight loops: keep it cheap. */
static bool
on_task_tick(void *arg)
{
    struct server *s = arg;

    beat(s);
    if (pace_tick(&s->pace)) {
        if (!s->exact)
            slices_tick(s->slices);
        if (s->pace.last - s->flushed_ns >= FLUSH_NS)
            flush_slices(s, s->pace.last);
    }
    return is_cancelled(s);
}

static uint64_t
kernel_switches(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_THREAD, &u) != 0)
        fatal("getrusage");
    return (uint64_t)u.ru_nvcsw + (uint64_t)u.ru_nivcsw;
}

static bool
another_waits(const struct server *s)
{
    char octet;

    return recv(s->fd, &octet, sizeof(octet), MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* From now on the death of this process is this task's fault. */
static void
page_begin(struct server *s, const struct task_message *m)
{
    struct worker_page *page = s->page;

    s->job = m->job;
    atomic_store_explicit(&page->stage, m->stage, memory_order_relaxed);
    atomic_store_explicit(&page->index, m->index, memory_order_relaxed);
    atomic_store_explicit(&page->job, m->job, memory_order_release);
    beat(s);
}

static void
page_end(struct server *s, uint64_t now)
{
    slices_end(s->slices);
    if (now - s->flushed_ns >= FLUSH_NS || !another_waits(s))
        flush_slices(s, now);
    atomic_store_explicit(&s->page->job, 0, memory_order_release);
}

static struct task
make_task(struct server *s, const struct task_message *m)
{
    const struct area *area = m->area_size > 0 ? areas_find(&s->areas, m->job) : NULL;

    if (m->area_size > 0 && area == NULL)
        fatalx("job %" PRIu64 ": its area did not come", m->job);
    return (struct task){
        .params = m->params,
        .stage = m->stage,
        .index = m->index,
        .count = m->count,
        .worker = 1 + s->index,
        .area = area != NULL ? area->data : NULL,
        .area_size = area != NULL ? area->size : 0,
        .tick = on_task_tick,
        .tick_arg = s,
    };
}

/* Computes one task; `m` becomes the answer. */
static void
run_task(struct server *s, struct task_message *m)
{
    struct task task = make_task(s, m);
    uint64_t cpu, switches;

    page_begin(s, m);
    m->type = TASK_DONE;
    m->start = clock_ns();
    cpu = clock_thread_cpu_ns();
    switches = kernel_switches();
    slices_begin(s->slices);
    pace_init(&s->pace, s->exact ? TICK_EXACT_NS : TICK_NS, m->start);
    m->failed = !is_cancelled(s) && kernel_table[m->kernel]->run(&task) != 0;
    m->switches = kernel_switches() - switches;
    m->cpu_ns = clock_thread_cpu_ns() - cpu;
    m->cpu = (uint32_t)sched_getcpu();
    m->end = clock_ns();
    m->small_len = (uint32_t)task.small_len;
    if (task.small_len > sizeof(m->small))
        fatalx("%s: a small result of %zu octets", kernel_table[m->kernel]->name, task.small_len);
    memcpy(m->small, task.small, task.small_len);
    page_end(s, m->end);
}

static int
take_message(struct server *s, struct task_message *m, int area_fd)
{
    switch ((enum task_type)m->type) {
    case TASK_AREA:
        if (areas_map(&s->areas, m->job, area_fd, m->area_size) != 0)
            fatal("job %" PRIu64 ": its area of %" PRIu64 " octets", m->job, m->area_size);
        return 0;
    case TASK_RUN:
        run_task(s, m);
        return wire_send(s->fd, m, sizeof(*m), NULL, 0);
    case TASK_DROP:
        areas_unmap(&s->areas, m->job);
        return 0;
    case TASK_DONE:
        break;
    }
    errno = EPROTO;
    return -1;
}

int
task_serve(int fd, struct worker_page *page, unsigned index, bool allow_exact)
{
    struct server s = {.fd = fd, .index = index, .page = page};
    struct task_message m;
    int got, status = 0;

    s.slices = slices_open(allow_exact);
    s.exact = slices_exact(s.slices);
    atomic_store(&page->exact, s.exact);
    atomic_store(&page->ready, 1);
    do {
        int area_fd = -1, nfds = 1;

        got = wire_receive(fd, &m, sizeof(m), &area_fd, &nfds);
        if (got > 0)
            status = take_message(&s, &m, area_fd);
    } while (got > 0 && status == 0);
    if (status != 0 && errno == EPIPE)
        status = 0; /* closed while we computed */
    areas_fini(&s.areas);
    slices_close(s.slices);
    return got < 0 ? -1 : status;
}
