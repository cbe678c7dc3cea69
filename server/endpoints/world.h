/*
 * What the endpoints of the TechEmpower set have in common: rows of the table World, and how many
 * of them a request wants.
 */
#ifndef ENDPOINTS_WORLD_H
#define ENDPOINTS_WORLD_H

#include "request/req.h"

enum {
    WORLD_ROWS = 10000, /* ids from 1 */
    WORLD_MOST = 500,   /* rows of one request */
};

/* The columns of their queries. */
enum { WORLD_ID, WORLD_RANDOM };

struct world {
    int32_t id, number;
};

/* The parameter `name` of the query string, as their verifier wants it: missing or not a number
 * means 1, otherwise clamped to 1..WORLD_MOST. */
unsigned world_wanted(const struct req *, const char *name);

/* An id, or the number that a row gets: 1..WORLD_ROWS. */
int32_t world_random(const struct req *);
/* Adds {"id":..,"randomNumber":..}; before it '[' or ',' if it is row `i` of a list. */
void world_add(struct buf *, struct world);
void world_add_row(struct buf *, unsigned i, struct world);

/* Takes the row of an answer over. False: there was none, and the request fails. */
bool world_take(const struct query *, struct world *out);
struct next world_is_missing(struct req *);

#endif
