/*
 * For unit tests of the configuration: settings of their own, a file to read them from, and the
 * mistakes named so far.
 */
#ifndef TESTS_CONF_WORLD_H
#define TESTS_CONF_WORLD_H

#include "common/buf.h"
#include "common/conf.h"

#include <stddef.h>

struct conf_world {
    char path[64]; /* of the file, written by each read */
    struct conf_set *set;
    struct buf errors;
};

/* All defaults, no mistakes. */
void confw_open(struct conf_world *);
void confw_close(struct conf_world *);

/* Reads this as a file; how many mistakes. */
int confw_read(struct conf_world *, const char *text);
int confw_read_octets(struct conf_world *, const char *data, size_t len);

/* The mistakes named so far; how many lines they are. */
const char *confw_errors(struct conf_world *);
unsigned confw_error_lines(struct conf_world *);
/* Demands that they say this. */
void confw_expect(struct conf_world *, const char *part);

/* The row of this key. */
struct conf_origin confw_row(const struct conf_world *, const char *key);

#endif
