/*
 * supervisor: see supervisor.h. The parent process. Knows neither libevent nor libpq nor OpenSSL.
 *
 *   poll() ─┬─ signalfd: CHLD -> whose was it?   HUP -> reload   TERM, INT -> drain, then kill
 *           └─ control socket of each generation
 *   then    tick() each generation, settle(): what do their states ask of us?
 *
 * settle() looks at states, not at events: whatever happened, and in whatever order, after it there
 * is a generation that serves or one that is starting, or the time is known when one will be.
 *
 *   STARTING   nobody has been ready yet: five front ends that die make us give up
 *   SERVING    a front end that dies is replaced at once (with back-off if it dies within 1 s)
 *   STOPPING   listening sockets closed, all generations drain
 *   KILLING    all that is left has been killed
 *
 * current is the generation that serves; candidate, between HUP and its CTL_READY, the one that is
 * to follow it. Until then everything of the old one stays in force. Both may be NULL; all of them,
 * those that drain and end too, stand in the list `all`.
 */
#include "supervisor/supervisor.h"

#include "common/clock.h"
#include "common/cpus.h"
#include "common/log.h"
#include "common/states.h"
#include "supervisor/backoff.h"
#include "supervisor/banner.h"
#include "supervisor/generation.h"
#include "supervisor/identity.h"
#include "supervisor/placement.h"
#include "supervisor/signals.h"
#include "supervisor/sockets.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    START_TRIES = 5,     /* front ends that may die before the first one is ready */
    GENERATIONS_MAX = 8, /* at once; a reload waits for one to go */
};

#define EARLY_DEATH_NS (1 * NS_PER_S)
/* What a front end gets beyond drain_timeout, which it keeps itself, before it is killed. */
#define DRAIN_GRACE_NS (1 * NS_PER_S)

enum phase { PHASE_STARTING, PHASE_SERVING, PHASE_STOPPING, PHASE_KILLING };

static const struct state_row phases[] = {
    [PHASE_STARTING] = {"starting", STATE_BIT(PHASE_SERVING) | STATE_BIT(PHASE_STOPPING) |
                                        STATE_BIT(PHASE_KILLING)},
    [PHASE_SERVING] = {"serving", STATE_BIT(PHASE_STOPPING)},
    [PHASE_STOPPING] = {"stopping", STATE_BIT(PHASE_KILLING)},
    [PHASE_KILLING] = {"killing", 0},
};

struct supervisor {
    const struct supervisor_setup *setup;
    enum phase phase;
    int exit_status;
    int signal_fd;
    struct sockets sockets;
    struct conf_set *settings; /* in force */
    struct conf_set *fresh;    /* the candidate's */
    struct identity identity, fresh_identity;
    struct generation *all, *current, *candidate;
    unsigned count; /* of `all` */
    unsigned last_number;
    unsigned failed_starts;
    struct backoff front_deaths;
    uint64_t start_due_ns; /* when there is no current one */
    bool reload_wanted;
};

static void
phase_move(struct supervisor *s, enum phase to)
{
    states_check("supervisor", phases, s->phase, to);
    log_debug("%s -> %s", phases[s->phase].name, phases[to].name);
    s->phase = to;
}

/* ---- generations ---- */

static struct generation *
start_generation(struct supervisor *s, struct conf_set *settings, const struct identity *identity)
{
    const struct conf *conf = conf_values(settings);
    const struct generation_plan plan = {
        .front = s->setup->front,
        .worker_path = s->setup->worker_path,
        .args =
            {
                .conf = conf,
                .conf_set = settings,
                .listen_fds = s->sockets.fds,
                .nlisten = s->sockets.plain.count + s->sockets.tls.count,
                .ntls = s->sockets.tls.count,
                .identity = identity_is_set(identity) ? identity : NULL,
                .generation = ++s->last_number,
                .started_ns = s->setup->started_ns,
                .workers = placement_workers(conf),
                .config_path = s->setup->source.path,
            },
    };
    struct generation *g = generation_start(&plan);

    if (g == NULL) {
        log_error("a front end can't be started");
        return NULL;
    }
    log_info("generation %u: front end %d, %u workers", g->number, g->front, plan.args.workers);
    g->next = s->all;
    s->all = g;
    s->count++;
    return g;
}

