/*
 * server: what http.h says of the server itself: opening, the end of a turn, draining, closing.
 * Runs on the loop thread of the front end; owns all connections.
 */
#include "http/server.h"

#include "common/log.h"
#include "http/accept.h"
#include "http/output.h"
#include "http/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- the turn ---- */

/* Those that had more to do when the last turn ended. */
static void
on_again(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    struct http_conn *conn;

    (void)fd;
    (void)what;
    STAILQ_FOREACH(conn, &s->turn, turn) {
        if (!conn->run_later || conn->state == CONN_CLOSED)
            continue;
        conn->run_later = false; /* each is in the list once: this ends */
        http_conn_run(conn);
    }
}

/* What is sent at the end of the turn may free the producer, or break; both are the next turn's. */
static void
flush_at_end(struct http_conn *conn)
{
    conn->flush_later = false;
    output_send(conn);
    if (conn->wants_drained && conn->out_len <= OUT_LOW)
        conn->run_later = true;
    timer_watch(conn);
}

void
http_turn_end(struct http_server *s)
{
    struct conn_turn_list list = STAILQ_HEAD_INITIALIZER(list);
    struct http_conn *conn;

    s->now = 0;
    s->turn_no++;
    s->turn_sent = 0;
    if (STAILQ_EMPTY(&s->turn))
        return;
    STAILQ_CONCAT(&list, &s->turn);
    while ((conn = STAILQ_FIRST(&list)) != NULL) {
        STAILQ_REMOVE_HEAD(&list, turn);
        if (conn->state == CONN_CLOSED) {
            http_conn_free(conn);
            continue;
        }
        if (conn->flush_later)
            flush_at_end(conn);
        if (conn->run_later)
            STAILQ_INSERT_TAIL(&s->turn, conn, turn);
        else
            conn->listed = false;
    }
    if (!STAILQ_EMPTY(&s->turn))
        event_active(&s->again, EV_TIMEOUT, 1);
}

/* ---- birth and death ---- */

static uint64_t
min_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void
take_conf(struct http_server *s, const struct conf *conf)
{
    s->limits.target = (size_t)conf->max_target;
    s->limits.head = (size_t)conf->max_head;
    s->limits.fields = (unsigned)min_of((uint64_t)conf->max_fields, HTTP_FIELDS_MAX);
    s->head_ns = (uint64_t)conf->head_timeout * NS_PER_MS;
    s->body_ns = (uint64_t)conf->body_timeout * NS_PER_MS;
    s->idle_ns = (uint64_t)conf->idle_timeout * NS_PER_MS;
    s->write_ns = (uint64_t)conf->write_timeout * NS_PER_MS;
    s->max_connections = (uint64_t)conf->max_connections;
    s->max_turn_bytes = (uint32_t)min_of((uint64_t)conf->max_bytes_per_turn, UINT32_MAX / 2);
    s->room_size = READ_ROOM;
    if (s->room_size < 2 * s->limits.head)
        s->room_size = 2 * s->limits.head;
}

struct http_server *
http_open(struct event_base *base, const struct conf *conf, const struct http_hooks *hooks,
          void *arg)
{
    struct http_server *s = xcalloc(1, sizeof(*s));

    s->base = base;
    s->hooks = hooks;
    s->arg = arg;
    take_conf(s, conf);
    s->room = xmalloc(s->room_size);
    STAILQ_INIT(&s->turn);
    event_assign(&s->again, base, -1, 0, on_again, s);
    accept_open(s);
    timer_open(s, min_of(min_of(s->head_ns, s->body_ns), min_of(s->idle_ns, s->write_ns)));
    return s;
}

int
http_use_identity(struct http_server *s, const struct identity *identity, struct buf *why)
{
    assert(s->tls == NULL);
    s->tls = tls_open(identity, why);
    return s->tls != NULL ? 0 : -1;
}

/* For each open connection: the wheel has them all. */
static void
for_all(struct http_server *s, void (*act)(struct http_conn *))
{
    struct http_conn **all = xcalloc(s->wheel.linked, sizeof(struct http_conn *)), *conn;
    size_t n = 0;

    for (unsigned i = 0; i < TIMER_SLOTS; i++)
        LIST_FOREACH(conn, &s->wheel.slots[i], slot)
            all[n++] = conn;
    for (size_t i = 0; i < n; i++)
        act(all[i]);
    free(all);
}

void
http_drain(struct http_server *s)
{
    if (s->draining)
        return;
    s->draining = true;
    accept_stop(s);
    for_all(s, timer_watch); /* those that wait for a request wait less long */
}

static void
close_now(struct http_conn *conn)
{
    http_conn_close(conn, CLOSE_SERVER);
}

void
http_close(struct http_server *s)
{
    assert(s->running == NULL);
    accept_close(s);
    for_all(s, close_now);
    http_turn_end(s);
    timer_close(s);
    event_del(&s->again);
    output_free_blocks(s);
    tls_close(s->tls);
    buf_fini(&s->out);
    free(s->room);
    free(s);
}

/* ---- what is known ---- */

unsigned
http_conn_port(const struct http_conn *conn)
{
    return conn->port;
}

const char *
http_conn_peer(const struct http_conn *conn, char *out, size_t size)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);
    char address[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;

    if (getpeername(conn_fd(conn), (struct sockaddr *)&ss, &len) == 0 && ss.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&ss;

        inet_ntop(AF_INET, &in->sin_addr, address, sizeof(address));
        port = ntohs(in->sin_port);
    } else if (ss.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&ss;

        inet_ntop(AF_INET6, &in->sin6_addr, address, sizeof(address));
        port = ntohs(in->sin6_port);
    }
    snprintf(out, size, ss.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, port);
    return out;
}

void
http_status(const struct http_server *s, struct http_status *out)
{
    *out = s->status;
}
