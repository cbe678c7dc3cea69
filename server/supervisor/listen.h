/*
 * The listening sockets: opened once by the supervisor and kept by it until the server stops, so
 * that connections wait in their backlog while a front end is replaced.
 */
#ifndef SUPERVISOR_LISTEN_H
#define SUPERVISOR_LISTEN_H

#include "common/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;

enum { LISTEN_MAX = 16, LISTEN_BACKLOG = 4096, LISTEN_HOST_MAX = 64 };

struct listen_set {
    bool tls; /* set by the caller: errors speak of tls_port */
    unsigned count;
    int fds[LISTEN_MAX]; /* non-blocking, close-on-exec */
    unsigned port;       /* the real one */
    bool beyond_loopback;
    char host[LISTEN_HOST_MAX]; /* where a browser on this machine finds us: "127.0.0.1", "[::1]" */
};

/* Are these addresses, separated by blanks (numbers or "localhost"), possible ones? Returns how
 * many errors; each is a line in `errors`. */
MUST_CHECK int listen_check(const char *addresses, struct buf *errors);

/* Listens on all `addresses`, which have been checked, on one port; port 0: any that is free on all
 * of them. What stands in the set, but for `tls`, is forgotten. 0; -1 with errno: nothing is open,
 * and `error` has a sentence that names the cure. */
MUST_CHECK int listen_open(struct listen_set *, const char *addresses, unsigned port,
                           struct buf *error);
void listen_close(struct listen_set *);

/* Who listens on this port? Its pid, and in `name` its name ("python3"); 0: not to be found, as it
 * may belong to another user. (listen_owner.c) */
pid_t listen_find_owner(unsigned port, char *name, size_t size);

#endif