static void
drain(struct supervisor *s, struct generation *g)
{
    const struct conf *conf = conf_values(s->settings);

    generation_drain(g, clock_ns() + (uint64_t)conf->drain_timeout * NS_PER_MS + DRAIN_GRACE_NS);
}

static void
kill_all(struct supervisor *s)
{
    for (struct generation *g = s->all; g != NULL; g = g->next)
        generation_kill(g);
}

static void
free_gone(struct supervisor *s)
{
    struct generation **link = &s->all, *g;

    while ((g = *link) != NULL) {
        if (g->state != GENERATION_GONE) {
            link = &g->next;
            continue;
        }
        *link = g->next;
        s->count--;
        generation_free(g);
    }
}

/* ---- start, death and replacement of the front end ---- */

static void
print_banner(struct supervisor *s)
{
    const struct banner banner = {
        .step = getenv("INTERLEAVE_STEP"),
        .pid = getpid(),
        .host = s->sockets.plain.host,
        .port = s->sockets.plain.port,
        .tls_port = s->sockets.tls.count > 0 ? s->sockets.tls.port : 0,
        .workers = placement_workers(conf_values(s->settings)),
        .cpus = cpus_usable(),
        .config_path = s->setup->source.path,
    };

    banner_print(&banner);
}

static void
give_up(struct supervisor *s, int exit_status)
{
    if (exit_status == EX_CONFIG)
        log_errorx("the server can't start with these settings (the reason stands above)");
    else
        log_errorx("%d front ends have failed before one was ready (their own messages stand "
                   "above): the server can't start",
                   START_TRIES);
    s->exit_status = exit_status;
    phase_move(s, PHASE_KILLING);
    if (exit_status != EX_CONFIG) /* then nothing but its workers is left, and they are leaving */
        kill_all(s);
}

/* The current front end is gone, or there never was one: when does the next one start? */
static void
count_front_death(struct supervisor *s, bool early, bool hopeless)
{
    const uint64_t now = clock_ns();

    s->start_due_ns = now;
    if (s->phase == PHASE_STARTING) {
        s->failed_starts++;
        if (hopeless)
            give_up(s, EX_CONFIG);
        else if (s->failed_starts == START_TRIES)
            give_up(s, EXIT_FAILURE);
        return;
    }
    if (early)
        s->start_due_ns = backoff_death(&s->front_deaths, now);
    if (s->start_due_ns > now && s->phase == PHASE_SERVING)
        log_warnx("front ends die as soon as they start: the next one waits a little");
}

static void
settle_current(struct supervisor *s)
{
    struct generation *g = s->current;

    if (g != NULL && g->state == GENERATION_SERVING && s->phase == PHASE_STARTING) {
        phase_move(s, PHASE_SERVING);
        print_banner(s);
    }
    if (g != NULL && g->state >= GENERATION_ENDING) {
        s->current = NULL;
        count_front_death(s, g->front_ended_ns - g->started_ns < EARLY_DEATH_NS,
                          WIFEXITED(g->front_status) && WEXITSTATUS(g->front_status) == EX_CONFIG);
    }
    if (s->current == NULL && s->phase <= PHASE_SERVING && clock_ns() >= s->start_due_ns) {
        s->current = start_generation(s, s->settings, &s->identity);
        if (s->current == NULL)
            count_front_death(s, true, false);
    }
}

/* ---- reload ---- */

static void
drop_fresh(struct supervisor *s)
{
    conf_free(s->fresh);
    s->fresh = NULL;
    identity_fini(&s->fresh_identity);
}

static void
begin_reload(struct supervisor *s)
{
    s->reload_wanted = false;
    s->fresh = settings_read_again(&s->setup->source, s->settings);
    if (s->fresh == NULL)
        return;
    if (identity_load(&s->fresh_identity, conf_values(s->fresh)) == 0)
        s->candidate = start_generation(s, s->fresh, &s->fresh_identity);
    if (s->candidate == NULL)
        drop_fresh(s);
}

static void
settle_candidate(struct supervisor *s)
{
    struct generation *g = s->candidate;

    if (g == NULL)
        return;
    if (g->state == GENERATION_SERVING) {
        if (s->current != NULL)
            drain(s, s->current);
        s->current = g;
        conf_free(s->settings);
        s->settings = s->fresh;
        s->fresh = NULL;
        identity_fini(&s->identity);
        s->identity = s->fresh_identity;
        s->fresh_identity = (struct identity){0};
        log_init("supervisor", (enum log_level)conf_values(s->settings)->log_level);
        log_info("reloaded: generation %u serves", g->number);
    } else if (g->state >= GENERATION_DRAINING) {
        drop_fresh(s);
        if (s->phase == PHASE_SERVING)
            log_errorx("not reloaded: the new front end failed, the old settings stay in force");
    } else {
        return;
    }
    s->candidate = NULL;
}

