/*
 * The front end as the supervisor sees it: one function that runs in a process of its own (forked,
 * not executed) and returns that process's exit status.
 *
 * What the supervisor has done before it calls front_main(): PR_SET_PDEATHSIG; SIGINT, SIGTERM,
 * SIGHUP and SIGPIPE ignored, all others at their default, none blocked; every descriptor closed
 * but 0-2, control_fd and listen_fds; process title, log_init("front") and loop_cpu set.
 */
#ifndef SERVER_FRONT_H
#define SERVER_FRONT_H

#include <stdint.h>

struct buf;
struct conf;
struct conf_set;
struct identity;

struct front_args {
    const struct conf *conf;
    const struct conf_set *conf_set;
    int control_fd;         /* CTL_* messages of common/wire.h; non-blocking */
    const int *listen_fds;  /* non-blocking, shared with the supervisor and the other generations */
    unsigned nlisten, ntls; /* ntls: so many of them, the last ones, are for TLS */
    const struct identity *identity; /* NULL: no TLS */
    unsigned generation;             /* 1 for the first front end, then counted up */
    uint64_t started_ns;     /* clock_ns() when the server (not this generation) was started */
    unsigned workers;        /* how many will come over the control socket; 0: none */
    const char *config_path; /* NULL: no file */
};

/* Serves until CTL_DRAIN or EOF on the control socket. 0: drained; EX_CONFIG: the settings can't be
 * served, and never will be (why has been logged); anything else: failed. */
int front_main(const struct front_args *);

/* Would a front end take these files? 0; -1: a sentence in `why`. For interleave -t. */
int front_check_identity(const struct identity *, struct buf *why);

#endif
