/*
 * conn: one connection to PostgreSQL: how it comes up and how it ends.
 *
 *   OFF --> LOOKUP --> CONNECTING --> JOINING --> UP <--> SUSPECT     (shared ones)
 *    ^ '--------------^   |              |        |  <--> CANCELLING  (exclusive ones)
 *    '--------------------+--------------+--------+----------'
 *
 * Runs on the loop; owns the PGconn and its events. Two doors lead back to OFF: conn_failed() from
 * before UP, conn_lost() from after it; both say why in the log, and pool.c decides when to try
 * again. libpq never blocks here: PQconnectStart/Poll, non-blocking mode, READ always armed.
 */
#include "db/parts.h"

#include "common/log.h"
#include "common/states.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_AFTER_NS (100 * NS_PER_MS)

static const struct state_row conn_states[] = {
    [CONN_OFF] = {"off", STATE_BIT(CONN_LOOKUP) | STATE_BIT(CONN_CONNECTING)},
    [CONN_LOOKUP] = {"lookup", STATE_BIT(CONN_CONNECTING) | STATE_BIT(CONN_OFF)},
    [CONN_CONNECTING] = {"connecting", STATE_BIT(CONN_JOINING) | STATE_BIT(CONN_OFF)},
    [CONN_JOINING] = {"joining", STATE_BIT(CONN_UP) | STATE_BIT(CONN_OFF)},
    [CONN_UP] = {"up", STATE_BIT(CONN_SUSPECT) | STATE_BIT(CONN_CANCELLING) | STATE_BIT(CONN_OFF)},
    [CONN_SUSPECT] = {"suspect", STATE_BIT(CONN_UP) | STATE_BIT(CONN_OFF)},
    [CONN_CANCELLING] = {"cancelling", STATE_BIT(CONN_UP) | STATE_BIT(CONN_OFF)},
};

/* What a pool counts a state as. */
static unsigned *
counter(struct db_conn *c, enum conn_state state)
{
    switch (state) {
    case CONN_OFF:
        break;
    case CONN_LOOKUP:
    case CONN_CONNECTING:
    case CONN_JOINING:
        return &c->pool->opening;
    case CONN_UP:
    case CONN_SUSPECT:
    case CONN_CANCELLING:
        return &c->pool->up;
    }
    return NULL;
}

void
conn_move(struct db_conn *c, enum conn_state state)
{
    unsigned *from = counter(c, c->state), *to = counter(c, state);

    states_check("connection to PostgreSQL", conn_states, c->state, state);
    if (from != NULL)
        (*from)--;
    if (to != NULL)
        (*to)++;
    c->state = state;
    c->state_ns = clock_ns();
    conn_refresh(c);
}

void
conn_refresh(struct db_conn *c)
{
    const uint64_t bit = UINT64_C(1) << c->index;

    if (c->state == CONN_UP && c->sent.count < c->pool->row->depth)
        c->pool->ready |= bit;
    else
        c->pool->ready &= ~bit;
}

/* ---- events ---- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_read(arg);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_flush(arg);
}

static void
conn_deafen(struct db_conn *c)
{
    event_del(&c->read);
    event_del(&c->write);
    event_del(&c->more);
}

void
conn_init(struct db_conn *c, struct db_pool *pool, unsigned index)
{
    c->db = pool->db;
    c->pool = pool;
    c->index = index;
    c->lane = (uint16_t)(pool->row->lane + index);
    queue_init(&c->sent);
    event_assign(&c->read, c->db->base, -1, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->write, c->db->base, -1, EV_WRITE | EV_PERSIST, on_writable, c);
    evtimer_assign(&c->more, c->db->base, on_readable, c);
}

void
conn_listen(struct db_conn *c)
{
    conn_deafen(c);
    event_assign(&c->read, c->db->base, PQsocket(c->pg), EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->write, c->db->base, PQsocket(c->pg), EV_WRITE | EV_PERSIST, on_writable, c);
    event_add(&c->read, NULL);
}

void
conn_flush(struct db_conn *c)
{
    switch (PQflush(c->pg)) {
    case 0:
        if (event_pending(&c->write, EV_WRITE, NULL))
            event_del(&c->write);
        break;
    case 1:
        event_add(&c->write, NULL);
        break;
    default:
        /* What was received before may still be read; the end of it tells the rest. */
        event_del(&c->write);
        event_add(&c->more, &(struct timeval){0, 0});
        break;
    }
}

