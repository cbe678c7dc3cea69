/*
 * front: the front end, one thread, one event loop. Tour 1/9.
 *
 *   +---------------------------- one turn of the loop ----------------------------+
 *   | wait for events -> callbacks: connections, PostgreSQL, workers, supervisor    |
 *   | -> end of turn:  jobs    tell who waits; hand out tasks                       |
 *   |                  runner  resume what is ready; let requests through the gate  |
 *   |                  db      send the queries that this turn has gathered         |
 *   |                  http    send the answers                                     |
 *   |                  jobs    compute one task, of a job that runs here            |
 *   +-------------------------------------------------------------------------------+
 *
 * Runs in a process of its own, forked by the supervisor; owns all connections, all requests, the
 * database pool and its side of the workers. All state hangs off one struct. When the supervisor
 * closes the control socket, this process ends.
 */
#include "front.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/cpus.h"
#include "common/log.h"
#include "common/slices.h"
#include "common/wire.h"
#include "endpoints/endpoints.h"
#include "request/runner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <malloc.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

/* How often the loop's own CPU slices are moved into the ring. */
#define SLICES_EVERY_NS (5 * NS_PER_MS)

struct front {
    const struct front_args *args;
    struct event_base *base;
    struct runner runner;
    struct front_info info;
    struct loop_watch watch;
    struct slices *slices;
    struct event control;
    struct event second;   /* once a second: slices of a quiet loop, recent lag */
    struct event deadline; /* of draining */
    uint64_t slices_taken_ns;
    uint64_t switches;
    bool stop;
};

/* ---- what the supervisor says ---- */

static void
kill_worker(void *arg, unsigned index, int pid)
{
    struct front *f = arg;
    struct ctl_message m = {.type = CTL_KILL_WORKER, .index = index, .pid = pid};

    if (wire_send(f->args->control_fd, &m, sizeof(m), NULL, 0) != 0)
        log_warn("can't ask for the end of worker %u", index);
}

static void
on_drain_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;

    (void)fd;
    (void)what;
    log_warnx("%u requests are not finished after drain_timeout; leaving", f->runner.requests);
    f->stop = true;
}

static void
start_draining(struct front *f)
{
    int64_t ms = f->args->conf->drain_timeout;
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    if (f->runner.draining)
        return;
    f->runner.draining = true;
    http_drain(f->runner.http);
    evtimer_add(&f->deadline, &tv);
}

static void
take_control(struct front *f, const struct ctl_message *m, const int *fds, int nfds)
{
    switch ((enum ctl_type)m->type) {
    case CTL_WORKER_UP:
        if (nfds == 2) {
            jobs_worker_up(f->runner.jobs, &(struct worker_seat){.index = m->index,
                                                                 .pid = m->pid,
                                                                 .socket_fd = fds[0],
                                                                 .page_fd = fds[1]});
            return;
        }
        break;
    case CTL_WORKER_DOWN:
        jobs_worker_down(f->runner.jobs, m->index, m->pid, m->status);
        break;
    case CTL_DRAIN:
        start_draining(f);
        break;
    case CTL_READY:
    case CTL_KILL_WORKER:
        log_warnx("the supervisor sent message %u, which is not for a front end", m->type);
        break;
    }
    for (int i = 0; i < nfds; i++)
        close(fds[i]);
}

static void
on_control(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    struct ctl_message m;
    int fds[WIRE_FDS_MAX], nfds = WIRE_FDS_MAX, n;

    (void)what;
    while ((n = wire_receive(fd, &m, sizeof(m), fds, &nfds)) > 0) {
        take_control(f, &m, fds, nfds);
        nfds = WIRE_FDS_MAX;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    log_warnx("the supervisor has gone");
    f->stop = true;
}

/* ---- what the loop says of itself ---- */

/* The loop thread's own CPU slices join those of the workers. */
static void
take_slices(struct front *f)
{
    struct slice taken[64];
    unsigned n;

    do {
        n = slices_take(f->slices, taken, 64, &f->watch.kernel_switches);
        for (unsigned i = 0; i < n; i++)
            span_add(f->runner.ring, SPAN_CPU, LANE_CPU + taken[i].cpu, 0, 0, taken[i].start,
                     taken[i].end);
    } while (n == 64);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;

    (void)fd;
    (void)what;
    f->watch.recent_longest_ns = f->watch.turn_longest_ns;
    f->watch.turn_longest_ns = 0;
}

static void
watch_turn(struct front *f, uint64_t start)
{
    uint64_t now, took;

    f->watch.turns++;
    if (start == 0)
        return;
    now = clock_ns();
    took = now - start;
    if (now - f->slices_taken_ns > SLICES_EVERY_NS) {
        f->slices_taken_ns = now;
        take_slices(f);
    }
    f->watch.busy_ns += took;
    if (took > f->watch.longest_ns)
        f->watch.longest_ns = took;
    if (took > f->watch.turn_longest_ns)
        f->watch.turn_longest_ns = took;
    if (took > NS_PER_MS)
        f->watch.long_turns++;
}

/* ---- the loop ---- */

/* One turn; `busy`: something is left to do, so do not sleep. Returns the next `busy`. */
static bool
turn(struct front *f, bool busy)
{
    struct runner *rn = &f->runner;
    uint64_t start;
    bool more;

    if (!busy)
        slices_end(f->slices);
    if (event_base_loop(f->base, busy ? EVLOOP_NONBLOCK | EVLOOP_ONCE : EVLOOP_ONCE) < 0)
        fatal("event_base_loop");
    slices_begin(f->slices);
    more = jobs_turn_end(rn->jobs);
    start = rn->turn_start;
    more |= runner_turn_end(rn);
    db_turn_end(rn->db);
    http_turn_end(rn->http);
    rn->deaf_from = rn->deaf_to = 0;
    if (jobs_are_here(rn->jobs)) {
        rn->deaf_from = clock_ns();
        start = start != 0 ? start : rn->deaf_from;
        more |= jobs_compute_here(rn->jobs);
        rn->deaf_to = clock_ns();
    }
    watch_turn(f, start);
    return more;
}

static bool
is_drained(const struct front *f)
{
    struct http_status h;

    if (!f->runner.draining)
        return false;
    http_status(f->runner.http, &h);
    return h.connections == 0;
}

/* ---- birth and death ---- */

static bool
all_loopback(const struct front_args *args)
{
    for (unsigned i = 0; i < args->nlisten; i++) {
        struct sockaddr_storage ss = {0};
        socklen_t len = sizeof(ss);

        if (getsockname(args->listen_fds[i], (struct sockaddr *)&ss, &len) != 0)
            return false;
        if (ss.ss_family == AF_INET) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)&ss;

            if (ntohl(in->sin_addr.s_addr) >> 24 != 127)
                return false;
        } else if (ss.ss_family == AF_INET6) {
            const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&ss;

            if (!IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
                return false;
        }
    }
    return true;
}

