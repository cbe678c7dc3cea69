/*
 * conn: one connection, from accept to close. Runs on the loop thread; owned by the server.
 *
 *            octets          head whole            answer complete
 *   IDLE ------------> HEAD ------------> BUSY ---------------------> IDLE     keep-alive
 *    |                  |  (refused heads too)'---------------------> LINGER   Connection: close
 *    |                  |                   |                           |
 *    '----- FIN, time --'------- gone ------'-------- FIN, 2 s ---------'---> CLOSED
 *
 * Reading goes on while a request is in progress, so that a client who leaves is noticed: its FIN
 * means that its work is cancelled. What it sent behind is kept up to INPUT_MAX; then only the end
 * of the connection is waited for (EV_CLOSED).
 */
#include "http/conn.h"
#include "common/clock.h"
#include "common/states.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_NS (2 * NS_PER_S)

static const struct state_row conn_states[] = {
    [CONN_IDLE] = {"idle", STATE_BIT(CONN_HEAD) | STATE_BIT(CONN_BUSY) | STATE_BIT(CONN_CLOSED)},
    [CONN_HEAD] = {"head", STATE_BIT(CONN_BUSY) | STATE_BIT(CONN_CLOSED)},
    [CONN_BUSY] = {"busy", STATE_BIT(CONN_IDLE) | STATE_BIT(CONN_LINGER) | STATE_BIT(CONN_CLOSED)},
    [CONN_LINGER] = {"linger", STATE_BIT(CONN_CLOSED)},
    [CONN_CLOSED] = {"closed", 0},
};

void
http_conn_move(struct http_conn *c, enum conn_state to)
{
    states_check("connection", conn_states, c->state, to);
    c->state = (uint8_t)to;
}

static ssize_t
plain_read(struct http_conn *c, void *out, size_t size)
{
    return recv(event_get_fd(&c->event), out, size, 0);
}

static ssize_t
plain_write(struct http_conn *c, const void *data, size_t size)
{
    return send(event_get_fd(&c->event), data, size, MSG_NOSIGNAL);
}

static const struct http_io plain_io = {plain_read, plain_write};

/* ---- buffers: few, and only while they are needed ---- */

void
http_conn_take_buf(struct http_server *s, struct buf *b)
{
    if (b->data != NULL || s->npool == 0)
        return;
    *b = s->pool[--s->npool];
    b->len = 0;
}

void
http_conn_give_buf(struct http_server *s, struct buf *b)
{
    if (s->npool < sizeof(s->pool) / sizeof(s->pool[0]) && b->cap <= OUTPUT_HIGH)
        s->pool[s->npool++] = *b;
    else
        buf_fini(b);
    *b = (struct buf){0};
}

static bool
is_borrowed(const struct http_conn *c)
{
    return c->in.data == c->server->read_buf;
}

/* The shared read buffer is needed for others: what is left in it becomes the connection's own. */
static void
end_borrowing(struct http_conn *c)
{
    struct buf own = {0};

    if (!is_borrowed(c))
        return;
    if (c->state != CONN_CLOSED && c->in.len > c->in_used) {
        http_conn_take_buf(c->server, &own);
        buf_add(&own, c->in.data + c->in_used, c->in.len - c->in_used);
    }
    c->in = own;
    c->in_used = 0;
}

static void
drop_consumed(struct http_conn *c)
{
    if (c->in_used < c->in.len) {
        if (!is_borrowed(c) && c->in_used > 0) {
            buf_consume(&c->in, c->in_used);
            c->in_used = 0;
        }
        return;
    }
    c->in.len = c->in_used = 0;
    if (c->in.data != NULL && !is_borrowed(c))
        http_conn_give_buf(c->server, &c->in);
}

/* ---- events ---- */

static void on_conn(evutil_socket_t fd, short what, void *arg);

void
http_conn_arm(struct http_conn *c)
{
    bool full = c->state == CONN_BUSY
                    ? c->in.len - c->in_used >= INPUT_MAX && !c->body_wanted
                    : c->state == CONN_IDLE && output_unsent(c) >= PIPELINE_OUTPUT;
    short want = EV_PERSIST;
    evutil_socket_t fd = event_get_fd(&c->event);

    if (c->state == CONN_CLOSED)
        return;
    if (!c->peer_done)
        want |= full ? EV_CLOSED : EV_READ;
    if (output_unsent(c) > 0)
        want |= EV_WRITE;
    if (want == c->armed)
        return;
    if (c->armed != 0)
        event_del(&c->event);
    c->armed = want;
    event_assign(&c->event, c->server->base, fd, want, on_conn, c);
    event_add(&c->event, NULL);
}

