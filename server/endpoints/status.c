/*
 * /status, /livez, /readyz, /config, /version: for those who operate it, and the oracle of the
 * tests. All numbers are exact counters, never sampled.
 */
#include "endpoints/endpoints.h"
#include "endpoints/web.h"

#include "common/clock.h"
#include "common/memory.h"
#include "common/version.h"
#include "request/fail.h"
#include "request/runner.h"

#include <string.h>
#include <unistd.h>

static void
add_text(struct buf *b, const char *text)
{
    buf_add_json_string(b, text, strlen(text));
}

static unsigned long long
ull(uint64_t n)
{
    return (unsigned long long)n;
}

static void
add_server(struct buf *b, const struct runner *rn)
{
    const struct front_info *info = rn->info;

    buf_addf(b, "{\"server\":{\"version\":\"%s\",\"pid\":%d,\"generation\":%u,\"uptime_ms\":",
             INTERLEAVE_VERSION, (int)getpid(), info->generation);
    buf_add_ms(b, clock_ns() - info->started_ns);
    buf_add_text(b, ",\"config\":");
    add_text(b, info->config_path != NULL ? info->config_path : "(defaults)");
    buf_addf(b,
             ",\"config_hash\":\"%016llx\",\"cpus\":%u,\"workers_wanted\":%u,\"draining\":%s,"
             "\"demo\":%s}",
             ull(info->conf_hash), info->cpus, info->workers_wanted,
             rn->draining ? "true" : "false", rn->demo ? "true" : "false");
}

static void
add_requests(struct buf *b, const struct runner *rn)
{
    buf_addf(b,
             ",\"requests\":{\"answered\":%llu,\"in_progress\":%u,\"in_progress_max\":%u,"
             "\"waiting_for_turn\":%u,\"loop_switches\":%llu,\"clients_gone\":%llu}",
             ull(rn->answered), rn->requests, rn->requests_max, rn->gate_waiting,
             ull(rn->loop_switches), ull(rn->failures[FAIL_CLIENT_GONE]));
    buf_addf(b, ",\"tasks\":{\"in_progress\":%u,\"in_progress_max\":%u}", rn->in_progress,
             rn->in_progress_max);
}

static void
add_connections(struct buf *b, const struct runner *rn)
{
    struct http_status h;

    http_status(rn->http, &h);
    buf_addf(b,
             ",\"connections\":{\"open\":%llu,\"accepted\":%llu,\"refused\":%llu,\"requests\":%llu,"
             "\"malformed\":%llu,\"timeouts\":%llu,\"gone\":%llu,\"octets_in\":%llu,"
             "\"octets_out\":%llu}",
             ull(h.connections), ull(h.accepted), ull(h.refused_connections), ull(h.requests),
             ull(h.malformed), ull(h.timeouts), ull(h.gone), ull(h.bytes_in), ull(h.bytes_out));
    buf_addf(b, ",\"tls\":{\"handshakes\":%llu,\"resumed\":%llu,\"failed\":%llu}",
             ull(h.tls_handshakes), ull(h.tls_resumed), ull(h.tls_failures));
}

static void
add_loop(struct buf *b, const struct runner *rn)
{
    const struct loop_watch *w = rn->info->loop;

    buf_addf(b, ",\"loop\":{\"turns\":%llu,\"busy_ms\":", ull(w->turns));
    buf_add_ms(b, w->busy_ns);
    buf_add_text(b, ",\"longest_turn_ms\":");
    buf_add_ms(b, w->longest_ns);
    buf_add_text(b, ",\"lag_ms\":");
    buf_add_ms(b, w->recent_longest_ns);
    buf_addf(b, ",\"turns_above_1ms\":%llu,\"kernel_switches\":%llu,\"exact_slices\":%s}",
             ull(w->long_turns), ull(w->kernel_switches), w->exact ? "true" : "false");
}

