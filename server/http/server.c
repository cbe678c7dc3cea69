/*
 * server: all connections together: listening sockets, accept, drain, and the end of a loop turn,
 * when what was gathered is sent and what was closed is freed.
 *
 * When descriptors run out, a spare one is given up to accept and close the next client: it learns
 * at once that it is refused, and the listening socket does not stay readable for ever.
 */
#include "common/clock.h"
#include "common/log.h"
#include "http/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPT_BATCH = 32 };

static void
refuse_one(struct http_server *s, int listen_fd)
{
    int fd;

    s->count.refused_connections++;
    if (s->spare_fd >= 0)
        close(s->spare_fd);
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
set_options(int fd)
{
    int one = 1, octets = SOCKET_OUTPUT;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
    struct http_server *s = arg;

    (void)what;
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                refuse_one(s, listen_fd);
            return;
        }
        s->count.accepted++;
        if (s->count.connections >= (uint64_t)s->conf->max_connections) {
            s->count.refused_connections++;
            close(fd);
            continue;
        }
        set_options(fd);
        if (http_conn_open(s, fd) == NULL)
            close(fd);
    }
}

struct http_server *
http_open(struct event_base *base, const struct conf *conf, const struct http_hooks *hooks,
          void *arg)
{
    struct http_server *s = xcalloc(1, sizeof(*s));

    s->base = base;
    s->conf = conf;
    s->hooks = hooks;
    s->arg = arg;
    s->limits = (struct http_limits){
        .target = (size_t)conf->max_target,
        .head = (size_t)conf->max_head,
        .fields = (unsigned)conf->max_fields,
    };
    s->now = clock_ns();
    s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    TAILQ_INIT(&s->conns);
    TAILQ_INIT(&s->dirty);
    TAILQ_INIT(&s->doomed);
    wheel_open(s);
    return s;
}

static void
free_doomed(struct http_server *s)
{
    struct http_conn *c;

    while ((c = TAILQ_FIRST(&s->doomed)) != NULL) {
        TAILQ_REMOVE(&s->doomed, c, queue);
        if (c->in.data != NULL && c->in.data != s->read_buf)
            http_conn_give_buf(s, &c->in);
        if (c->out.data != NULL)
            http_conn_give_buf(s, &c->out);
        free(c);
    }
}

static void
free_listeners(struct http_server *s)
{
    while (s->nlisteners > 0)
        event_free(s->listeners[--s->nlisteners]);
}

void
http_close(struct http_server *s)
{
    struct http_conn *c;

    free_listeners(s);
    while ((c = TAILQ_FIRST(&s->conns)) != NULL) {
        c->request = NULL;
        http_conn_close(c, FAIL_NONE);
    }
    free_doomed(s);
    while (s->npool > 0)
        buf_fini(&s->pool[--s->npool]);
    wheel_close(s);
    if (s->spare_fd >= 0)
        close(s->spare_fd);
    free(s);
}

void
http_listen(struct http_server *s, int fd)
{
    if (s->nlisteners == LISTENERS_MAX)
        fatalx("more than %d listening sockets", LISTENERS_MAX);
    s->listeners[s->nlisteners] = event_new(s->base, fd, EV_READ | EV_PERSIST, on_accept, s);
    event_add(s->listeners[s->nlisteners++], NULL);
}

void
http_drain(struct http_server *s)
{
    struct http_conn *c, *next;

    s->draining = true;
    free_listeners(s);
    for (c = TAILQ_FIRST(&s->conns); c != NULL; c = next) {
        next = TAILQ_NEXT(c, all);
        if (c->state == CONN_IDLE && output_unsent(c) == 0 && c->in.len == 0)
            http_conn_close(c, FAIL_NONE);
    }
}

struct http_conn *
http_adopt(struct http_server *s, int fd)
{
    s->count.accepted++;
    return http_conn_open(s, fd);
}

void
http_turn_end(struct http_server *s)
{
    struct http_conn *c;

    while ((c = TAILQ_FIRST(&s->dirty)) != NULL) {
        TAILQ_REMOVE(&s->dirty, c, queue);
        c->queued = false;
        http_conn_settle(c);
    }
    free_doomed(s);
}

unsigned
http_conn_port(const struct http_conn *c)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(event_get_fd(&c->event), (struct sockaddr *)&ss, &len) != 0)
        return 0;
    if (ss.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&ss)->sin_port);
    if (ss.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&ss)->sin6_port);
    return 0;
}

const char *
http_conn_peer(const struct http_conn *c, char *out, size_t size)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    char text[INET6_ADDRSTRLEN] = "?";

    if (getpeername(event_get_fd(&c->event), (struct sockaddr *)&ss, &len) != 0)
        snprintf(out, size, "gone");
    else if (ss.ss_family == AF_INET)
        snprintf(
            out, size, "%s:%u",
            inet_ntop(AF_INET, &((const struct sockaddr_in *)&ss)->sin_addr, text, sizeof(text)),
            ntohs(((const struct sockaddr_in *)&ss)->sin_port));
    else if (ss.ss_family == AF_INET6)
        snprintf(
            out, size, "[%s]:%u",
            inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&ss)->sin6_addr, text, sizeof(text)),
            ntohs(((const struct sockaddr_in6 *)&ss)->sin6_port));
    else
        snprintf(out, size, "local");
    return out;
}

void
http_status(const struct http_server *s, struct http_status *out)
{
    *out = s->count;
}