void
http_conn_later(struct http_conn *c)
{
    if (c->queued || c->state == CONN_CLOSED)
        return;
    c->queued = true;
    TAILQ_INSERT_TAIL(&c->server->dirty, c, queue);
}

struct http_conn *
http_conn_open(struct http_server *s, int fd)
{
    struct http_conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->server = s;
    c->io = &plain_io;
    c->state = CONN_IDLE;
    c->armed = EV_READ | EV_PERSIST;
    event_assign(&c->event, s->base, fd, c->armed, on_conn, c);
    event_add(&c->event, NULL);
    TAILQ_INSERT_TAIL(&s->conns, c, all);
    s->count.connections++;
    s->now = clock_ns();
    /* a new connection has as long as a head for its first octet */
    wheel_set(c, TIMER_IDLE, (uint64_t)s->conf->idle_timeout * NS_PER_MS);
    return c;
}

void
http_conn_close(struct http_conn *c, enum failure why)
{
    struct http_server *s = c->server;
    void *request = c->request;

    if (c->state == CONN_CLOSED)
        return;
    http_conn_move(c, CONN_CLOSED);
    c->request = NULL;
    event_del(&c->event);
    close(event_get_fd(&c->event));
    wheel_remove(c);
    if (c->queued)
        TAILQ_REMOVE(&s->dirty, c, queue);
    TAILQ_REMOVE(&s->conns, c, all);
    TAILQ_INSERT_TAIL(&s->doomed, c, queue);
    s->count.connections--;
    if (request != NULL) {
        s->count.gone++;
        s->hooks->gone(request, why != FAIL_NONE ? why : FAIL_CLIENT_GONE);
    }
}

/* ---- heads ---- */

static void
begin_request(struct http_conn *c, struct http_head *head)
{
    struct http_server *s = c->server;
    void *request;

    s->count.requests++;
    if (head->failure != FAIL_NONE)
        s->count.malformed++;
    http_conn_move(c, CONN_BUSY);
    c->keep_alive = head->failure == FAIL_NONE && head->keep_alive;
    c->head_only = head->method == HTTP_HEAD;
    c->minor = (uint8_t)head->minor;
    c->answering = c->answered = c->want_drained = false;
    c->scanned = 0;
    c->timer = TIMER_NONE;
    body_begin(c, head);
    request = s->hooks->begin(s->arg, c, head);
    if (request != NULL && c->state == CONN_BUSY)
        c->request = request;
}

/* What could not be read gets its answer, and then the connection ends. */
static void
refuse(struct http_conn *c, struct http_head *head)
{
    if (head->minor == 0 && head->target.p == NULL)
        head->minor = 1; /* not even a version was seen */
    c->in_used = c->in.len;
    begin_request(c, head);
}

void
http_conn_process(struct http_conn *c)
{
    struct http_server *s = c->server;

    while ((c->state == CONN_IDLE || c->state == CONN_HEAD) && c->in.len > c->in_used &&
           output_unsent(c) < PIPELINE_OUTPUT) {
        struct http_head head;
        size_t had = c->scanned;
        long n = http_head_parse(&head, c->in.data + c->in_used, c->in.len - c->in_used, &s->limits,
                                 &c->scanned);

        (void)had;
        if (n == 0) {
            if (c->state == CONN_IDLE) {
                http_conn_move(c, CONN_HEAD);
                wheel_set(c, TIMER_HEAD, (uint64_t)s->conf->head_timeout * NS_PER_MS);
            }
            break;
        }
        if (n < 0) {
            refuse(c, &head);
            break;
        }
        c->in_used += (size_t)n;
        begin_request(c, &head);
    }
    if (c->state != CONN_CLOSED)
        drop_consumed(c);
}

void
http_conn_answered(struct http_conn *c)
{
    c->request = NULL;
    c->body_wanted = false;
    if (!c->keep_alive) {
        http_conn_move(c, CONN_LINGER);
        c->in_used = c->in.len;
        return;
    }
    http_conn_move(c, CONN_IDLE);
    wheel_set(c, TIMER_IDLE, (uint64_t)c->server->conf->idle_timeout * NS_PER_MS);
}

