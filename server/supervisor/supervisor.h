/*
 * The supervisor: a plain single-threaded parent that opens the listening sockets, starts a
 * generation (front end and workers), keeps it alive, and passes signals on.
 *
 *   HUP        reads the configuration again; if all of it is good, a new generation takes over
 *   TERM, INT  finish running requests, then stop; a second one: stop at once
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "common/attr.h"
#include "supervisor/children.h"
#include "supervisor/settings.h"

#include <stdint.h>

struct supervisor_setup {
    struct settings_source source;
    struct conf_set *settings; /* read from source; taken over, freed at the end */
    front_function front;
    const char *worker_path;
    uint64_t started_ns;
};

/* Runs until the server has stopped. Returns the exit status: 0; 1: it could not start; EX_CONFIG:
 * nor will it with these settings (the reason has been logged). */
MUST_CHECK int supervisor_run(const struct supervisor_setup *);

#endif
