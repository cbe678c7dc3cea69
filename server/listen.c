/*
 * listen: see listen.h. Runs in the supervisor, once, at the start.
 *
 * What can fail is what people meet first, so each failure names its cure: a port in use names its
 * owner and a port that is free, an unknown address says how to list those there are. Under `make
 * run` (INTERLEAVE_STEP is set) the cure is a make line, else one for the command line.
 *
 * IPv6 sockets take IPv6 only, so that "0.0.0.0 ::" is two sockets that do not collide.
 */
#include "listen.h"

#include "common/buf.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_TRIES = 16, PORT_LAST = 65535, PORT_UNPRIVILEGED = 8080 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int
parse_address(const char *text, unsigned port, union address *a, socklen_t *len)
{
    *a = (union address){0};
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons((uint16_t)port);
        *len = sizeof(a->v4);
        return 0;
    }
    if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons((uint16_t)port);
        *len = sizeof(a->v6);
        return 0;
    }
    return -1;
}

/* A socket that listens; -1 errno. */
static int
open_socket(const union address *a, socklen_t len)
{
    const int yes = 1;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), saved;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
        goto fail;
    if (a->any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
        goto fail;
    if (bind(fd, &a->any, len) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
        goto fail;
    return fd;

fail:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static unsigned
port_of(int fd)
{
    union address a;
    socklen_t len = sizeof(a);

    if (getsockname(fd, &a.any, &len) != 0)
        fatal("getsockname of a listening socket");
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static bool
is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* The host part of a URL that works on this machine: a wildcard is reached by its loopback. */
static void
set_host(struct listen_set *set, const union address *a)
{
    char text[INET6_ADDRSTRLEN];

    if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr)) {
        snprintf(set->host, sizeof(set->host), "[::1]");
    } else if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text));
        snprintf(set->host, sizeof(set->host), "[%s]", text);
    } else if (a->v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
        snprintf(set->host, sizeof(set->host), "127.0.0.1");
    } else {
        inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof(text));
        snprintf(set->host, sizeof(set->host), "%s", text);
    }
}

/* ---- failures and their cures ---- */

static void
add_cure(struct buf *error, unsigned port)
{
    if (getenv("INTERLEAVE_STEP") != NULL)
        buf_addf(error, "Try: make run PORT=%u", port);
    else
        buf_addf(error, "Try: interleave -o port=%u", port);
}

/* A port above `port` that can be bound now on the same address. */
static unsigned
next_free_port(const char *text, unsigned port)
{
    union address a;
    socklen_t len;

    for (unsigned p = port + 1; p <= port + PORT_TRIES && p <= PORT_LAST; p++) {
        int fd = parse_address(text, p, &a, &len) == 0 ? open_socket(&a, len) : -1;

        if (fd < 0)
            continue;
        close(fd);
        return p;
    }
    return 0; /* 0 is a port to try, too: any free one */
}

static void
explain_in_use(struct buf *error, const char *text, unsigned port)
{
    char name[32];
    const pid_t owner = listen_find_owner(port, name, sizeof(name));

    if (owner == getpid()) {
        buf_addf(error,
                 "listen names %s, which is part of another address there. Try: only one of them",
                 text);
        return;
    }
    if (owner > 0)
        buf_addf(error, "port %u is in use by pid %d (%s). ", port, (int)owner, name);
    else
        buf_addf(error, "port %u is in use by another program. ", port);
    add_cure(error, next_free_port(text, port));
}

static void
explain(struct buf *error, const char *text, unsigned port, int why)
{
    switch (why) {
    case EADDRINUSE:
        explain_in_use(error, text, port);
        break;
    case EACCES:
    case EPERM:
        buf_addf(error, "port %u may only be opened by a privileged user. ", port);
        add_cure(error, PORT_UNPRIVILEGED);
        break;
    case EADDRNOTAVAIL:
        buf_addf(error,
                 "this machine has no address %s. Try: `ip addr` lists those it has, "
                 "127.0.0.1 is always there, 0.0.0.0 is all of them",
                 text);
        break;
    case EAFNOSUPPORT:
        buf_addf(error, "this machine does not speak the protocol of %s. Try: listen = 127.0.0.1",
                 text);
        break;
    default:
        buf_addf(error, "can't listen on %s port %u: %s", text, port, strerror(why));
        break;
    }
}

/* ---- all addresses ---- */

/* One address more; the first one decides an open port. 0, -1 with the reason in `error`. */
static int
add_address(struct listen_set *set, const char *text, struct buf *error)
{
    union address a;
    socklen_t len;
    int fd;

    if (set->count == LISTEN_MAX) {
        buf_addf(error, "listen names more than %d addresses", LISTEN_MAX);
        errno = E2BIG;
        return -1;
    }
    if (parse_address(text, set->port, &a, &len) != 0) {
        buf_addf(error,
                 "listen: \"%s\" is not an address. Try: 127.0.0.1 (this machine only), ::1, or "
                 "0.0.0.0 (everybody)",
                 text);
        errno = EINVAL;
        return -1;
    }
    fd = open_socket(&a, len);
    if (fd < 0) {
        int saved = errno;

        explain(error, text, set->port, saved);
        errno = saved;
        return -1;
    }
    if (set->count == 0)
        set_host(set, &a);
    set->fds[set->count++] = fd;
    set->port = port_of(fd);
    set->beyond_loopback |= !is_loopback(&a);
    return 0;
}

static int
open_all(struct listen_set *set, const char *addresses, unsigned port, struct buf *error)
{
    char *copy = xstrdup(addresses), *rest = copy, *text;
    int result = 0;

    *set = (struct listen_set){.port = port};
    error->len = 0;
    while (result == 0 && (text = strsep(&rest, " \t")) != NULL)
        if (*text != '\0')
            result = add_address(set, text, error);
    if (result == 0 && set->count == 0) {
        buf_add_text(error, "listen names no address. Try: listen = 127.0.0.1");
        errno = EINVAL;
        result = -1;
    }
    if (result != 0)
        listen_close(set);
    free(copy);
    return result;
}

int
listen_open(struct listen_set *set, const char *addresses, unsigned port, struct buf *error)
{
    /* The port that was free on the first address may be taken on the second: then once more. */
    for (int i = 1; open_all(set, addresses, port, error) != 0; i++)
        if (port != 0 || errno != EADDRINUSE || i == PORT_TRIES)
            return -1;
    return 0;
}

void
listen_close(struct listen_set *set)
{
    int saved = errno;

    for (unsigned i = 0; i < set->count; i++)
        close(set->fds[i]);
    set->count = 0;
    errno = saved;
}
