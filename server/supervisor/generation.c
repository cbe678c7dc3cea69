/*
 * generation: see generation.h. Runs in the supervisor.
 *
 * Owns the control socket and the seats. The front end decides what to do with its workers; here
 * they are only kept alive: a seat that falls empty is filled at once, unless workers die without
 * ever having had a task (backoff.h).
 *
 * A front end that breaks the contract of the control socket, or closes it, can't be steered any
 * more and is killed; its generation then ends like that of one which died by itself. Its workers
 * see EOF on their task sockets, since nobody else holds the other ends; one that has not gone
 * within a second (it may be stopped, or deep in a library) is killed.
 */
#include "supervisor/generation.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/states.h"
#include "common/wire.h"
#include "supervisor/placement.h"
#include "supervisor/seat.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A front end that is not ready by then never will be. */
#define START_LIMIT_NS (30 * NS_PER_S)
/* What workers have after EOF. */
#define END_LIMIT_NS (1 * NS_PER_S)
#define LEFT_WAIT_NS (20 * NS_PER_MS)

static const struct state_row generation_states[] = {
    [GENERATION_STARTING] = {"starting", STATE_BIT(GENERATION_SERVING) |
                                             STATE_BIT(GENERATION_DRAINING) |
                                             STATE_BIT(GENERATION_ENDING)},
    [GENERATION_SERVING] = {"serving",
                            STATE_BIT(GENERATION_DRAINING) | STATE_BIT(GENERATION_ENDING)},
    [GENERATION_DRAINING] = {"draining", STATE_BIT(GENERATION_ENDING)},
    [GENERATION_ENDING] = {"ending", STATE_BIT(GENERATION_GONE)},
    [GENERATION_GONE] = {"gone", 0},
};

static void
generation_move(struct generation *g, enum generation_state to, uint64_t deadline_ns)
{
    states_check("generation", generation_states, g->state, to);
    log_debug("generation %u: %s -> %s", g->number, generation_states[g->state].name,
              generation_states[to].name);
    g->state = to;
    g->deadline_ns = deadline_ns;
}

static void
make_seats(struct generation *g, const struct generation_plan *plan)
{
    int *cpus = xcalloc(plan->args.workers, sizeof(*cpus));

    g->nseats = plan->args.workers;
    g->seats = xcalloc(g->nseats, sizeof(*g->seats));
    placement_of_workers(plan->args.conf, cpus, g->nseats);
    for (unsigned i = 0; i < g->nseats; i++)
        seat_init(&g->seats[i], i, cpus[i]);
    free(cpus);
}

struct generation *
generation_start(const struct generation_plan *plan)
{
    struct front_args args = plan->args;
    struct generation *g;
    int pair[2], saved;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return NULL;
    args.control_fd = pair[1];
    pid = children_start_front(plan->front, &args, placement_of_loop(args.conf));
    saved = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        errno = saved;
        return NULL;
    }
    g = xcalloc(1, sizeof(*g));
    g->state = GENERATION_STARTING;
    g->number = args.generation;
    g->front = pid;
    g->control_fd = pair[0];
    g->worker_path = plan->worker_path;
    g->started_ns = clock_ns();
    g->deadline_ns = g->started_ns + START_LIMIT_NS;
    make_seats(g, plan);
    generation_tick(g, g->started_ns);
    return g;
}

void
generation_free(struct generation *g)
{
    free(g->seats);
    free(g);
}

static bool
front_is_alive(const struct generation *g)
{
    return g->state == GENERATION_STARTING || g->state == GENERATION_SERVING ||
           g->state == GENERATION_DRAINING;
}

static void
close_control(struct generation *g)
{
    if (g->control_fd >= 0)
        close(g->control_fd);
    g->control_fd = -1;
}

void
generation_drain(struct generation *g, uint64_t deadline_ns)
{
    if (g->state == GENERATION_STARTING || g->state == GENERATION_SERVING)
        generation_move(g, GENERATION_DRAINING, deadline_ns);
}

void
generation_kill(struct generation *g)
{
    if (front_is_alive(g))
        kill(g->front, SIGKILL);
    for (unsigned i = 0; i < g->nseats; i++)
        seat_kill(&g->seats[i]);
}

/* ---- deaths ---- */

static void
end_if_empty(struct generation *g)
{
    for (unsigned i = 0; i < g->nseats; i++)
        if (seat_is_alive(&g->seats[i]))
            return;
    generation_move(g, GENERATION_GONE, 0);
}

static void
reap_front(struct generation *g, int status)
{
    char text[64];

    children_status_text(status, text, sizeof(text));
    if (g->state == GENERATION_DRAINING && status == 0)
        log_info("front end %d (generation %u) has finished", g->front, g->number);
    else
        log_warnx("front end %d (generation %u) %s", g->front, g->number, text);
    g->front_status = status;
    g->front_ended_ns = clock_ns();
    close_control(g);
    generation_move(g, GENERATION_ENDING, g->front_ended_ns + END_LIMIT_NS);
    for (unsigned i = 0; i < g->nseats; i++)
        seat_forget_front(&g->seats[i]);
    end_if_empty(g);
}

/* When the seat of a worker that has just died is to be filled again. One that left with status 0
 * saw EOF: most likely its front end has just died, and we shall hear of that in a moment. */
