/*
 * Certificates made on the spot: self-signed, for localhost and 127.0.0.1.
 */
#ifndef TESTS_CERTIFICATE_H
#define TESTS_CERTIFICATE_H

#include "common/identity.h"

enum certificate_kind { CERTIFICATE_EC, CERTIFICATE_RSA };

/* Valid for so many days from now (0: over). `path` is what both parts are called. */
void certificate_make(struct identity *, enum certificate_kind, const char *path, int days);
void certificate_free(struct identity *);
/* Writes a part to a file that only its owner can read. */
void certificate_write(const struct identity_part *, const char *path);

#endif
