/*
 * The files of certificate and key: read by the supervisor, as octets, when the server starts and
 * at each HUP, so that a front end that dies is replaced with the same ones, whatever has become of
 * the files.
 */
#ifndef SUPERVISOR_IDENTITY_H
#define SUPERVISOR_IDENTITY_H

#include "common/attr.h"
#include "common/conf.h"
#include "common/identity.h"

/* Reads the files that these settings name; without names it is all zero. Returns how many errors:
 * each is a line in `errors`, and `out` is then all zero. The paths are those in `conf`. */
MUST_CHECK int identity_read(struct identity *out, const struct conf *conf, struct buf *errors);
/* The same; errors are logged, and so is a key that others can read. 0, or -1. */
MUST_CHECK int identity_load(struct identity *out, const struct conf *conf);
/* Is there one? */
bool identity_is_set(const struct identity *);
/* Wipes and frees; all zero then. */
void identity_fini(struct identity *);

#endif
