/*
 * The signals on which the supervisor acts, as a descriptor for its poll().
 */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

#include "common/attr.h"

/* Blocks SIGCHLD, SIGHUP, SIGTERM and SIGINT for good and gives a non-blocking, close-on-exec
 * descriptor from which they are read; SIGPIPE is ignored. -1 with errno. */
MUST_CHECK int signals_open(void);

/* The next one that has come, or 0: none is left. */
int signals_next(int fd);

#endif
