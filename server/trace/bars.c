/*
 * bars: see bars.h. Runs in the front end. Slices come latest first, so all goes backwards; for
 * each process a finger on the spans of its lane goes back along with its slices. Those of one lane
 * follow each other in the order in which they were recorded.
 */
#include "trace/bars.h"

#include "common/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_A_PIECE = 4000 };

void
bars_init(struct bars *b, struct picture *p, uint64_t grain)
{
    memset(b, 0, sizeof(*b));
    b->picture = p;
    b->grain = grain > 0 ? grain : 1;
    b->before = xmalloc((p->nspans + 1) * sizeof(*b->before));
}

void
bars_fini(struct bars *b)
{
    free(b->before);
    b->before = NULL;
}

/* Whose process worked in this span: 0 the loop, 1 + i worker i; -1: it was no work on a CPU. */
static int
worker_of(const struct span *s)
{
    if (s->kind != SPAN_TASK && s->kind != SPAN_LOOP)
        return -1;
    if ((s->lane & LANE_GROUP_MASK) == LANE_LOOP)
        return 0;
    return 1 + (s->lane & ~LANE_GROUP_MASK) < SPAN_PROCESSES ? 1 + (s->lane & ~LANE_GROUP_MASK)
                                                             : -1;
}

/* ---- merging what is too narrow ---- */

static void
flush(struct bars *b, struct bar_open *o)
{
    if (!o->open)
        return;
    o->open = false;
    if (b->count == BARS_MAX) {
        b->too_many = true;
        return;
    }
    b->list[b->count++] = o->bar;
    if (o->bar.end - o->bar.start < 2 * b->grain)
        return; /* hardly to be seen: needs no explanation */
    b->seen[o->bar.kind] = true;
    b->seen_loop |= o->bar.kind == BAR_CPU && o->bar.loop;
}

/* A part that ends before what was put there last, or overlaps with it. */
static void
put(struct bars *b, struct bar_open *o, const struct bar *part)
{
    const uint64_t length = part->end - part->start;
    const bool same = o->open && o->bar.row == part->row && o->bar.loop == part->loop;
    const bool close = o->open && part->end + b->grain > o->bar.start;

    if (close && (same || o->bar.end - o->bar.start < b->grain)) {
        if (!same && length > o->longest) {
            o->bar.row = part->row;
            o->bar.loop = part->loop;
        }
        if (length > o->longest)
            o->longest = length;
        if (part->start < o->bar.start)
            o->bar.start = part->start;
        if (part->end > o->bar.end)
            o->bar.end = part->end;
        return;
    }
    flush(b, o);
    *o = (struct bar_open){.bar = *part, .longest = length, .open = true};
}

/* ---- who was on which CPU ---- */

static void
put_block(struct bars *b, const struct bar *part)
{
    struct bar_open *const row = b->blocks[part->row];
    const int place = b->picture->ncpus <= BARS_SPLIT_MAX ? part->lane : 0;
    struct bar block = *part;

    block.kind = BAR_BLOCK;
    block.loop = false;
    for (int i = 0; i < BARS_SPLIT_MAX; i++)
        b->split |= i != place && row[i].open && part->end > row[i].bar.start + b->grain;
    put(b, &row[place], &block);
}

static void
put_part(struct bars *b, const struct span *slice, uint64_t start, uint64_t end, uint64_t request)
{
    struct bar part = {.start = start,
                       .end = end,
                       .kind = BAR_CPU,
                       .row = request != 0 ? picture_row_of(b->picture, request) : -1,
                       .lane = picture_lane_of(b->picture, slice->lane - LANE_CPU),
                       .loop = slice->arg == 0};

    if (start >= end || part.lane < 0)
        return;
    put(b, &b->lanes[part.lane], &part);
    if (part.row < 0)
        return;
    b->picture->rows[part.row].cpu_ns += end - start;
    put_block(b, &part);
}

