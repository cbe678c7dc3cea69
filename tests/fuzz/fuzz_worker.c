/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_world.c tests/lib/job_kernels.c tests/fuzz/input.c tests/fuzz/asserts.c */
/*
 * Two workers in the hands of the input, which the front end must not trust in anything. The input
 * is a list of deeds, a letter each with what it needs behind it:
 *
 *   + w    worker w starts            d w      it answers its task as it should
 *   - w    it dies                    l w f v  the same, but field f of the message is v
 *   s n    a job of n, in sections    r w n    it sends n octets of the input
 *   m n    a job with an area         f w      it sends an answer with a descriptor
 *   q j    nobody waits for job j     p w o v  it writes v at place o of its page
 *
 * Promises: a worker is killed when it has sent a wrong message, and only then. Whatever it did, a
 * worker that takes its seat computes, and in the end no memory is counted as used.
 */
#include "../lib/job_kernels.h"
#include "../lib/job_world.h"
#include "common/memory.h"
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDS = 2, JOBS = 3, STARTS_MAX = 3, DEEDS_MAX = 40 };

/* What the input holds of a worker. */
struct hand {
    struct task_message runs[2]; /* tasks it was given and has not answered */
    unsigned nruns;
    bool there;
    bool sunk; /* its socket is closed, or its death was asked for: nothing is read from it */
};

static struct world w;
static struct waiter jobs[JOBS];
static struct hand hands[HANDS];
static unsigned starts, kills;

struct deeds {
    const uint8_t *p, *end;
};

static unsigned
octet(struct deeds *d)
{
    return d->p < d->end ? *d->p++ : 0;
}

static uint64_t
number(struct deeds *d)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8 && d->p < d->end && *d->p != ' '; i++)
        value = value << 8 | *d->p++;
    return value;
}

/* ---- the workers' ends ---- */

static void
collect(unsigned index)
{
    struct hand *h = &hands[index];
    struct task_message m;

    while (h->there && !h->sunk && held_receive(&w, index, &m, NULL)) {
        if (m.type != TASK_RUN)
            continue;
        FUZZ_CHECK(h->nruns < 2);
        h->runs[h->nruns++] = m;
    }
}

static void
turn(void)
{
    for (unsigned i = 0; i < 3; i++)
        (void)world_turn(&w);
    for (unsigned i = 0; i < HANDS; i++)
        collect(i);
}

static void
start(unsigned index)
{
    if (hands[index].there || starts == STARTS_MAX)
        return;
    starts++;
    world_add_held(&w, index);
    hands[index] = (struct hand){.there = true};
}

static void
die(unsigned index)
{
    if (!hands[index].there)
        return;
    world_lose(&w, index, 9);
    hands[index].there = false;
}

