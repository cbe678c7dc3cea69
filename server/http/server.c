/*
 * server: what http.h says of the server itself: opening, accepting, the end of a turn, draining.
 * Runs on the loop thread of the front end; owns all connections.
 */
#include "http/server.h"

#include "common/log.h"
#include "http/output.h"
#include "http/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener {
    STAILQ_ENTRY(listener) all;
    struct event event;
    struct http_server *server;
    unsigned port;
    bool tls;
};

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

/* ---- accepting ---- */

/* No place for one more: say so, as well as can be said without giving it one. Behind TLS nothing
 * can be said before a handshake. */
static void
refuse_politely(struct http_server *s, int fd, bool tls)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nServer: interleave\r\n"
                               "Retry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    /* octets left unread would turn the close into a reset, and the answer might be lost */
    (void)!recv(fd, s->room, s->room_size, 0);
    if (!tls)
        (void)!send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    close(fd);
    s->status.refused_connections++;
}

/* Out of descriptors: without this the listening socket would stay readable and the loop spin. The
 * spare one gives way to the next client, who is sent away. */
static void
refuse_without_descriptor(struct http_server *s, int listen_fd, bool tls)
{
    int fd;

    if (s->spare_fd >= 0)
        close(s->spare_fd);
    fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        refuse_politely(s, fd, tls);
    s->spare_fd = eventfd(0, EFD_CLOEXEC);
}

/* The kernel has no room for more: try again in a moment. */
static void
pause_accepting(struct http_server *s)
{
    struct timeval tv = {0, 100000};
    struct listener *l;

    STAILQ_FOREACH(l, &s->listeners, all)
        event_del(&l->event);
    event_add(&s->accept_again, &tv);
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    struct listener *l;

    (void)fd;
    (void)what;
    STAILQ_FOREACH(l, &s->listeners, all)
        event_add(&l->event, NULL);
}

/* True: there may be more to accept. */
static bool
accept_failed(struct http_server *s, int listen_fd, bool tls)
{
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        refuse_without_descriptor(s, listen_fd, tls);
        if (s->spare_fd >= 0)
            return true;
        pause_accepting(s);
        return false;
    case ENOBUFS:
    case ENOMEM:
        pause_accepting(s);
        return false;
    default: /* that client has gone before it was taken */
        return true;
    }
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
    struct listener *l = arg;
    struct http_server *s = l->server;

    (void)what;
    for (unsigned i = 0; i < ACCEPT_TURN; i++) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (!accept_failed(s, listen_fd, l->tls))
                return;
        } else if (s->status.connections >= s->max_connections) {
            refuse_politely(s, fd, l->tls);
        } else if (l->tls) {
            (void)tls_conn_open(s, fd, l->port);
        } else {
            (void)http_conn_open(s, fd, l->port, &http_io_plain);
        }
    }
}

/* Accepted sockets have these from the listening one. */
static void
set_options(int fd)
{
    int one = 1, size = SEND_BUFFER;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* a socketpair knows none */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static unsigned
local_port(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    if (ss.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&ss)->sin_port);
    if (ss.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&ss)->sin6_port);
    return 0;
}

static void
listen_on(struct http_server *s, int fd, bool tls)
{
    struct listener *l = xcalloc(1, sizeof(*l));

    l->server = s;
    l->port = local_port(fd);
    l->tls = tls;
    set_options(fd);
    event_assign(&l->event, s->base, fd, EV_READ | EV_PERSIST, on_accept, l);
    if (event_add(&l->event, NULL) != 0)
        fatalx("can't watch a listening socket");
    STAILQ_INSERT_TAIL(&s->listeners, l, all);
}

void
http_listen(struct http_server *s, int fd)
{
    listen_on(s, fd, false);
}

void
http_listen_tls(struct http_server *s, int fd)
{
    assert(s->tls != NULL);
    listen_on(s, fd, true);
}

static void
prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        fatal("can't adopt descriptor %d", fd);
    set_options(fd);
}

struct http_conn *
http_adopt(struct http_server *s, int fd)
{
    prepare(fd);
    return http_conn_open(s, fd, local_port(fd), &http_io_plain);
}

struct http_conn *
http_adopt_tls(struct http_server *s, int fd)
{
    prepare(fd);
    return tls_conn_open(s, fd, local_port(fd));
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
    STAILQ_INIT(&s->listeners);
    event_assign(&s->again, base, -1, 0, on_again, s);
    event_assign(&s->accept_again, base, -1, 0, on_accept_again, s);
    s->spare_fd = eventfd(0, EFD_CLOEXEC);
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

static void
stop_listening(struct http_server *s)
{
    struct listener *l;

    event_del(&s->accept_again);
    while ((l = STAILQ_FIRST(&s->listeners)) != NULL) {
        STAILQ_REMOVE_HEAD(&s->listeners, all);
        event_del(&l->event);
        free(l);
    }
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
    stop_listening(s);
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
    stop_listening(s);
    for_all(s, close_now);
    http_turn_end(s);
    timer_close(s);
    event_del(&s->again);
    if (s->spare_fd >= 0)
        close(s->spare_fd);
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
