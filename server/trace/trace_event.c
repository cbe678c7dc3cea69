/*
 * trace_event: see trace_event.h. Runs in the front end; the texts of the events and nothing else.
 */
#include "trace/trace_event.h"

#include <stdio.h>

/* "Processes" of the picture, in the order in which they are shown. */
enum track { TRACK_CPU = 1, TRACK_LOOP, TRACK_DB, TRACK_WORKER, TRACK_REQUEST };
static const char *const track_names[] = {
    [TRACK_CPU] = "CPUs: who was on them",
    [TRACK_LOOP] = "event loop",
    [TRACK_DB] = "PostgreSQL",
    [TRACK_WORKER] = "workers",
    [TRACK_REQUEST] = "requests",
};

static void
begin_event(struct trace_writer *t)
{
    buf_add_text(t->out, t->begun ? ",\n" : "\n");
    t->begun = true;
}

static void
add_time(struct trace_writer *t, const char *name, uint64_t ns)
{
    buf_addf(t->out, ",\"%s\":%llu.%03llu", name, (unsigned long long)(ns / 1000),
             (unsigned long long)(ns % 1000));
}

static uint64_t
since_begin(const struct trace_writer *t, uint64_t at)
{
    return at > t->from ? at - t->from : 0;
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
name_lane(struct trace_writer *t, unsigned lane)
{
    char name[64];

    if ((t->named[lane / 8] & 1u << lane % 8) != 0)
        return;
    t->named[lane / 8] |= (unsigned char)(1u << lane % 8);
    lane_name(lane, name, sizeof(name));
    begin_event(t);
    buf_addf(
        t->out,
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%u,\"args\":{\"name\":\"%s\"}}",
        (int)track_of(lane), lane, name);
}

/* A bar on a lane on which bars do not overlap. */
static void
add_bar(struct trace_writer *t, const struct span *s, const char *name, const char *more)
{
    uint64_t start = since_begin(t, s->start);

    name_lane(t, s->lane);
    begin_event(t);
    buf_addf(t->out, "{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u", name,
             (int)track_of(s->lane), s->lane);
    add_time(t, "ts", start);
    add_time(t, "dur", since_begin(t, s->end) - start);
    buf_addf(t->out, "%s}", more);
}

/* A bar that may overlap others: begin and end with one id. */
static void
add_async(struct trace_writer *t, const struct span *s, const char *category, uint64_t id,
          const char *name)
{
    int track = (int)track_of(s->lane);

    name_lane(t, s->lane);
    for (unsigned end = 0; end < 2; end++) {
        begin_event(t);
        buf_addf(
            t->out,
            "{\"ph\":\"%s\",\"cat\":\"%s\",\"id\":\"0x%llx\",\"name\":\"%s\",\"pid\":%d,\"tid\":%u",
            end ? "e" : "b", category, (unsigned long long)id, name, track, s->lane);
        add_time(t, "ts", since_begin(t, end ? s->end : s->start));
        if (!end)
            buf_addf(t->out, ",\"args\":{\"request\":%llu}", (unsigned long long)s->request);
        buf_add_char(t->out, '}');
    }
}

void
trace_event_span(struct trace_writer *t, uint64_t number, const struct span *s)
{
    char name[128], more[128] = "";
    unsigned long long request = s->request;

    switch ((enum span_kind)s->kind) {
    case SPAN_REQUEST:
        snprintf(name, sizeof(name), "%s #%llu", t->route_name(t->arg, s->arg), request);
        add_async(t, s, "request", s->request, name);
        return;
    case SPAN_GATE:
        add_async(t, s, "request", s->request, "waits for its turn");
        return;
    case SPAN_QUEUE:
        add_async(t, s, "request", s->request, "queued");
        return;
    case SPAN_LOCK:
        snprintf(name, sizeof(name), "waits for the lock of request %u", s->arg);
        add_async(t, s, "lock", number, name);
        return;
    case SPAN_QUERY:
        snprintf(name, sizeof(name), "query of #%llu", request);
        add_async(t, s, "query", number, name);
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
    add_bar(t, s, name, more);
}

void
trace_event_slice(struct trace_writer *t, const struct span *s)
{
    char name[32];

    if (s->arg == 0)
        snprintf(name, sizeof(name), "loop");
    else
        snprintf(name, sizeof(name), "worker %u", s->arg - 1);
    add_bar(t, s, name, "");
}

void
trace_event_counter(struct trace_writer *t, enum trace_counter counter, uint64_t at, unsigned value)
{
    static const struct {
        const char *name, *unit;
        enum track track;
    } counters[] = {
        [TRACE_RUNNING] = {"running", "CPUs", TRACK_CPU},
        [TRACE_IN_PROGRESS] = {"in progress", "tasks", TRACK_REQUEST},
    };

    begin_event(t);
    buf_addf(t->out, "{\"ph\":\"C\",\"name\":\"%s\",\"pid\":%d", counters[counter].name,
             (int)counters[counter].track);
    add_time(t, "ts", since_begin(t, at));
    buf_addf(t->out, ",\"args\":{\"%s\":%u}}", counters[counter].unit, value);
}

void
trace_event_groups(struct trace_writer *t)
{
    for (int track = TRACK_CPU; track <= TRACK_REQUEST; track++) {
        begin_event(t);
        buf_addf(t->out,
                 "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":\"%s\"}}",
                 track, track_names[track]);
        begin_event(t);
        buf_addf(t->out,
                 "{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":%d,\"args\":{\"sort_"
                 "index\":%d}}",
                 track, track - 10);
    }
}
