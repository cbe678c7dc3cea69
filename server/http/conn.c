/*
 * conn: see conn.h. Birth, moves and death of a connection, and the order in which its work is
 * done.
 *
 *   run:  send what is left over -> let the producer go on -> read once -> use what was read
 *         -> send what was gathered -> settle: close, linger, wait, or more in the next turn
 *
 * Its event is edge-triggered: the loop says once that there is something to read or room to write,
 * and `readable` and `writable` remember it until a read or write finds otherwise. So a connection
 * costs no epoll_ctl after its first, reading can stop and go on, and a client that leaves is told
 * of (EV_CLOSED) even while nothing is read. What is not finished in one turn is put on the list of
 * the turn: no second edge would come for it. One edge can be missed: a reset that came together
 * with the request itself. So a request that waits is looked after each second.
 *
 * Nothing is freed in here: closed connections wait for the end of the turn.
 */
#include "http/conn.h"

#include "common/log.h"
#include "common/states.h"
#include "http/body.h"
#include "http/input.h"
#include "http/output.h"
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct state_row states[CONN_STATES] = {
    [CONN_HANDSHAKE] = {"handshake",
                        STATE_BIT(CONN_IDLE) | STATE_BIT(CONN_REQUEST) | STATE_BIT(CONN_CLOSED)},
    [CONN_IDLE] = {"idle", STATE_BIT(CONN_HEAD) | STATE_BIT(CONN_REQUEST) | STATE_BIT(CONN_CLOSED)},
    [CONN_HEAD] = {"head", STATE_BIT(CONN_REQUEST) | STATE_BIT(CONN_CLOSED)},
    [CONN_REQUEST] = {"request", STATE_BIT(CONN_IDLE) | STATE_BIT(CONN_SKIP) |
                                     STATE_BIT(CONN_FLUSH) | STATE_BIT(CONN_CLOSED)},
    [CONN_SKIP] = {"skip", STATE_BIT(CONN_IDLE) | STATE_BIT(CONN_CLOSED)},
    [CONN_FLUSH] = {"flush", STATE_BIT(CONN_LINGER) | STATE_BIT(CONN_CLOSED)},
    [CONN_LINGER] = {"linger", STATE_BIT(CONN_CLOSED)},
    [CONN_CLOSED] = {"closed", 0},
};

void
http_conn_move(struct http_conn *conn, enum conn_state to)
{
    states_check("connection", states, conn->state, to);
    conn->state = (uint8_t)to;
    conn->since = server_now(conn->server);
}