/* ---- coming up ---- */

/* libpq wants to read or to write next; its socket may be another one than before. */
static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
    struct db_conn *c = arg;
    short wanted = 0;

    (void)fd;
    (void)what;
    conn_deafen(c);
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_READING:
        wanted = EV_READ;
        break;
    case PGRES_POLLING_WRITING:
        wanted = EV_WRITE;
        break;
    case PGRES_POLLING_OK:
        join_begin(c);
        return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        conn_failed(c, PQerrorMessage(c->pg));
        return;
    }
    event_assign(&c->read, c->db->base, PQsocket(c->pg), wanted, on_connect, c);
    event_add(&c->read, NULL);
}

static void
on_notice(void *arg, const char *message)
{
    (void)arg;
    log_debug("db: %.*s", (int)strcspn(message, "\n"), message);
}

/* search_path: the statements name no schema. statement_timeout: a backstop, should this side not
 * be able to cancel. */
static void
session_options(const struct db_pool *pool, char *options, size_t size)
{
    if (pool->row->cancel)
        snprintf(options, size, "-c search_path=interleave -c statement_timeout=%llu",
                 (unsigned long long)(pool->answer_ns / NS_PER_MS + 1000));
    else
        snprintf(options, size, "-c search_path=interleave");
}

void
conn_connect(struct db_conn *c, const char *addresses, unsigned naddresses)
{
    char options[100];

    session_options(c->pool, options, sizeof(options));
    conn_move(c, CONN_CONNECTING);
    c->pg = url_connect(&c->db->url, addresses, naddresses, options);
    if (c->pg == NULL)
        fatalx("out of memory: a connection to PostgreSQL");
    PQsetNoticeProcessor(c->pg, on_notice, NULL);
    if (PQstatus(c->pg) == CONNECTION_BAD) {
        conn_failed(c, PQerrorMessage(c->pg));
        return;
    }
    event_assign(&c->read, c->db->base, PQsocket(c->pg), EV_WRITE, on_connect, c);
    event_add(&c->read, NULL);
}

void
conn_open(struct db_conn *c)
{
    watch_soon(c->db);
    if (c->db->url.host != NULL)
        lookup_begin(c);
    else
        conn_connect(c, NULL, 0);
}

/* ---- going down ---- */

void
conn_close(struct db_conn *c)
{
    lookup_end(c);
    conn_deafen(c);
    db_release(&c->cancel);
    if (c->pg != NULL)
        PQfinish(c->pg);
    c->pg = NULL;
    c->unsynced = 0;
    c->unsynced_recorded = false;
    c->sync_due = false;
    c->pool->dirty &= ~(UINT64_C(1) << c->index);
    conn_move(c, CONN_OFF);
}

void
conn_failed(struct db_conn *c, const char *why)
{
    struct db *db = c->db;
    const uint64_t now = clock_ns();
    char first[sizeof(db->last_error)];

    /* "connection to server ... failed: FATAL:  the database system is starting up" */
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(why, "\n"), why);
    if (strcmp(first, db->last_error) != 0 || now - db->logged_ns > 60 * NS_PER_S) {
        log_warnx("db: no connection: %s; trying again", first);
        db->logged_ns = now;
    }
    snprintf(db->last_error, sizeof(db->last_error), "%s", first);
    conn_close(c);
    pool_note_failure(c->pool, now);
}

void
conn_lost(struct db_conn *c, const char *why)
{
    const uint64_t now = clock_ns();
    struct db_entry *e;

    log_warnx("db: %s connection %u lost with %u queries in flight: %.*s", c->pool->row->name,
              c->index, c->sent.count, (int)strcspn(why, "\n"), why);
    c->db->connections_lost++;
    conn_close(c);
    while ((e = queue_first(&c->sent)) != NULL) {
        queue_remove(e);
        c->pool->running--;
        entry_lost(e, now);
    }
    /* Where one was lost, others may be lost in a moment, which are not to get these as well. */
    c->pool->again_ns = now + AGAIN_AFTER_NS;
    pool_note_lost(c->pool, now, now - c->up_ns);
    watch_soon(c->db);
}
