/*
 * What stands on stdout once the server answers: the last step of `make run` with three lines to go
 * on with, or one line when started by hand.
 */
#ifndef SUPERVISOR_BANNER_H
#define SUPERVISOR_BANNER_H

struct buf;

struct banner {
    const char *step; /* "[5/5]", from the environment variable INTERLEAVE_STEP; NULL: one line */
    int pid;
    const char *host; /* as in a URL */
    unsigned port;
    unsigned tls_port; /* 0: no https */
    unsigned workers, cpus;
    const char *config_path; /* NULL: no file */
};

/* Adds the text to `out`. The URL stands in both forms. */
void banner_add(struct buf *out, const struct banner *);
/* Writes it to stdout; whether anybody reads it does not matter. */
void banner_print(const struct banner *);

#endif