void
http_conn_timed_out(struct http_conn *c)
{
    struct http_server *s = c->server;
    struct http_head head = {.failure = FAIL_HEAD_TIMEOUT,
                             .why = "the head took longer than head_timeout",
                             .minor = 1,
                             .content_length = -1};

    switch ((enum conn_timer)c->timer) {
    case TIMER_IDLE:
    case TIMER_LINGER:
        http_conn_close(c, FAIL_NONE);
        return;
    case TIMER_HEAD:
        s->count.timeouts++;
        c->in_used = c->in.len;
        begin_request(c, &head);
        return;
    case TIMER_BODY:
        s->count.timeouts++;
        c->body_bad = true;
        c->body_failure = FAIL_BODY_TIMEOUT;
        if (c->request != NULL)
            s->hooks->body(c->request);
        return;
    case TIMER_WRITE:
        s->count.timeouts++;
        http_conn_close(c, FAIL_CLIENT_GONE);
        return;
    case TIMER_NONE:
        return;
    }
}

/* ---- reading ---- */

/* The other side will send nothing more. */
static void
take_fin(struct http_conn *c)
{
    c->peer_done = true;
    if (c->state == CONN_IDLE && output_unsent(c) > 0) {
        http_conn_arm(c); /* what is answered is still delivered */
        return;
    }
    http_conn_close(c, c->state == CONN_BUSY ? FAIL_CLIENT_GONE : FAIL_NONE);
}

static void
linger_read(struct http_conn *c)
{
    ssize_t n = c->io->read(c, c->server->read_buf, READ_OCTETS);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->lingered += (uint32_t)n;
    if (n <= 0 || c->lingered > LINGER_MAX)
        http_conn_close(c, FAIL_NONE);
}

/* Reads once, into the shared buffer where nothing is kept. */
static ssize_t
read_once(struct http_conn *c)
{
    struct http_server *s = c->server;
    ssize_t n;

    if (c->in.data == NULL) {
        n = c->io->read(c, s->read_buf, READ_OCTETS);
        if (n > 0)
            c->in = (struct buf){.data = s->read_buf, .len = (size_t)n, .cap = READ_OCTETS};
        return n;
    }
    buf_reserve(&c->in, READ_OCTETS / 4);
    n = c->io->read(c, c->in.data + c->in.len, READ_OCTETS / 4);
    if (n > 0)
        c->in.len += (size_t)n;
    return n;
}

static void
read_some(struct http_conn *c)
{
    ssize_t n;

    if (c->state == CONN_LINGER) {
        linger_read(c);
        return;
    }
    n = read_once(c);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 0) {
        take_fin(c);
        return;
    }
    if (n < 0) {
        http_conn_close(c, FAIL_CLIENT_GONE);
        return;
    }
    c->server->count.bytes_in += (uint64_t)n;
    if (c->state == CONN_BUSY)
        body_arrived(c);
    if (c->state == CONN_IDLE || c->state == CONN_HEAD)
        http_conn_process(c);
    end_borrowing(c);
    if (c->state == CONN_BUSY) {
        drop_consumed(c);
        http_conn_arm(c);
    }
}

static void
on_conn(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *c = arg;

    (void)fd;
    c->server->now = clock_ns();
    if ((what & EV_CLOSED) != 0 && (what & EV_READ) == 0) {
        take_fin(c);
        return;
    }
    if ((what & EV_WRITE) != 0)
        output_flush(c);
    if ((what & EV_READ) != 0 && c->state != CONN_CLOSED)
        read_some(c);
    http_conn_settle(c);
}

/* What this callback or this turn has gathered is sent; then what was waiting behind can begin. */
void
http_conn_settle(struct http_conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    if ((c->armed & EV_WRITE) == 0)
        output_flush(c);
    if (c->state == CONN_IDLE && c->in.len > c->in_used && output_unsent(c) < PIPELINE_OUTPUT) {
        http_conn_process(c);
        if (c->state != CONN_CLOSED && (c->armed & EV_WRITE) == 0)
            output_flush(c);
    }
    if (c->state == CONN_CLOSED)
        return;
    if (output_unsent(c) == 0 && c->state == CONN_LINGER && c->timer != TIMER_LINGER) {
        shutdown(event_get_fd(&c->event), SHUT_WR);
        wheel_set(c, TIMER_LINGER, LINGER_NS);
    }
    if (output_unsent(c) == 0 && c->state == CONN_IDLE && c->peer_done) {
        http_conn_close(c, FAIL_NONE);
        return;
    }
    http_conn_arm(c);
}
