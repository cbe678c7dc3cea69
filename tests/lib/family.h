/*
 * Who is whose child: no zombie, no orphan. What loses its parent becomes a child of the test.
 */
#ifndef TESTS_FAMILY_H
#define TESTS_FAMILY_H

#include "e2e.h"

/* From now on this process is the parent of those that lose theirs. */
void family_adopt_orphans(void);
/* Waits until the supervisor has its front end, so many workers, and no zombie, and this process
 * has the supervisor, and nobody else. */
void family_expect(const struct server *, unsigned workers);

#endif
