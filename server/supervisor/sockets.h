/*
 * All listening sockets of the server: those of http and, if there is a certificate, those of https
 * at the same addresses.
 */
#ifndef SUPERVISOR_SOCKETS_H
#define SUPERVISOR_SOCKETS_H

#include "common/attr.h"
#include "common/conf.h"
#include "supervisor/listen.h"

struct sockets {
    struct listen_set plain, tls;
    int fds[2 * LISTEN_MAX]; /* of both, those of tls last */
};

/* Opens them as these settings say; addresses beyond loopback are warned of. 0; -1: none is open,
 * and an error that names the cure has been logged. */
MUST_CHECK int sockets_open(struct sockets *, const struct conf *, bool with_tls);
void sockets_close(struct sockets *);

#endif
