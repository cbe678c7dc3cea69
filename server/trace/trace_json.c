/*
 * trace_json: see trace_json.h. Reads the ring from the number it had when it was asked; spans that
 * are overwritten meanwhile are counted as left out. Format: "Trace Event Format" of Chromium;
 * times are microseconds since the begin of the cut.
 *
 *   begin -> CPU slices (sorted, cut where they overlap, with the counter "running") -> spans ->
 * end
 */
#include "trace/trace_json.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPANS_A_PIECE = 400, LANES_MAX = 65536 };

/* "Processes" of the picture, in the order in which they are shown. */
enum track { TRACK_CPU = 1, TRACK_LOOP, TRACK_DB, TRACK_WORKER, TRACK_REQUEST };
static const char *const track_names[] = {
    [TRACK_CPU] = "CPUs: who was on them",
    [TRACK_LOOP] = "event loop",
    [TRACK_DB] = "PostgreSQL",
    [TRACK_WORKER] = "workers",
    [TRACK_REQUEST] = "requests",
};

enum phase { PHASE_BEGIN, PHASE_SLICES, PHASE_SPANS, PHASE_END, PHASE_OVER };

struct trace_json {
    const struct span_ring *ring;
    struct trace_cut cut;
    enum phase phase;
    uint64_t next, last; /* span numbers */
    unsigned written, left_out;
    struct span *slices;
    unsigned nslices, slice;
    bool first;
    unsigned char named[LANES_MAX / 8]; /* bit: this lane has its name already */
};

static int
by_lane_and_start(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return 0;
}

/* The CPU slices of the cut, newest first as far as there is room; then sorted and made disjoint.
 */
static void
collect_slices(struct trace_json *t)
{
    uint64_t first = span_ring_cpu_first(t->ring), number = span_ring_cpu_next(t->ring);
    struct span s;

    t->slices = xcalloc(TRACE_SLICES_MAX, sizeof(*t->slices));
    while (number > first && t->nslices < TRACE_SLICES_MAX &&
           span_ring_cpu_get(t->ring, number - 1, &s)) {
        number--;
        if (s.end + NS_PER_S < t->cut.from)
            break;
        if (s.end > t->cut.from && s.start < t->cut.to)
            t->slices[t->nslices++] = s;
    }
    if (t->nslices == TRACE_SLICES_MAX)
        t->left_out++;
    qsort(t->slices, t->nslices, sizeof(*t->slices), by_lane_and_start);
    for (unsigned i = 1; i < t->nslices; i++)
        if (t->slices[i].lane == t->slices[i - 1].lane && t->slices[i].start < t->slices[i - 1].end)
            t->slices[i].start =
                t->slices[i - 1].end < t->slices[i].end ? t->slices[i - 1].end : t->slices[i].end;
}

struct trace_json *
trace_json_new(const struct span_ring *ring, const struct trace_cut *cut)
{
    struct trace_json *t = xcalloc(1, sizeof(*t));

    t->ring = ring;
    t->cut = *cut;
    t->next = span_ring_first(ring);
    t->last = span_ring_next(ring);
    t->first = true;
    return t;
}

void
trace_json_free(struct trace_json *t)
{
    if (t == NULL)
        return;
    free(t->slices);
    free(t);
}

/* ---- events ---- */

static void
begin_event(struct trace_json *t, struct buf *b)
{
    buf_add_text(b, t->first ? "\n" : ",\n");
    t->first = false;
}

static void
add_time(struct buf *b, const char *name, uint64_t ns)
{
    buf_addf(b, ",\"%s\":%llu.%03llu", name, (unsigned long long)(ns / 1000),
             (unsigned long long)(ns % 1000));
}

static uint64_t
since_begin(const struct trace_json *t, uint64_t at)
{
    return at > t->cut.from ? at - t->cut.from : 0;
}

static enum track
track_of(unsigned lane)
{
    switch ((enum lane)(lane & LANE_GROUP_MASK)) {
    case LANE_LOOP:
        return TRACK_LOOP;
    case LANE_CPU:
        return TRACK_CPU;
    case LANE_DB_FAST:
    case LANE_DB_WRITE:
    case LANE_DB_SLOW:
        return TRACK_DB;
    case LANE_WORKER:
        return TRACK_WORKER;
    case LANE_REQUEST:
    case LANE_GROUP_MASK:
        break;
    }
    return TRACK_REQUEST;
}