static void
add_routes(struct buf *b, const struct runner *rn)
{
    bool first = true;

    buf_add_text(b, ",\"routes\":{");
    for (unsigned i = 0; i <= rn->routes.count; i++) {
        const struct route_count *c = &rn->routes.counts[i];
        uint64_t all = c->gone;

        for (unsigned k = 1; k < 6; k++)
            all += c->answered[k];
        if (all == 0)
            continue;
        buf_addf(b,
                 "%s\"%s\":{\"answered_2xx\":%llu,\"answered_3xx\":%llu,\"answered_4xx\":%llu,"
                 "\"answered_5xx\":%llu,"
                 "\"gone\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}",
                 first ? "" : ",", i < rn->routes.count ? rn->routes.rows[i].path : "(none)",
                 ull(c->answered[2]), ull(c->answered[3]), ull(c->answered[4]), ull(c->answered[5]),
                 ull(c->gone), (double)histogram_percentile(&c->latency, 50) / 1e6,
                 (double)histogram_percentile(&c->latency, 99) / 1e6,
                 (double)histogram_max(&c->latency) / 1e6);
        first = false;
    }
    buf_add_char(b, '}');
}

static void
add_failures(struct buf *b, const struct runner *rn)
{
    bool first = true;

    buf_add_text(b, ",\"problems\":{");
    for (unsigned i = FAIL_NONE + 1; i < FAIL_COUNT; i++) {
        if (rn->failures[i] == 0)
            continue;
        buf_addf(b, "%s\"%s\":%llu", first ? "" : ",", fail_row((enum failure)i)->name,
                 ull(rn->failures[i]));
        first = false;
    }
    buf_add_char(b, '}');
}

struct next
status_answer(struct req *r)
{
    const struct runner *rn = r->runner;
    struct buf *b = req_scratch(r);

    if (req_accepts_html(r) && web_has(r, "status.html"))
        return web_answer(r, "status.html", "Accept, ");
    r->fields = "Cache-Control: no-store\r\nVary: Accept\r\n";
    add_server(b, rn);
    add_requests(b, rn);
    add_connections(b, rn);
    add_loop(b, rn);
    buf_add_text(b, ",\"database\":");
    db_status_json(rn->db, b);
    buf_add_text(b, ",\"workers\":");
    jobs_status_json(rn->jobs, b);
    buf_addf(b, ",\"trace\":{\"spans\":%llu,\"sampling\":%u}", ull(span_ring_next(rn->ring)),
             span_ring_sampling(rn->ring));
    buf_addf(b, ",\"memory\":{\"in_flight\":%llu}", ull(memory_used()));
    add_routes(b, rn);
    add_failures(b, rn);
    buf_add_text(b, "}\n");
    return reply_json(r, 200, b);
}

struct next
livez_answer(struct req *r)
{
    return reply_text(r, 200, "text/plain", "alive\n", 6);
}

struct next
readyz_answer(struct req *r)
{
    const struct runner *rn = r->runner;

    if (rn->draining)
        return reply_fail(r, FAIL_DRAINING, "the server is finishing its requests");
    if (db_state(rn->db) != DB_STATE_UP && db_state(rn->db) != DB_STATE_NONE)
        return reply_fail(r, FAIL_DB_DOWN, "not ready: PostgreSQL can't be reached");
    if (rn->info->workers_wanted > 0 && jobs_workers(rn->jobs) == 0)
        return reply_fail(r, FAIL_NO_WORKERS, "not ready: no worker is there");
    return reply_text(r, 200, "text/plain", "ready\n", 6);
}

struct next
config_answer(struct req *r)
{
    struct buf *b = req_scratch(r);
    struct conf_origin row;

    buf_add_char(b, '{');
    for (unsigned i = 0; conf_row(r->runner->conf_set, i, &row); i++) {
        if (i > 0)
            buf_add_char(b, ',');
        add_text(b, row.key);
        buf_add_text(b, ":{\"value\":");
        add_text(b, row.value);
        buf_add_text(b, ",\"from\":");
        add_text(b, row.origin);
        buf_addf(b, ",\"reloadable\":%s,\"help\":", row.reloadable ? "true" : "false");
        add_text(b, row.sentence);
        buf_add_char(b, '}');
    }
    buf_add_text(b, "}\n");
    return reply_json(r, 200, b);
}

struct next
version_answer(struct req *r)
{
    struct buf *b = req_scratch(r);

    buf_addf(b, "{\"name\":\"interleave\",\"version\":\"%s\"}\n", INTERLEAVE_VERSION);
    return reply_json(r, 200, b);
}
