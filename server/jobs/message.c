/*
 * message: what is said between the front end and one worker. Runs in the front end.
 *
 *   front end -> worker   TASK_AREA, TASK_RUN, TASK_DROP
 *   front end <- worker   TASK_DONE, in the order of the TASK_RUNs
 *
 * The socket never blocks. When it is full (a worker that does not read), tasks go back to their
 * jobs, and the news that an area is no longer needed waits until there is room.
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* ---- from the worker ---- */

/* The first slot is done; the second one runs from now on. */
static struct slot
first_slot_out(struct worker *w, uint64_t now)
{
    struct slot slot = w->slots[0];

    w->nslots--;
    w->slots[0] = w->slots[1];
    w->silent_ns = 0;
    if (w->nslots > 0)
        job_task_begin(w->slots[0].work, now);
    else if (w->state == WORKER_BUSY)
        worker_move(w, WORKER_IDLE);
    worker_show_cancel(w);
    return slot;
}

static uint64_t
clamp(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static bool
is_right(const struct worker *w, const struct task_message *m)
{
    const struct slot *s = &w->slots[0];

    return m->type == TASK_DONE && w->nslots > 0 && m->job == s->work->id &&
           m->stage == s->task.stage && m->index == s->task.index &&
           m->kernel == s->work->kernel_number && m->small_len <= KERNEL_SMALL_MAX &&
           m->failed <= 1;
}

static void
on_done(struct worker *w, const struct task_message *m, uint64_t now)
{
    struct slot slot;
    struct job_result result;
    uint64_t start, end;

    if (!is_right(w, m)) {
        w->jobs->counts.wrong_messages++;
        worker_doom(w, "it sent a wrong message");
        return;
    }
    worker_take_slices(w, now);
    slot = first_slot_out(w, now);
    start = clamp(m->start, slot.sent_ns > w->last_end_ns ? slot.sent_ns : w->last_end_ns, now);
    end = clamp(m->end, start, now);
    w->last_end_ns = end;
    w->tasks++;
    w->cpu = m->cpu;
    if (slot.work->recorded)
        span_add(w->jobs->ring, SPAN_TASK, LANE_WORKER + w->index, slot.work->request,
                 slot.task.stage << 24 | slot.task.index, start, end);
    result = (struct job_result){.failed = m->failed != 0,
                                 .ended_ns = now,
                                 .cpu_ns = clamp(m->cpu_ns, 0, end - start),
                                 .switches = clamp(m->switches, 0, UINT32_MAX),
                                 .cpu = m->cpu,
                                 .who = 1 + w->index,
                                 .small = m->small,
                                 .small_len = m->small_len};
    job_task_done(slot.work, &slot.task, &result);
}

void
worker_read(struct worker *w, unsigned most)
{
    struct task_message m;

    while (most-- > 0 && worker_is_alive(w)) {
        int got = wire_receive(w->fd, &m, sizeof(m), NULL, NULL);

        if (got > 0) {
            on_done(w, &m, clock_ns());
        } else if (got == 0) {
            worker_lose(w);
        } else if (errno == EAGAIN) {
            return;
        } else {
            w->jobs->counts.wrong_messages++;
            worker_doom(w, strerror(errno));
        }
    }
}

/* ---- to the worker ---- */

/* 0 sent; -1: full for the moment, or broken (then it is lost or doomed). */
static int
send_message(struct worker *w, const struct task_message *m, int area_fd)
{
    if (w->full)
        return -1;
    if (wire_send(w->fd, m, sizeof(*m), &area_fd, area_fd >= 0 ? 1 : 0) == 0)
        return 0;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) {
        w->full = true;
        event_add(w->writable, NULL);
    } else if (errno == EPIPE || errno == ECONNRESET) {
        worker_lose(w);
    } else {
        worker_doom(w, strerror(errno));
    }
    return -1;
}

/* Tells it of all areas that are no longer needed. */
static void
send_drops(struct worker *w)
{
    for (unsigned i = 0; i < w->nareas;) {
        const struct task_message m = {.type = TASK_DROP, .job = w->areas[i].job};

        if (!w->areas[i].over) {
            i++;
            continue;
        }
        if (send_message(w, &m, -1) != 0)
            return;
        w->areas[i] = w->areas[--w->nareas];
    }
}

void
worker_resume(struct worker *w)
{
    w->full = false;
    if (worker_is_alive(w))
        send_drops(w);
}

void
worker_drop_area(struct worker *w, uint64_t job)
{
    if (!worker_is_alive(w))
        return;
    for (unsigned i = 0; i < w->nareas; i++) {
        if (w->areas[i].job == job) {
            w->areas[i].over = true;
            send_drops(w);
            return;
        }
    }
}

/* Its first task of a job with an area: the area goes ahead. */
static int
send_area(struct worker *w, const struct job_work *work)
{
    const struct task_message m = {
        .type = TASK_AREA, .job = work->id, .area_size = work->area.size};

    if (work->area.fd < 0)
        return 0;
    for (unsigned i = 0; i < w->nareas; i++) {
        if (w->areas[i].job == work->id)
            return 0;
    }
    if (w->nareas == w->areas_room) {
        w->areas_room = w->areas_room > 0 ? 2 * w->areas_room : 8;
        w->areas = xrealloc(w->areas, w->areas_room * sizeof(*w->areas));
    }
    if (send_message(w, &m, work->area.fd) != 0)
        return -1;
    w->areas[w->nareas++] = (struct worker_area){.job = work->id};
    return 0;
}

bool
worker_takes(const struct worker *w, unsigned held)
{
    assert(held < WORKER_SLOTS);
    if (!worker_is_alive(w) || w->full || w->nslots != held)
        return false;
    return held == 0 || w->slots[0].task.guess_ns <= WORKER_SOON_NS;
}

bool
worker_give(struct worker *w, struct job_work *work, uint64_t now)
{
    struct task_message m = {.type = TASK_RUN, .kernel = work->kernel_number, .job = work->id};
    struct slot *slot = &w->slots[w->nslots];

    job_task_take(work, &slot->task);
    m.area_size = work->area.size;
    m.stage = slot->task.stage;
    m.index = slot->task.index;
    m.count = work->count;
    memcpy(m.params, work->params, sizeof(m.params));
    if (send_area(w, work) != 0 || send_message(w, &m, -1) != 0) {
        job_task_return(work, &slot->task);
        return false;
    }
    slot->work = work;
    slot->sent_ns = now;
    if (w->nslots++ == 0) {
        w->silent_ns = 0;
        worker_move(w, WORKER_BUSY);
        job_task_begin(work, now);
    }
    return true;
}