/* Sends, and sees whether it was believed. */
static void
send_octets(unsigned index, const void *data, size_t len, bool right)
{
    struct hand *h = &hands[index];

    if (!h->there || send(w.workers[index].fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
    turn();
    if (h->sunk)
        return;
    h->sunk = !right;
    kills += !right && len > 0; /* a packet of nothing looks as if the socket were closed */
    FUZZ_CHECK(w.nkills == kills);
}

static struct task_message
next_answer(struct hand *h)
{
    struct task_message m = h->runs[0];

    m.type = TASK_DONE;
    m.small_len = sizeof(uint64_t);
    memcpy(m.small, &(uint64_t){42}, sizeof(uint64_t));
    return m;
}

static void
answer(unsigned index, const struct task_message *m)
{
    struct hand *h = &hands[index];
    const struct task_message *run = &h->runs[0];
    bool right = h->nruns > 0 && m->type == TASK_DONE && m->kernel == run->kernel &&
                 m->job == run->job && m->stage == run->stage && m->index == run->index &&
                 m->failed <= 1 && m->small_len <= KERNEL_SMALL_MAX;

    if (h->nruns > 0) {
        h->runs[0] = h->runs[1];
        h->nruns--;
    }
    send_octets(index, m, sizeof(*m), right);
}

static void
lie(unsigned index, unsigned field, uint64_t value)
{
    struct task_message m = next_answer(&hands[index]);
    const struct {
        void *at;
        size_t size;
    } fields[] = {
        {&m.type, 4},   {&m.kernel, 4}, {&m.job, 8},       {&m.stage, 4},  {&m.index, 4},
        {&m.failed, 4}, {&m.start, 8},  {&m.end, 8},       {&m.cpu_ns, 8}, {&m.switches, 8},
        {&m.cpu, 4},    {&m.count, 4},  {&m.small_len, 4}, {&m.small, 8},  {&m.area_size, 8},
    };
    const size_t i = field % (sizeof(fields) / sizeof(fields[0]));

    memcpy(fields[i].at, &value, fields[i].size);
    answer(index, &m);
}

static void
send_descriptor(unsigned index)
{
    struct task_message m = next_answer(&hands[index]);
    const int fd = STDERR_FILENO;

    if (!hands[index].there || wire_send(w.workers[index].fd, &m, sizeof(m), &fd, 1) != 0)
        return;
    turn();
    if (hands[index].sunk)
        return;
    hands[index].sunk = true;
    FUZZ_CHECK(w.nkills == ++kills);
}

/* ---- */

static void
begin_job(const struct kernel *kernel, unsigned n)
{
    for (unsigned i = 0; i < JOBS; i++) {
        if (jobs[i].job.work != NULL || jobs[i].done > 0)
            continue;
        world_start(&w, &jobs[i], kernel, 1 + (int64_t)n, 1 + n % 7, EXEC_WORKERS);
        return;
    }
}

static void
end_job(unsigned i)
{
    job_release(&jobs[i].job);
    memset(&jobs[i], 0, sizeof(jobs[i]));
}

static void
write_page(unsigned index, unsigned place, uint64_t value)
{
    if (hands[index].there && place + sizeof(value) <= PAGE_OCTETS)
        memcpy((char *)w.workers[index].page + place, &value, sizeof(value));
}

static void
act(struct deeds *d)
{
    unsigned deed = octet(d), index = octet(d) % HANDS;
    struct hand *h = &hands[index];
    struct task_message m;
    size_t len;

    switch (deed) {
    case '+':
        start(index);
        break;
    case '-':
        die(index);
        break;
    case 's':
        begin_job(&kernel_sum, octet(d));
        break;
    case 'm':
        begin_job(&kernel_area, octet(d));
        break;
    case 'q':
        end_job(octet(d) % JOBS);
        break;
    case 'd':
        m = next_answer(h);
        answer(index, &m);
        break;
    case 'l':
        deed = octet(d);
        lie(index, deed, number(d));
        break;
    case 'r':
        len = octet(d);
        len = len < (size_t)(d->end - d->p) ? len : (size_t)(d->end - d->p);
        send_octets(index, d->p, len, false);
        d->p += len;
        break;
    case 'f':
        send_descriptor(index);
        break;
    case 'p':
        deed = octet(d) << 8;
        deed |= octet(d);
        write_page(index, deed % PAGE_OCTETS, number(d));
        break;
    default:
        break;
    }
    turn();
}

/* Honest work, after all that was done to the front end. */
static void
check_alive(void)
{
    for (unsigned i = 0; i < HANDS; i++)
        die(i);
    for (unsigned i = 0; i < JOBS; i++)
        end_job(i);
    starts = 0;
    start(0);
    world_start(&w, &jobs[0], &kernel_sum, 1000, 1, EXEC_WORKERS);
    turn();
    FUZZ_CHECK(hands[0].nruns == 1);
    struct task_message m = next_answer(&hands[0]);
    answer(0, &m);
    FUZZ_CHECK(jobs[0].done == 1);
    FUZZ_CHECK(strcmp(world_answer(&jobs[0]), "42") == 0);
    end_job(0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct deeds d = {data, data + len};

    world_open(&w);
    memset(hands, 0, sizeof(hands));
    memset(jobs, 0, sizeof(jobs));
    starts = kills = 0;
    for (unsigned i = 0; i < DEEDS_MAX && d.p < d.end; i++)
        act(&d);
    check_alive();
    world_close(&w);
    FUZZ_CHECK(memory_used() == 0);
    return 0;
}