static void
lane_name(unsigned lane, char *out, size_t size)
{
    unsigned n = lane & 0xfff;

    switch ((enum lane)(lane & LANE_GROUP_MASK)) {
    case LANE_LOOP:
        snprintf(out, size, "loop");
        return;
    case LANE_CPU:
        snprintf(out, size, "cpu %u", n);
        return;
    case LANE_DB_FAST:
        snprintf(out, size, "fast connection %u (shared)", n);
        return;
    case LANE_DB_WRITE:
        snprintf(out, size, "write connection %u", n);
        return;
    case LANE_DB_SLOW:
        snprintf(out, size, "slow connection %u", n);
        return;
    case LANE_WORKER:
        snprintf(out, size, "worker %u", n);
        return;
    case LANE_REQUEST:
    case LANE_GROUP_MASK:
        break;
    }
    snprintf(out, size, "requests");
}

/* The lane's name, once. */
static void
name_lane(struct trace_json *t, struct buf *b, unsigned lane)
{
    char name[64];

    if ((t->named[lane / 8] & 1u << lane % 8) != 0)
        return;
    t->named[lane / 8] |= (unsigned char)(1u << lane % 8);
    lane_name(lane, name, sizeof(name));
    begin_event(t, b);
    buf_addf(
        b,
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%u,\"args\":{\"name\":\"%s\"}}",
        (int)track_of(lane), lane, name);
}

/* A bar on a lane on which bars do not overlap. */
static void
add_bar(struct trace_json *t, struct buf *b, const struct span *s, const char *name,
        const char *more)
{
    uint64_t start = since_begin(t, s->start);

    name_lane(t, b, s->lane);
    begin_event(t, b);
    buf_addf(b, "{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u", name, (int)track_of(s->lane),
             s->lane);
    add_time(b, "ts", start);
    add_time(b, "dur", since_begin(t, s->end) - start);
    buf_addf(b, "%s}", more);
}

/* A bar that may overlap others: begin and end with one id. */
static void
add_async(struct trace_json *t, struct buf *b, const struct span *s, const char *category,
          uint64_t id, const char *name)
{
    int track = (int)track_of(s->lane);

    name_lane(t, b, s->lane);
    for (unsigned end = 0; end < 2; end++) {
        begin_event(t, b);
        buf_addf(
            b,
            "{\"ph\":\"%s\",\"cat\":\"%s\",\"id\":\"0x%llx\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u",
            end ? "e" : "b", category, (unsigned long long)id, name, track, s->lane);
        add_time(b, "ts", since_begin(t, end ? s->end : s->start));
        if (!end)
            buf_addf(b, ",\"args\":{\"request\":%llu}", (unsigned long long)s->request);
        buf_add_char(b, '}');
    }
}

static void
add_span(struct trace_json *t, struct buf *b, uint64_t number, const struct span *s)
{
    char name[128], more[128] = "";
    unsigned long long request = s->request;

    switch ((enum span_kind)s->kind) {
    case SPAN_REQUEST:
        snprintf(name, sizeof(name), "%s #%llu", t->cut.route_name(t->cut.arg, s->arg), request);
        add_async(t, b, s, "request", s->request, name);
        return;
    case SPAN_GATE:
        add_async(t, b, s, "request", s->request, "waits for its turn");
        return;
    case SPAN_QUEUE:
        add_async(t, b, s, "request", s->request, "queued");
        return;
    case SPAN_LOCK:
        snprintf(name, sizeof(name), "waits for the lock of request %u", s->arg);
        add_async(t, b, s, "lock", number, name);
        return;
    case SPAN_QUERY:
        snprintf(name, sizeof(name), "query of #%llu", request);
        add_async(t, b, s, "query", number, name);
        return;
    case SPAN_LOOP:
        snprintf(name, sizeof(name), "#%llu", request);
        snprintf(more, sizeof(more),
                 ",\"bind_id\":\"0x%llx\",\"flow_out\":true,\"args\":{\"request\":%llu}", request,
                 request);
        break;
    case SPAN_TURN:
        snprintf(name, sizeof(name), "%u answered at once", s->arg);
        break;
    case SPAN_BATCH:
        snprintf(name, sizeof(name), "%u queries", s->arg);
        break;
    case SPAN_TASK:
        snprintf(name, sizeof(name), "#%llu task %u", request, s->arg & 0xffffff);
        snprintf(
            more, sizeof(more),
            ",\"bind_id\":\"0x%llx\",\"flow_in\":true,\"args\":{\"request\":%llu,\"stage\":%u}",
            request, request, s->arg >> 24);
        break;
    case SPAN_CPU:
    case SPAN_KINDS:
        return;
    }
    add_bar(t, b, s, name, more);
}

/* ---- pieces ---- */

