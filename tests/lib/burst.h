/*
 * A burst and what it said: its lines and its summary.
 */
#ifndef TESTS_BURST_H
#define TESTS_BURST_H

#include "e2e.h"

struct burst_result {
    json_t *lines; /* array of the lines of its requests */
    json_t *summary;
};

/* POST /burst?`query` with this body (NULL: none); fails the test unless it is answered whole. */
struct burst_result burst_run(const struct server *, const char *query, const char *body);
double burst_number(const struct burst_result *, const char *name);
const char *burst_why(const struct burst_result *);
void burst_free(struct burst_result *);

#endif
