/*
 * listen: see listen.h. Runs in the supervisor, once, at the start.
 *
 * What can fail is what people meet first, so each failure names its cure: a port in use names its
 * owner and a port that is free, an unknown address says how to list those there are. Under `make
 * run` (INTERLEAVE_STEP is set) the cure is a make line, else one for the command line.
 *
 * IPv6 sockets take IPv6 only, so that "0.0.0.0 ::" is two sockets that do not collide.
 */
#include "supervisor/listen.h"

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

enum { PORT_TRIES = 16, PORT_LAST = 65535, PORT_UNPRIVILEGED = 8080, PORT_UNPRIVILEGED_TLS = 8443 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* IPv6 with or without the brackets that a URL needs. 0, -1: not an address. */
static int
parse_address(const char *text, unsigned port, union address *a, socklen_t *len)
{
    char bare[INET6_ADDRSTRLEN];
    const size_t n = strlen(text);

    *a = (union address){0};
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons((uint16_t)port);
        *len = sizeof(a->v4);
        return 0;
    }
    if (n >= 2 && n - 2 < sizeof(bare) && text[0] == '[' && text[n - 1] == ']') {
        snprintf(bare, sizeof(bare), "%.*s", (int)(n - 2), text + 1);
        text = bare;
    }
    if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons((uint16_t)port);
        *len = sizeof(a->v6);
        return 0;
    }
    return -1;
}

/* Calls `visit` with each address of the list until it returns other than 0, which is returned. */
static int
each_address(const char *addresses, int (*visit)(void *arg, const char *text), void *arg)
{
    char *copy = xstrdup(addresses), *rest = copy, *text;
    int result = 0;

    while (result == 0 && (text = strsep(&rest, " \t")) != NULL)
        if (*text != '\0')
            result = visit(arg, text);
    free(copy);
    return result;
}

struct check {
    struct buf *errors;
    int found, wrong;
};

static int
check_address(void *arg, const char *text)
{
    struct check *check = arg;
    union address a;
    socklen_t len;

    check->found++;
    if (parse_address(text, 0, &a, &len) == 0)
        return 0;
    check->wrong++;
    buf_addf(check->errors,
             "listen: \"%s\" is not an address. Try: 127.0.0.1 (this machine only), [::1], or "
             "0.0.0.0 (everybody)\n",
             text);
    return 0;
}

int
listen_check(const char *addresses, struct buf *errors)
{
    struct check check = {.errors = errors};

    (void)each_address(addresses, check_address, &check);
    if (check.found > 0 && check.found <= LISTEN_MAX)
        return check.wrong;
    buf_addf(errors, "listen: %d addresses; 1 to %d are possible\n", check.found, LISTEN_MAX);
    return check.wrong + 1;
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
    union address a = {0};
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
add_cure(struct buf *error, bool tls, unsigned port)
{
    if (getenv("INTERLEAVE_STEP") != NULL)
        buf_addf(error, "Try: make run %sPORT=%u", tls ? "TLS_" : "", port);
    else
        buf_addf(error, "Try: interleave -o %sport=%u", tls ? "tls_" : "", port);
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
explain_in_use(struct buf *error, bool tls, const char *text, unsigned port)
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
    add_cure(error, tls, next_free_port(text, port));
}

static void
explain(struct buf *error, bool tls, const char *text, unsigned port, int why)
{
    switch (why) {
    case EADDRINUSE:
        explain_in_use(error, tls, text, port);
        break;
    case EACCES:
    case EPERM:
        buf_addf(error, "port %u may only be opened by a privileged user. ", port);
        add_cure(error, tls, tls ? PORT_UNPRIVILEGED_TLS : PORT_UNPRIVILEGED);
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

struct opening {
    struct listen_set *set;
    struct buf *error;
};

/* One address more; the first one decides an open port. 0, -1 with the reason in the error. */
static int
open_address(void *arg, const char *text)
{
    struct opening *opening = arg;
    struct listen_set *set = opening->set;
    union address a;
    socklen_t len;
    int fd, saved;

    if (parse_address(text, set->port, &a, &len) != 0 || set->count == LISTEN_MAX)
        fatalx("listen was not checked: %s", text);
    fd = open_socket(&a, len);
    if (fd < 0) {
        saved = errno;
        explain(opening->error, set->tls, text, set->port, saved);
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
    struct opening opening = {.set = set, .error = error};

    *set = (struct listen_set){.tls = set->tls, .port = port};
    error->len = 0;
    if (each_address(addresses, open_address, &opening) == 0)
        return 0;
    listen_close(set);
    return -1;
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
