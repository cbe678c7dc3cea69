/*
 * Requests that break a rule, or look as if they did: each with the rule, and what must be
 * answered. Used by the unit test of the parser, by the loop test of the connection, and end to
 * end.
 *
 * Those that are fine ask for /plaintext or /echo, of a server on localhost, and are answered 200.
 */
#ifndef TESTS_MALFORMED_H
#define TESTS_MALFORMED_H

#include <stddef.h>

struct malformed {
    const char *name;    /* what is strange about it */
    const char *section; /* the rule */
    int status;          /* of the (first) answer */
    const char *octets;
    size_t len;
};

extern const struct malformed malformed_table[];
extern const size_t malformed_count;

/* After an answer of this status http closes the connection: the request could not be read. All
 * statuses of the table but 200. */
static inline int
malformed_closes(const struct malformed *m)
{
    return m->status >= 400;
}

#endif