/* Reading would tell, but nothing is read now: has the connection been reset? */
static bool
is_reset(const struct http_conn *conn)
{
    int error = 0;
    socklen_t len = sizeof(error);

    return getsockopt(conn_fd(conn), SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *conn = arg;

    (void)fd;
    if ((what & (EV_READ | EV_CLOSED)) != 0)
        conn->readable = true;
    if ((what & EV_CLOSED) != 0)
        conn->fin = true;
    if ((what & EV_WRITE) != 0) {
        conn->writable = true;
        conn->readable |= conn->read_writes;
    }
    if (!input_wanted(conn) && is_reset(conn))
        conn->broken = true;
    http_conn_run(conn);
}

struct http_conn *
http_conn_open(struct http_server *s, int fd, unsigned port, const struct http_io *io)
{
    struct http_conn *conn = xcalloc(1, io->size);

    conn->server = s;
    conn->io = io;
    conn->port = (uint16_t)port;
    conn->writable = true;
    conn->state = io->first_state;
    conn->since = server_now(s);
    event_assign(&conn->event, s->base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_event,
                 conn);
    if (event_add(&conn->event, NULL) != 0)
        fatalx("can't watch a connection");
    s->status.accepted++;
    s->status.connections++;
    timer_link(conn);
    timer_watch(conn);
    return conn;
}

static void
count_close(struct http_status *status, const struct http_conn *conn, enum conn_why why)
{
    status->connections--;
    if (why == CLOSE_TIMEOUT)
        status->timeouts++;
    if (conn->request != NULL && why != CLOSE_SERVER)
        status->gone++;
}

/* What the client has not taken by now it will not take: else the kernel would keep that for many
 * minutes, and a client that reads nothing would never learn that it was cut. */
static void
reset_at_close(const struct http_conn *conn)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(conn_fd(conn), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void
http_conn_close(struct http_conn *conn, enum conn_why why)
{
    struct http_server *s = conn->server;
    void *request = conn->request;

    assert(!conn->in_begin);
    count_close(&s->status, conn, why);
    timer_unlink(conn);
    event_del(&conn->event);
    if (why == CLOSE_TIMEOUT && conn->out_len > 0)
        reset_at_close(conn);
    conn->io->close(conn);
    http_conn_move(conn, CONN_CLOSED);
    http_conn_run_later(conn); /* so that the end of the turn finds it */
    conn->request = NULL;
    if (request != NULL && why != CLOSE_SERVER)
        s->hooks->gone(request, FAIL_CLIENT_GONE);
}

void
http_conn_free(struct http_conn *conn)
{
    output_drop(conn);
    free(conn->in);
    free(conn);
}

/* ---- the list of the turn ---- */

static void
list(struct http_conn *conn)
{
    if (conn->listed)
        return;
    conn->listed = true;
    STAILQ_INSERT_TAIL(&conn->server->turn, conn, turn);
}

void
http_conn_run_later(struct http_conn *conn)
{
    conn->run_later = true;
    list(conn);
}

void
http_conn_flush_later(struct http_conn *conn)
{
    conn->flush_later = true;
    list(conn);
}

/* ---- its work ---- */

void
http_conn_enter(struct http_conn *conn)
{
    struct http_server *s = conn->server;

    assert(s->running == NULL && s->out.len == 0);
    s->running = conn;
    s->view = conn_in(conn);
    s->view_len = conn->in_len;
}

/* All is sent: say so, and close now or when the client has heard it. */
static void
end_sending(struct http_conn *conn)
{
    if (conn->eof || !(conn->linger || conn->readable || conn->in_len > 0)) {
        http_conn_close(conn, CLOSE_DONE);
        return;
    }
    conn->io->shut(conn);
    conn->body_got = 0; /* counts what is dropped from here on */
    http_conn_move(conn, CONN_LINGER);
}

/* Is nobody left to answer? */
static bool
is_gone(const struct http_conn *conn)
{
    switch ((enum conn_state)conn->state) {
    case CONN_HANDSHAKE:
    case CONN_IDLE:
    case CONN_HEAD:
    case CONN_SKIP:
        return conn->eof && conn->out_len == 0; /* answers that are complete are still sent */
    case CONN_REQUEST:
        return conn->eof || (conn->fin && !conn->body_waiting);
    case CONN_FLUSH:
        return false;
    case CONN_LINGER:
        return conn->eof || conn->body_got > LINGER_MAX;
    case CONN_CLOSED:
    case CONN_STATES:
        break;
    }
    return false;
}

/* Its work of this turn is done: what follows from where it stands? */
static void
settle(struct http_conn *conn)
{
    if (conn->state == CONN_CLOSED)
        return;
    if (conn->broken || is_gone(conn)) {
        http_conn_close(conn, conn->state == CONN_LINGER ? CLOSE_DONE : CLOSE_GONE);
        return;
    }
    if (conn->state == CONN_FLUSH && conn->out_len == 0) {
        end_sending(conn);
        if (conn->state == CONN_CLOSED)
            return;
    }
    /* a producer that was stopped by its share of the turn, with nothing left unsent, has no event
     * to wait for: the next turn is its event */
    if ((conn->readable && input_wanted(conn)) || (conn->wants_drained && conn->out_len <= OUT_LOW))
        http_conn_run_later(conn);
    timer_watch(conn);
}

void
http_conn_leave(struct http_conn *conn)
{
    struct http_server *s = conn->server;

    output_gathered(conn);
    input_keep(conn);
    s->running = NULL;
    settle(conn);
}

/* The producer of an answer waits for room, and there is some. */
static void
let_producer_go_on(struct http_conn *conn)
{
    if (!conn->wants_drained || conn->out_len > OUT_LOW)
        return;
    conn->wants_drained = false;
    conn->server->hooks->drained(conn->request);
}

void
http_conn_run(struct http_conn *conn)
{
    http_conn_enter(conn);
    if (conn->out_len > 0)
        output_send(conn);
    if (!conn->broken)
        let_producer_go_on(conn);
    if (!conn->broken)
        input_run(conn);
    http_conn_leave(conn);
}

/* ---- too late ---- */

void
http_conn_expire(struct http_conn *conn)
{
    switch ((enum conn_state)conn->state) {
    case CONN_HEAD:
        if (conn->out_len > OUT_LOW || !input_has_head(conn))
            break;
        conn->server->status.timeouts++;
        http_conn_enter(conn);
        input_fail(conn, FAIL_HEAD_TIMEOUT, "the head was not complete within head_timeout");
        http_conn_leave(conn);
        return;
    case CONN_REQUEST:
        if (conn->out_len > 0)
            break;
        if (!conn->body_waiting) {
            if (is_reset(conn))
                http_conn_close(conn, CLOSE_GONE);
            else
                timer_watch(conn);
            return;
        }
        conn->server->status.timeouts++;
        http_conn_enter(conn);
        body_fail(conn, FAIL_BODY_TIMEOUT);
        http_conn_leave(conn);
        return;
    case CONN_HANDSHAKE:
    case CONN_IDLE:
    case CONN_SKIP:
    case CONN_FLUSH:
    case CONN_LINGER:
        break;
    case CONN_CLOSED:
    case CONN_STATES:
        return;
    }
    http_conn_close(conn, CLOSE_TIMEOUT);
}
