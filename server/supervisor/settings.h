/*
 * The settings of this run: a configuration file and -o options, read at the start and again at
 * each HUP.
 */
#ifndef SUPERVISOR_SETTINGS_H
#define SUPERVISOR_SETTINGS_H

#include "common/attr.h"
#include "common/conf.h"

/* Where settings come from. The texts must live as long as the server. */
struct settings_source {
    const char *path;     /* NULL: no file */
    char *const *options; /* "key=value", in the order of the command line: the last one counts */
    unsigned noptions;
};

/* Reads and checks all of it. NULL: it is wrong, and every error is a line in `errors`. */
MUST_CHECK struct conf_set *settings_read(const struct settings_source *, struct buf *errors);

/* The same while the server runs with `old`: keys that need a restart keep their old value, with a
 * warning. Errors are logged, each in a line. NULL: wrong, `old` stays in force. */
MUST_CHECK struct conf_set *settings_read_again(const struct settings_source *,
                                                const struct conf_set *old);

#endif
