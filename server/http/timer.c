/*
 * timer: see timer.h. One libevent timer ticks while there are connections; every open connection
 * is linked into the wheel, so that it is the list of all of them, too.
 *
 *   slot:   now   now+1   now+2 ... now+255     A deadline beyond the last slot waits in it and is
 *            |      |                |          looked at again then.
 *          conns  conns            conns
 */
#include "http/timer.h"

#include "common/log.h"
#include "http/server.h"

#include <event2/event.h>

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    timer_run(arg);
}

void
timer_open(struct http_server *s, uint64_t shortest_ns)
{
    struct timer_wheel *w = &s->wheel;
    uint64_t tick = shortest_ns / 8;

    if (tick < 5 * NS_PER_MS)
        tick = 5 * NS_PER_MS;
    if (tick > 100 * NS_PER_MS)
        tick = 100 * NS_PER_MS;
    w->tick_ns = tick;
    w->now = clock_ns() / tick;
    for (unsigned i = 0; i < TIMER_SLOTS; i++)
        LIST_INIT(&w->slots[i]);
    event_assign(&w->event, s->base, -1, EV_PERSIST, on_tick, s);
}

void
timer_close(struct http_server *s)
{
    event_del(&s->wheel.event);
}

/* Into the slot of this tick, or the last one that the wheel has. */
static void
put(struct timer_wheel *w, struct http_conn *conn, uint64_t tick)
{
    if (tick <= w->now)
        tick = w->now + 1;
    if (tick > w->now + TIMER_SLOTS - 1)
        tick = w->now + TIMER_SLOTS - 1;
    conn->tick = tick;
    LIST_INSERT_HEAD(&w->slots[tick % TIMER_SLOTS], conn, slot);
}

void
timer_link(struct http_conn *conn)
{
    struct timer_wheel *w = &conn->server->wheel;

    if (w->linked++ == 0) {
        struct timeval tv = {0, (suseconds_t)(w->tick_ns / NS_PER_US)};

        w->now = clock_ns() / w->tick_ns;
        if (event_add(&w->event, &tv) != 0)
            fatalx("can't start the timer of connections");
    }
    put(w, conn, w->now + TIMER_SLOTS - 1);
}

void
timer_unlink(struct http_conn *conn)
{
    struct timer_wheel *w = &conn->server->wheel;

    LIST_REMOVE(conn, slot);
    if (--w->linked == 0)
        event_del(&w->event);
}

/* When the reader must have taken something. While the server waits for its end, sooner: a page
 * that is open and sleeps must not hold that up. */
static uint64_t
stall_deadline(const struct http_conn *conn)
{
    const struct http_server *s = conn->server;
    uint64_t patience = s->write_ns;

    if (s->draining && patience > DRAIN_STALL_NS)
        patience = DRAIN_STALL_NS;
    return conn->progress + patience;
}

/* Who has never said anything owes a head; in a crowd of connections the idle ones make room. */
static uint64_t
idle_patience(const struct http_conn *conn)
{
    const struct http_server *s = conn->server;

    if (s->draining)
        return DRAIN_GRACE_NS;
    if (!conn->asked && s->head_ns < s->idle_ns)
        return s->head_ns;
    return s->status.connections > CROWD && s->idle_ns > CROWD_IDLE_NS ? CROWD_IDLE_NS : s->idle_ns;
}

static uint64_t
body_deadline(const struct http_conn *conn)
{
    return conn->since + (uint64_t)(conn->body_budget > 0 ? conn->body_budget : 0);
}

/* It waits for nobody but us: it has no time limit here, and is looked at now and then. */
static bool
waits_for_us(const struct http_conn *conn)
{
    return conn->state == CONN_REQUEST && conn->out_len == 0 && !conn->body_waiting;
}

static uint64_t
deadline_of(const struct http_conn *conn)
{
    struct http_server *s = conn->server;

    switch ((enum conn_state)conn->state) {
    case CONN_HANDSHAKE:
        return conn->since + s->head_ns;
    case CONN_IDLE:
        if (conn->out_len > 0)
            return stall_deadline(conn);
        return conn->since + idle_patience(conn);
    case CONN_HEAD:
        if (conn->out_len > OUT_LOW) /* we don't read on: not its fault */
            return stall_deadline(conn);
        return conn->since + s->head_ns;
    case CONN_REQUEST:
        if (waits_for_us(conn))
            return server_now(s) + LOOK_NS;
        return conn->out_len > 0 ? stall_deadline(conn) : body_deadline(conn);
    case CONN_SKIP:
        return body_deadline(conn);
    case CONN_FLUSH:
        return stall_deadline(conn);
    case CONN_LINGER:
        return conn->since + LINGER_NS;
    case CONN_CLOSED:
    case CONN_STATES:
        break;
    }
    return 0;
}

void
timer_watch(struct http_conn *conn)
{
    struct timer_wheel *w = &conn->server->wheel;
    uint64_t tick;

    conn->deadline = deadline_of(conn);
    if (conn->deadline == 0)
        return;
    tick = conn->deadline / w->tick_ns + 1;
    if (tick < conn->tick) {
        LIST_REMOVE(conn, slot);
        put(w, conn, tick);
    }
}

/* Looks at the connections of one slot: too early ones go into a later slot. */
static void
look(struct http_server *s, struct timer_slot *slot, uint64_t now)
{
    struct timer_wheel *w = &s->wheel;
    struct timer_slot due = *slot;
    struct http_conn *conn;

    if (LIST_EMPTY(&due))
        return;
    LIST_FIRST(&due)->slot.le_prev = &due.lh_first;
    LIST_INIT(slot);
    while ((conn = LIST_FIRST(&due)) != NULL) {
        LIST_REMOVE(conn, slot);
        /* since it was put here a crowd may have come, or output in this very turn */
        if (!waits_for_us(conn))
            conn->deadline = deadline_of(conn);
        if (conn->deadline == 0)
            put(w, conn, w->now + TIMER_SLOTS);
        else
            put(w, conn, conn->deadline / w->tick_ns + 1);
        if (conn->deadline != 0 && conn->deadline <= now)
            http_conn_expire(conn);
    }
}

void
timer_run(struct http_server *s)
{
    struct timer_wheel *w = &s->wheel;
    uint64_t from = w->now + 1, now;

    s->now = 0; /* the very time: what a long turn has delayed was not late */
    now = server_now(s);
    w->now = now / w->tick_ns;
    if (w->now >= from + TIMER_SLOTS)
        from = w->now - TIMER_SLOTS + 1;
    for (uint64_t tick = from; tick <= w->now; tick++)
        look(s, &w->slots[tick % TIMER_SLOTS], now);
}
