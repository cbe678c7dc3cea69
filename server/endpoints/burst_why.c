/*
 * The last line of a burst: what it took, how much went on at the same time, and why it took as
 * long as it did. The reason is chosen from counters by which resource was short; it never repeats
 * what was asked for, it says what was measured.
 */
#include "endpoints/burst.h"
#include "request/runner.h"

#include <stdio.h>
#include <string.h>

/* Less work than this is not worth a reason. */
#define LITTLE_MS 10.0

/* What the reasons are chosen from. */
struct facts {
    double wall, db, cpu, loop, queue, lock, gate, longest; /* ms */
    double factor;
    unsigned running_max, workers;
    struct db_class_status slow;
};

static double
ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

double
burst_factor(const struct burst *s)
{
    const double wall = ms(s->end_ns - s->start_ns);
    const struct usage *used = &s->usage;
    /* db_ns may be less than lock and unseen time together: the lock was waited for unseen, too */
    const uint64_t db = used->db_ns > used->unseen_ns ? used->db_ns - used->unseen_ns : 0;

    return wall > 0 ? ms(db + used->cpu_ns + s->loop_ns) / wall : 0;
}

static void
take_facts(const struct burst *s, struct facts *f)
{
    const struct runner *rn = s->r->runner;

    *f = (struct facts){
        .wall = ms(s->end_ns - s->start_ns),
        .db = ms(s->usage.db_ns),
        .cpu = ms(s->usage.cpu_ns),
        .loop = ms(s->loop_ns),
        .queue = ms(s->usage.queue_ns),
        .lock = ms(s->lock_ns),
        .gate = ms(s->gate_ns),
        .longest = ms(s->longest_ns),
        .factor = burst_factor(s),
        .running_max = span_ring_running_max(rn->ring, s->start_ns, s->end_ns, NULL),
        .workers = jobs_workers(rn->jobs),
    };
    db_class_status(rn->db, DB_SLOW, &f->slow);
}

static void
why_failed(const struct burst *s, struct buf *b)
{
    buf_addf(b, "%u of %u requests failed: their lines say why", s->failed, s->count);
}

/* Why there was never more than one request at a time. */
static const char *
why_alone(const struct burst *s)
{
    if (s->at_once == 1)
        return "at_once=1";
    if (s->r->runner->conf->max_in_progress == 1)
        return "max_in_progress = 1";
    return s->gap_ns > 0 ? "each was over before the gap" : "each was over before the next began";
}

static void
why_one_at_a_time(const struct burst *s, const struct facts *f, struct buf *b)
{
    if (f->cpu > 0 && f->running_max > 1)
        buf_addf(b,
                 "one request at a time: %.0f ms of waiting in a row, and %.0f ms of CPU time on "
                 "%u CPUs",
                 f->db, f->cpu, f->running_max);
    else
        buf_addf(
            b,
            "one request at a time: %.0f ms of waiting and %.0f ms of CPU time, all in a row (%s)",
            f->db, f->cpu + f->loop, why_alone(s));
}

static void
why_lock(const struct burst *s, const struct facts *f, struct buf *b)
{
    buf_addf(b, "one lock at a time: the %u requests waited %.0f ms for one another in all",
             s->count, f->lock);
}

static void
why_connections(const struct burst *s, const struct facts *f, struct buf *b)
{
    unsigned rounds = (s->count + f->slow.connections_max - 1) / f->slow.connections_max;

    buf_addf(b, "%u connections for slow queries: %u requests in about %u rounds",
             f->slow.connections_max, s->count, rounds);
}

static void
why_cpu(const struct burst *s, const struct facts *f, struct buf *b)
{
    if ((s->ran_on & 1u << EXEC_LOOP_BLOCKING) != 0) {
        buf_addf(
            b,
            "computing blocked the loop: %.0f ms of CPU time in %.0f ms, and meanwhile no other "
            "request could go on",
            f->cpu, f->wall);
        return;
    }
    if (s->ran_on == 1u << EXEC_WORKERS)
        buf_addf(b, "%u worker%s on %u CPU%s: %.0f ms of CPU time in %.0f ms", f->workers,
                 f->workers == 1 ? "" : "s", f->running_max, f->running_max == 1 ? "" : "s", f->cpu,
                 f->wall);
    else
        buf_addf(b,
                 "the loop's one CPU: %.0f ms of CPU time in %.0f ms; the computations took turns",
                 f->cpu + f->loop, f->wall);
    if (f->db > f->wall * 0.2)
        buf_add_text(b, "; the waits overlapped with it");
}

static void
why_waits(const struct burst *s, const struct facts *f, struct buf *b)
{
    if (s->count == 1)
        buf_addf(b, "one request: %.0f ms of waiting; nothing overlapped", f->db);
    else
        buf_addf(b, "the waits overlapped: %.0f ms of waiting in %.0f ms, on one thread", f->db,
                 f->wall);
    if (s->gap_ns > 0)
        buf_addf(b, "; a start every %.0f ms", ms(s->gap_ns));
}

static void
add_why(const struct burst *s, const struct facts *f, struct buf *b)
{
    struct buf why = {0};
    double work = f->db + f->cpu + f->loop + f->lock;

    if (s->failed > 0)
        why_failed(s, &why);
    else if (s->count > 1 && s->requests_max <= 1 && f->db + f->cpu > f->wall * 0.5)
        why_one_at_a_time(s, f, &why);
    else if (work < LITTLE_MS)
        buf_addf(&why, "little to do: %.1f ms of work in %.1f ms", work, f->wall);
    else if (f->lock > f->wall * 0.5)
        why_lock(s, f, &why);
    else if (f->slow.waited > s->slow_waited_at && s->requests_max > f->slow.connections_max &&
             f->slow.connections_max > 0 && f->queue - f->lock > f->wall * 0.2 && f->db > f->cpu)
        why_connections(s, f, &why);
    else if (f->cpu > f->wall * 0.5 || f->cpu > f->db)
        why_cpu(s, f, &why);
    else
        why_waits(s, f, &why);
    if (s->failed == 0 && work > LITTLE_MS && work < f->wall * 0.5 && s->gap_ns == 0)
        buf_add_text(&why, "; the rest of the time other programs had the CPUs");
    buf_add_json_string(b, why.data, why.len);
    buf_fini(&why);
}

void
burst_summary(const struct burst *s, struct buf *b)
{
    struct facts f;

    take_facts(s, &f);
    buf_addf(b, "{\"summary\":{\"count\":%u,\"failed\":%u,\"wall_ms\":%.1f,\"factor\":%.2f,",
             s->count, s->failed, f.wall, f.factor);
    buf_addf(b, "\"requests_max\":%u,\"in_progress_max\":%u,\"running_max\":%u,",
             s->requests_max > 0 ? s->requests_max : 1,
             s->in_progress_max > 0 ? s->in_progress_max : 1, f.running_max);
    buf_addf(b, "\"db_ms\":%.1f,\"cpu_ms\":%.1f,\"loop_ms\":%.1f,\"queue_ms\":%.1f,", f.db, f.cpu,
             f.loop, f.queue + f.gate);
    buf_addf(b, "\"loop_switches\":%llu,\"kernel_switches\":%llu,\"burst\":\"%llu\",\"why\":",
             (unsigned long long)(s->r->runner->loop_switches - s->switches_at),
             (unsigned long long)s->usage.kernel_switches, (unsigned long long)s->r->id);
    add_why(s, &f, b);
    buf_add_text(b, "}}\n");
}
