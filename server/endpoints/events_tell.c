/*
 * events_tell: what /events says that is not in the rings: the requests that are there now, the
 * exact counts, and, in its first event, what all the numbers mean. Owns nothing.
 */
#include "endpoints/burst.h"
#include "endpoints/endpoints.h"
#include "endpoints/kept.h"

#include "common/clock.h"
#include "common/version.h"
#include "request/runner.h"
#include "request/waits.h"

#include <string.h>
#include <time.h>

enum { LOOKED_AT_MAX = 2000 }; /* requests, for the list of those that are there */

static void
take_request(struct feed_now *now, const struct req *r)
{
    now->open[now->nopen++] = (struct feed_request){
        .id = r->id,
        .start = r->start_ns,
        .since = r->at_gate || r->state_ns == 0 ? r->start_ns : r->state_ns,
        .burst = burst_of(r),
        .route = (unsigned)(r->count - r->runner->routes.counts),
        .waits = req_waits_names[req_waits_for(r)],
    };
}

/* The oldest ones. The list of all is in the order in which they came. */
static void
take_open(struct feed_now *now, const struct runner *rn)
{
    const unsigned all = rn->requests + rn->gate_waiting;
    const struct req *r = TAILQ_FIRST(&rn->all);
    unsigned listed = 0; /* of those that `all` counts */

    for (unsigned n = 0; r != NULL && now->nopen < FEED_OPEN_MAX && n < LOOKED_AT_MAX; n++) {
        if ((r->route->flags & ROUTE_UNSEEN) == 0) {
            take_request(now, r);
            listed += r->counted || r->at_gate;
        }
        r = TAILQ_NEXT(r, all);
    }
    now->open_left_out = all > listed ? all - listed : 0;
}

void
events_take_now(const struct runner *rn, uint64_t at, struct feed_now *now)
{
    const struct loop_watch *loop = rn->info->loop;

    now->at = at;
    now->nopen = 0;
    take_open(now, rn);
    now->requests = rn->requests;
    now->tasks = rn->in_progress;
    now->queries = rn->queries;
    now->gate = rn->gate_waiting;
    now->workers = jobs_workers(rn->jobs);
    now->answered = rn->answered;
    now->loop_switches = rn->loop_switches;
    now->kernel_switches = loop->kernel_switches + rn->kernel_switches;
    now->loop_busy_ns = loop->busy_ns;
    now->lag_ns = loop->turn_longest_ns > loop->recent_longest_ns ? loop->turn_longest_ns
                                                                  : loop->recent_longest_ns;
    now->db_up = db_state(rn->db) == DB_STATE_UP;
}

void
events_add_id(struct buf *b, const struct runner *rn, uint64_t number)
{
    buf_addf(b, "id: %llx-%llu\n", (unsigned long long)rn->epoch_s, (unsigned long long)number);
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void
add_text(struct buf *b, const char *text)
{
    buf_add_json_string(b, text, strlen(text));
}

static void
add_date(struct buf *b)
{
    char text[32];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_addf(b, ",\"date\":\"%s\"", text);
}

/* Names by their numbers in the rows of a batch. */
static void
add_names(struct buf *b, const struct runner *rn)
{
    buf_add_text(b, ",\"kinds\":[");
    for (unsigned i = 0; i < SPAN_KINDS; i++) {
        buf_add_text(b, i > 0 ? "," : "");
        add_text(b, span_kind_names[i]);
    }
    buf_add_text(b, "],\"routes\":[");
    for (unsigned i = 0; i < rn->routes.count; i++) {
        add_text(b, rn->routes.rows[i].path);
        buf_add_char(b, ',');
    }
    buf_add_text(b, "\"(no route)\"]");
}

void
events_add_hello(struct buf *b, const struct runner *rn)
{
    const struct events *e = &rn->endpoints->events;
    const struct front_info *info = rn->info;

    buf_addf(b,
             "event: hello\nretry: 1000\ndata: {\"start\":\"%llx\",\"now\":%llu,\"version\":\"%s\","
             "\"config\":",
             (unsigned long long)rn->epoch_s, (unsigned long long)feed_us(e->feed, clock_ns()),
             INTERLEAVE_VERSION);
    add_text(b, info->config_path != NULL ? base_name(info->config_path) : "(defaults)");
    buf_addf(b,
             ",\"cpus\":%u,\"workers\":%u,\"limits\":{\"max_in_progress\":%lld,\"db_fast\":%lld,"
             "\"db_write\":%lld,\"db_slow\":%lld},\"slices\":\"%s\",\"demo\":%s",
             info->cpus, info->workers_wanted, (long long)rn->conf->max_in_progress,
             (long long)rn->conf->db_fast, (long long)rn->conf->db_write,
             (long long)rn->conf->db_slow, info->loop->exact ? "exact" : "ticks",
             rn->demo ? "true" : "false");
    add_names(b, rn);
    add_date(b);
    buf_add_text(b, "}\n\n");
}