/* Results of queries and bodies come and go by the megabyte: what was given back is kept for the
 * next ones, or each burst would ask the kernel for its memory anew, page by page. */
static void
keep_memory(void)
{
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
}

static struct event_base *
new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (config == NULL)
        fatal("event_config_new");
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL)
        fatal("event_base_new");
    return base;
}

static void
open_events(struct front *f)
{
    struct timeval second = {1, 0};

    event_assign(&f->control, f->base, f->args->control_fd, EV_READ | EV_PERSIST, on_control, f);
    event_add(&f->control, NULL);
    event_assign(&f->second, f->base, -1, EV_PERSIST, on_second, f);
    event_add(&f->second, &second);
    evtimer_assign(&f->deadline, f->base, on_drain_deadline, f);
}

static void
open_rooms(struct front *f)
{
    const struct front_args *args = f->args;
    struct runner *rn = &f->runner;
    unsigned nroutes;
    const struct route *routes = routes_all(args->conf->web_root, &nroutes);

    rn->conf = args->conf;
    rn->conf_set = args->conf_set;
    rn->base = f->base;
    rn->info = &f->info;
    rn->demo =
        args->conf->demo == DEMO_YES || (args->conf->demo == DEMO_AUTO && all_loopback(args));
    rn->ring = span_ring_new((size_t)args->conf->trace_bytes, args->conf->trace != 0);
    rn->endpoints = endpoints_open();
    runner_open(rn, routes, nroutes);
    rn->db = db_open(f->base, args->conf, rn->ring);
    rn->jobs = jobs_open(f->base, args->conf, rn->ring, kill_worker, f);
    jobs_watch_loop(rn->jobs, f->slices);
    rn->http = http_open(f->base, args->conf, &runner_hooks, rn);
}

/* -1: certificate and key won't do, which has been logged. */
static int
listen_on_all(struct front *f)
{
    const struct front_args *args = f->args;
    struct http_server *http = f->runner.http;
    const unsigned nplain = args->nlisten - args->ntls;
    struct buf why = {0};

    if (args->identity != NULL && http_use_identity(http, args->identity, &why) != 0) {
        log_errorx("%.*s", (int)why.len, why.data);
        buf_fini(&why);
        return -1;
    }
    for (unsigned i = 0; i < nplain; i++)
        http_listen(http, args->listen_fds[i]);
    for (unsigned i = nplain; i < args->nlisten; i++)
        http_listen_tls(http, args->listen_fds[i]);
    return 0;
}

static void
close_rooms(struct front *f)
{
    http_close(f->runner.http);
    runner_close(&f->runner);
    endpoints_close(f->runner.endpoints);
    jobs_close(f->runner.jobs);
    db_close(f->runner.db);
    span_ring_free(f->runner.ring);
    slices_close(f->slices);
    event_del(&f->control);
    event_del(&f->second);
    evtimer_del(&f->deadline);
    event_base_free(f->base);
}

int
front_check_identity(const struct identity *identity, struct buf *why)
{
    return http_check_identity(identity, why);
}

int
front_main(const struct front_args *args)
{
    struct front f = {.args = args};
    struct ctl_message ready = {.type = CTL_READY, .value = args->nlisten};
    bool busy = false;

    keep_memory();
    f.base = new_base();
    f.slices = slices_open(true);
    f.watch.exact = slices_exact(f.slices);
    f.info = (struct front_info){
        .config_path = args->config_path,
        .workers_wanted = args->workers,
        .cpus = cpus_usable(),
        .generation = args->generation,
        .started_ns = args->started_ns,
        .conf_hash = conf_hash(args->conf_set),
        .loop = &f.watch,
    };
    open_rooms(&f);
    open_events(&f);
    if (listen_on_all(&f) != 0) {
        close_rooms(&f);
        return EX_CONFIG;
    }
    if (wire_send(args->control_fd, &ready, sizeof(ready), NULL, 0) != 0)
        f.stop = true;
    while (!f.stop && !is_drained(&f))
        busy = turn(&f, busy);
    close_rooms(&f);
    return 0;
}