static void
write_begin(struct trace_json *t, struct buf *b)
{
    buf_add_text(b, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    for (int track = TRACK_CPU; track <= TRACK_REQUEST; track++) {
        begin_event(t, b);
        buf_addf(b,
                 "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":\"%s\"}}",
                 track, track_names[track]);
        begin_event(t, b);
        buf_addf(b,
                 "{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":%d,\"args\":{\"sort_"
                 "index\":%d}}",
                 track, track - 10);
    }
    collect_slices(t);
    t->phase = PHASE_SLICES;
}

static void
write_slices(struct trace_json *t, struct buf *b)
{
    char name[32];

    for (unsigned n = 0; n < SPANS_A_PIECE && t->slice < t->nslices; n++) {
        const struct span *s = &t->slices[t->slice++];

        if (s->start >= s->end)
            continue;
        if (s->arg == 0)
            snprintf(name, sizeof(name), "loop");
        else
            snprintf(name, sizeof(name), "worker %u", s->arg - 1);
        add_bar(t, b, s, name, "");
    }
    if (t->slice == t->nslices)
        t->phase = PHASE_SPANS;
}

static bool
is_wanted(const struct trace_json *t, const struct span *s)
{
    if (s->end <= t->cut.from || s->start >= t->cut.to)
        return false;
    return t->cut.belongs == NULL || s->request == 0 || t->cut.belongs(t->cut.arg, s->request);
}

static void
write_spans(struct trace_json *t, struct buf *b)
{
    enum { LOOKED_AT_A_PIECE = 40000 };
    unsigned added = 0;
    struct span s;

    for (unsigned looked = 0;
         looked < LOOKED_AT_A_PIECE && added < SPANS_A_PIECE && t->next < t->last; looked++) {
        uint64_t number = t->next++;

        if (!span_ring_get(t->ring, number, &s)) {
            t->next = span_ring_first(t->ring);
            t->left_out++;
            continue;
        }
        if (!is_wanted(t, &s))
            continue;
        if (t->written == TRACE_SPANS_MAX) {
            t->left_out++;
            continue;
        }
        add_span(t, b, number, &s);
        t->written++;
        added++;
    }
    if (t->next >= t->last)
        t->phase = PHASE_END;
}

/* How many CPUs were ours, as a counter: from the sorted slices. */
static int
by_edge_time(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return x[0] < y[0] ? -1 : x[0] > y[0] ? 1 : 0;
}

static void
write_running(struct trace_json *t, struct buf *b)
{
    uint64_t(*edges)[2] = xcalloc(2 * (size_t)t->nslices + 1, sizeof(*edges));
    size_t n = 0;
    int running = 0;

    for (unsigned i = 0; i < t->nslices; i++) {
        if (t->slices[i].start >= t->slices[i].end)
            continue;
        edges[n][0] = t->slices[i].start;
        edges[n++][1] = 1;
        edges[n][0] = t->slices[i].end;
        edges[n++][1] = 0;
    }
    qsort(edges, n, sizeof(*edges), by_edge_time);
    for (size_t i = 0; i < n; i++) {
        running += edges[i][1] ? 1 : -1;
        if (i + 1 < n && edges[i + 1][0] == edges[i][0])
            continue;
        begin_event(t, b);
        buf_addf(b, "{\"ph\":\"C\",\"name\":\"running\",\"pid\":%d", TRACK_CPU);
        add_time(b, "ts", since_begin(t, edges[i][0]));
        buf_addf(b, ",\"args\":{\"CPUs\":%d}}", running);
    }
    free(edges);
}

static void
write_end(struct trace_json *t, struct buf *b)
{
    write_running(t, b);
    buf_addf(b,
             "],\n\"otherData\":{\"covers_ms\":%.1f,\"spans\":%u,\"cpu_slices\":%u,\"left_out\":%u,"
             "\"requests_recorded\":\"1 of %u\"}}\n",
             (double)(t->cut.to - t->cut.from) / 1e6, t->written, t->nslices, t->left_out,
             span_ring_sampling(t->ring));
    t->phase = PHASE_OVER;
}

bool
trace_json_more(struct trace_json *t, struct buf *out)
{
    switch (t->phase) {
    case PHASE_BEGIN:
        write_begin(t, out);
        return true;
    case PHASE_SLICES:
        write_slices(t, out);
        return true;
    case PHASE_SPANS:
        write_spans(t, out);
        return true;
    case PHASE_END:
        write_end(t, out);
        return false;
    case PHASE_OVER:
        break;
    }
    return false;
}

bool
trace_find_request(const struct span_ring *ring, uint64_t request, uint64_t *from, uint64_t *to)
{
    uint64_t first = span_ring_first(ring);
    struct span s;

    for (uint64_t number = span_ring_next(ring); number > first; number--) {
        if (span_ring_get(ring, number - 1, &s) && s.kind == SPAN_REQUEST && s.request == request) {
            *from = s.start;
            *to = s.end;
            return true;
        }
    }
    return false;
}