/* Cuts a slice up by what its process worked on. How many spans were looked at. */
static unsigned
put_slice(struct bars *b, const struct span *slice)
{
    int32_t *const latest = &b->latest[slice->arg < SPAN_PROCESSES ? slice->arg : 0];
    uint64_t end = slice->end;
    unsigned steps = 0;

    for (; *latest >= 0; *latest = b->before[*latest], steps++) {
        const struct span *work = &b->picture->spans[*latest];
        const uint64_t work_end = work->end < end ? work->end : end;
        const uint64_t work_start = work->start > slice->start ? work->start : slice->start;

        if (work->end <= slice->start)
            break;
        if (work_start < work_end) {
            put_part(b, slice, work_end, end, 0);
            put_part(b, slice, work_start, work_end, work->request);
            end = work_start;
        }
        if (work->start <= slice->start)
            break;
    }
    put_part(b, slice, slice->start, end, 0);
    return steps + 1;
}

/* ---- what requests waited for ---- */

static void
put_wait(struct bars *b, const struct span *s)
{
    struct picture *const p = b->picture;
    struct bar part = {.start = s->start > p->from ? s->start : p->from,
                       .end = s->end < p->to ? s->end : p->to,
                       .row = picture_row_of(p, s->request),
                       .lane = -1};

    if (part.row < 0 || part.start >= part.end)
        return;
    switch ((enum span_kind)s->kind) {
    case SPAN_QUERY:
        part.kind = BAR_WAIT;
        p->rows[part.row].db_ns += part.end - part.start;
        break;
    case SPAN_GATE:
    case SPAN_QUEUE:
    case SPAN_LOCK:
        part.kind = BAR_QUEUE;
        p->rows[part.row].queue_ns += part.end - part.start;
        break;
    case SPAN_REQUEST:
    case SPAN_LOOP:
    case SPAN_TURN:
    case SPAN_BATCH:
    case SPAN_TASK:
    case SPAN_CPU:
    case SPAN_KINDS:
        return;
    }
    put(b, &b->waits[part.row][part.kind == BAR_QUEUE], &part);
}

/* ---- piece by piece ---- */

static void
begin(struct bars *b)
{
    struct picture *const p = b->picture;

    b->count = b->at = 0;
    b->too_many = b->split = b->seen_loop = false;
    memset(b->seen, 0, sizeof(b->seen));
    memset(b->lanes, 0, sizeof(b->lanes));
    memset(b->blocks, 0, sizeof(b->blocks));
    memset(b->waits, 0, sizeof(b->waits));
    memset(b->latest, -1, sizeof(b->latest));
    for (unsigned i = 0; i < p->nspans; i++) {
        int who = worker_of(&p->spans[i]);

        if (who < 0)
            continue;
        b->before[i] = b->latest[who];
        b->latest[who] = (int32_t)i;
    }
    for (unsigned i = 0; i < p->nrows; i++)
        p->rows[i].cpu_ns = p->rows[i].db_ns = p->rows[i].queue_ns = 0;
    b->begun = true;
}

static void
flush_all(struct bars *b)
{
    for (unsigned i = 0; i < PICTURE_CPUS; i++)
        flush(b, &b->lanes[i]);
    for (unsigned i = 0; i < PICTURE_ROWS; i++) {
        for (unsigned k = 0; k < BARS_SPLIT_MAX; k++)
            flush(b, &b->blocks[i][k]);
        flush(b, &b->waits[i][0]);
        flush(b, &b->waits[i][1]);
    }
}

bool
bars_more(struct bars *b)
{
    struct picture *const p = b->picture;
    unsigned steps = 0;

    if (!b->begun) {
        begin(b);
        return true;
    }
    while (steps < STEPS_A_PIECE && b->at < p->nslices)
        steps += put_slice(b, &p->slices[b->at++]);
    for (; steps < STEPS_A_PIECE && b->at < p->nslices + p->nspans; b->at++, steps++)
        put_wait(b, &p->spans[p->nspans - 1 - (b->at - p->nslices)]);
    if (b->at < p->nslices + p->nspans && !b->too_many)
        return true;
    flush_all(b);
    if (!b->too_many)
        return false;
    b->grain *= 2;
    b->begun = false;
    return true;
}
