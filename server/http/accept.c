/*
 * accept: see accept.h. Runs on the loop thread of the front end. What can fail: descriptors run
 * out (the next client is sent away by means of a spare one, so that the loop does not spin), or
 * the kernel has no room (a pause of 100 ms).
 */
#include "http/accept.h"

#include "common/log.h"
#include "http/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
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

/* ---- listening sockets ---- */

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

void
accept_stop(struct http_server *s)
{
    struct listener *l;

    event_del(&s->accept_again);
    while ((l = STAILQ_FIRST(&s->listeners)) != NULL) {
        STAILQ_REMOVE_HEAD(&s->listeners, all);
        event_del(&l->event);
        free(l);
    }
}

void
accept_open(struct http_server *s)
{
    STAILQ_INIT(&s->listeners);
    event_assign(&s->accept_again, s->base, -1, 0, on_accept_again, s);
    s->spare_fd = eventfd(0, EFD_CLOEXEC);
}

void
accept_close(struct http_server *s)
{
    accept_stop(s);
    if (s->spare_fd >= 0)
        close(s->spare_fd);
}
