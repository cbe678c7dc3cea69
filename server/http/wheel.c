/*
 * wheel: the time-outs of all connections by ONE libevent timer. A connection stands in the slot of
 * the tick at which somebody must look at it; when its deadline has moved on meanwhile it is only
 * put into a later slot. So a new deadline costs a store, not a timer.
 */
#include "common/clock.h"
#include "http/conn.h"

static uint64_t
shortest_timeout_ms(const struct conf *c)
{
    int64_t shortest = c->head_timeout;

    if (c->body_timeout < shortest)
        shortest = c->body_timeout;
    if (c->idle_timeout < shortest)
        shortest = c->idle_timeout;
    if (c->write_timeout < shortest)
        shortest = c->write_timeout;
    return (uint64_t)shortest;
}

static void
put(struct http_conn *c)
{
    struct http_server *s = c->server;
    uint64_t tick = c->deadline / s->wheel_tick_ns + 1;

    if (tick <= s->wheel_now)
        tick = s->wheel_now + 1;
    if (tick >= s->wheel_now + WHEEL_SLOTS)
        tick = s->wheel_now + WHEEL_SLOTS - 1; /* looked at early, and put on again */
    c->wheel_slot = (uint16_t)(tick % WHEEL_SLOTS);
    TAILQ_INSERT_TAIL(&s->wheel[c->wheel_slot], c, slot);
    c->on_wheel = true;
}

void
wheel_remove(struct http_conn *c)
{
    if (!c->on_wheel)
        return;
    TAILQ_REMOVE(&c->server->wheel[c->wheel_slot], c, slot);
    c->on_wheel = false;
}

/* The tick of the slot it stands in. */
static uint64_t
slot_tick(const struct http_conn *c)
{
    const struct http_server *s = c->server;
    uint64_t ahead = (c->wheel_slot + WHEEL_SLOTS - s->wheel_now % WHEEL_SLOTS) % WHEEL_SLOTS;

    return s->wheel_now + ahead;
}

void
wheel_set(struct http_conn *c, enum conn_timer timer, uint64_t after_ns)
{
    c->timer = timer;
    if (timer == TIMER_NONE)
        return; /* stays where it is; nobody minds */
    c->deadline = c->server->now + after_ns;
    if (c->on_wheel && slot_tick(c) * c->server->wheel_tick_ns <= c->deadline)
        return; /* looked at before: early enough */
    wheel_remove(c);
    put(c);
}

static void
look_at_slot(struct http_server *s, struct conn_list *slot)
{
    struct conn_list due = TAILQ_HEAD_INITIALIZER(due);
    struct http_conn *c;

    TAILQ_CONCAT(&due, slot, slot);
    while ((c = TAILQ_FIRST(&due)) != NULL) {
        TAILQ_REMOVE(&due, c, slot);
        c->on_wheel = false;
        if (c->timer == TIMER_NONE)
            continue;
        if (c->deadline > s->now)
            put(c);
        else
            http_conn_timed_out(c);
    }
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    uint64_t tick;

    (void)fd;
    (void)what;
    s->now = clock_ns();
    tick = s->now / s->wheel_tick_ns;
    while (s->wheel_now < tick) {
        s->wheel_now++;
        look_at_slot(s, &s->wheel[s->wheel_now % WHEEL_SLOTS]);
    }
}

void
wheel_open(struct http_server *s)
{
    uint64_t ms = shortest_timeout_ms(s->conf) / 10;
    struct timeval tv;

    if (ms < 5)
        ms = 5;
    if (ms > 100)
        ms = 100;
    s->wheel_tick_ns = ms * NS_PER_MS;
    s->wheel_now = clock_ns() / s->wheel_tick_ns;
    for (unsigned i = 0; i < WHEEL_SLOTS; i++)
        TAILQ_INIT(&s->wheel[i]);
    tv = (struct timeval){0, (suseconds_t)(ms * 1000)};
    s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    event_add(s->tick, &tv);
}

void
wheel_close(struct http_server *s)
{
    event_free(s->tick);
}