/* What the states of the generations ask of us. */
static void
settle(struct supervisor *s)
{
    settle_candidate(s);
    settle_current(s);
    if (s->reload_wanted && s->phase == PHASE_SERVING && s->candidate == NULL &&
        s->current != NULL && s->current->state == GENERATION_SERVING && s->count < GENERATIONS_MAX)
        begin_reload(s);
    free_gone(s);
}

/* ---- signals ---- */

static void
stop(struct supervisor *s)
{
    if (s->phase == PHASE_KILLING)
        return;
    if (s->phase == PHASE_STOPPING) {
        log_warnx("stopping at once");
        phase_move(s, PHASE_KILLING);
        kill_all(s);
        return;
    }
    log_info("stopping: running requests are finished first; a second signal stops at once");
    phase_move(s, PHASE_STOPPING);
    sockets_close(&s->sockets);
    for (struct generation *g = s->all; g != NULL; g = g->next)
        drain(s, g);
}

static void
reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct generation *g = s->all;

        while (g != NULL && !generation_reap(g, pid, status))
            g = g->next;
    }
}

static void
on_signals(struct supervisor *s)
{
    int number;

    while ((number = signals_next(s->signal_fd)) != 0) {
        switch (number) {
        case SIGCHLD:
            reap(s);
            break;
        case SIGHUP:
            s->reload_wanted = true;
            break;
        case SIGTERM:
        case SIGINT:
            stop(s);
            break;
        default:
            break;
        }
    }
}

/* ---- the loop ---- */

/* Milliseconds from now until the earliest thing to do, rounded up; -1: only events. */
static int
tick_all(struct supervisor *s)
{
    const uint64_t now = clock_ns();
    uint64_t next = 0;

    for (struct generation *g = s->all; g != NULL; g = g->next) {
        uint64_t due = generation_tick(g, now);

        if (due != 0 && (next == 0 || due < next))
            next = due;
    }
    if (s->current == NULL && s->phase <= PHASE_SERVING && (next == 0 || s->start_due_ns < next))
        next = s->start_due_ns;
    if (next == 0)
        return -1;
    if (next <= now)
        return 0;
    next = (next - now + NS_PER_MS - 1) / NS_PER_MS;
    return next < INT_MAX ? (int)next : INT_MAX;
}

static void
turn(struct supervisor *s, int timeout_ms)
{
    struct pollfd *fds = xcalloc(1 + s->count, sizeof(*fds));
    struct generation *g;
    unsigned n = 0;

    fds[n++] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
    for (g = s->all; g != NULL; g = g->next)
        fds[n++] = (struct pollfd){.fd = g->control_fd, .events = generation_events(g)};
    if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
        fatal("poll");
    n = 1;
    for (g = s->all; g != NULL; g = g->next, n++)
        if ((fds[n].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            generation_on_readable(g);
    if ((fds[0].revents & POLLIN) != 0)
        on_signals(s);
    free(fds);
}

int
supervisor_run(const struct supervisor_setup *setup)
{
    const struct conf *conf = conf_values(setup->settings);
    struct supervisor s = {.setup = setup, .settings = setup->settings};

    s.signal_fd = signals_open();
    if (s.signal_fd < 0)
        fatal("signalfd");
    if (identity_load(&s.identity, conf) != 0) {
        s.exit_status = EX_CONFIG;
        goto out;
    }
    if (sockets_open(&s.sockets, conf, identity_is_set(&s.identity)) != 0) {
        s.exit_status = EXIT_FAILURE;
        goto out;
    }
    settle(&s);
    while (s.all != NULL || s.phase <= PHASE_SERVING) {
        turn(&s, tick_all(&s));
        settle(&s);
    }
    log_info("stopped");
out:
    sockets_close(&s.sockets);
    identity_fini(&s.identity);
    identity_fini(&s.fresh_identity);
    close(s.signal_fd);
    conf_free(s.settings);
    conf_free(s.fresh);
    return s.exit_status;
}