static uint64_t
next_worker_due(struct generation *g, bool ill, int status, uint64_t now)
{
    uint64_t due = ill ? backoff_death(&g->pool, now) : now;

    if (status != 0)
        return due;
    if (g->state == GENERATION_DRAINING)
        return g->deadline_ns;
    return due > now + LEFT_WAIT_NS ? due : now + LEFT_WAIT_NS;
}

static void
reap_worker(struct generation *g, struct seat *seat, int status)
{
    const bool ill = seat_reap(seat, status);
    const uint64_t now = clock_ns();
    char text[64];

    if (g->state == GENERATION_ENDING) {
        seat_forget_front(seat);
        end_if_empty(g);
        return;
    }
    seat->due_ns = next_worker_due(g, ill, status, now);
    children_status_text(status, text, sizeof(text));
    if (status == 0)
        log_info("worker %u (%d) has left", seat->index, seat->pid);
    else
        log_warnx("worker %u (%d) %s%s; started again %s", seat->index, seat->pid, text,
                  ill ? " without a task" : "",
                  seat->due_ns > now ? "later: too many have died" : "at once");
}

bool
generation_reap(struct generation *g, pid_t pid, int status)
{
    if (pid == g->front && front_is_alive(g)) {
        reap_front(g, status);
        return true;
    }
    for (unsigned i = 0; i < g->nseats; i++) {
        if (g->seats[i].pid == pid && seat_is_alive(&g->seats[i])) {
            reap_worker(g, &g->seats[i], status);
            return true;
        }
    }
    return false;
}

/* ---- the control socket ---- */

/* It can't be steered any more. One that drains closes its control socket as it ends: let it. */
static void
give_up_front(struct generation *g, const char *why)
{
    log_debug("generation %u: control socket: %s", g->number, why);
    close_control(g);
    if (g->state != GENERATION_DRAINING || !g->drain_told)
        kill(g->front, SIGKILL);
}

/* Only the process that the front end means: its news may be older than the next worker there. */
static void
kill_worker(struct generation *g, const struct ctl_message *m)
{
    struct seat *seat = m->index < g->nseats ? &g->seats[m->index] : NULL;

    if (seat == NULL || seat->state != SEAT_TAKEN || seat->pid != m->pid)
        return;
    log_info("worker %u (%d) is killed on the front end's wish", seat->index, seat->pid);
    seat_kill(seat);
}

static bool
take_message(struct generation *g, const struct ctl_message *m)
{
    switch ((enum ctl_type)m->type) {
    case CTL_READY:
        if (g->state == GENERATION_STARTING)
            generation_move(g, GENERATION_SERVING, 0);
        return true;
    case CTL_KILL_WORKER:
        kill_worker(g, m);
        return true;
    case CTL_WORKER_UP:
    case CTL_WORKER_DOWN:
    case CTL_DRAIN:
        break;
    }
    return false;
}

void
generation_on_readable(struct generation *g)
{
    struct ctl_message m;

    while (g->control_fd >= 0) {
        int got = wire_receive(g->control_fd, &m, sizeof(m), NULL, NULL);

        if (got < 0 && errno == EAGAIN)
            return;
        if (got < 0)
            give_up_front(g, "a message that can't be read");
        else if (got == 0)
            give_up_front(g, "closed");
        else if (!take_message(g, &m))
            give_up_front(g, "a message of no known type");
    }
}

/* Everything that the front end has not heard yet, as far as its socket takes it. */
static void
tell_news(struct generation *g)
{
    const struct ctl_message drain = {.type = CTL_DRAIN};

    for (unsigned i = 0; i < g->nseats && g->control_fd >= 0; i++)
        if (seat_has_news(&g->seats[i]) && seat_tell(&g->seats[i], g->control_fd) != 0)
            goto failed;
    if (g->state == GENERATION_DRAINING && !g->drain_told && g->control_fd >= 0) {
        if (wire_send(g->control_fd, &drain, sizeof(drain), NULL, 0) != 0)
            goto failed;
        g->drain_told = true;
    }
    return;

failed:
    if (errno != EAGAIN)
        give_up_front(g, "can't be written");
}

short
generation_events(const struct generation *g)
{
    if (g->state == GENERATION_DRAINING && !g->drain_told)
        return POLLIN | POLLOUT;
    for (unsigned i = 0; i < g->nseats; i++)
        if (seat_has_news(&g->seats[i]))
            return POLLIN | POLLOUT;
    return POLLIN;
}

/* ---- time ---- */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Fills empty seats that are due; returns when the next one is. */
static uint64_t
fill_seats(struct generation *g, uint64_t now)
{
    uint64_t next = 0;

    for (unsigned i = 0; i < g->nseats; i++) {
        struct seat *seat = &g->seats[i];

        if (seat->state != SEAT_EMPTY)
            continue;
        if (seat->due_ns <= now && seat_spawn(seat, g->worker_path) != 0) {
            log_warn("worker %u can't be started", seat->index);
            seat->due_ns = backoff_death(&g->pool, now);
        }
        if (seat->state == SEAT_EMPTY)
            next = earlier(next, seat->due_ns);
    }
    return next;
}

uint64_t
generation_tick(struct generation *g, uint64_t now)
{
    uint64_t next = 0;

    if (g->deadline_ns != 0 && now >= g->deadline_ns) {
        log_warnx("generation %u is still %s: killed", g->number, generation_states[g->state].name);
        g->deadline_ns = 0;
        generation_kill(g);
    }
    if (g->control_fd >= 0) {
        tell_news(g);
        next = fill_seats(g, now);
        tell_news(g);
    }
    return earlier(next, g->deadline_ns);
}
