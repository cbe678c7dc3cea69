/*
 * The tables world and cached_world as the tests see them, and the answers made of their rows.
 */
#ifndef TESTS_WORLDS_H
#define TESTS_WORLDS_H

#include "e2e.h"

enum { WORLDS = 10000 };

/* The numbers of all rows by their ids (0: no such row); [0] is unused. */
struct worlds {
    int number[WORLDS + 1];
};

/* All of interleave."table". */
void worlds_read(struct pg_conn *, const char *table, struct worlds *out);
/* One {"id":,"randomNumber":} with nothing else in it: its id, 1 to 10,000, and its number,
 * likewise. Fails the test when it is anything else. */
int worlds_row(json_t *row, int *number);
/* An array of exactly so many of them, each as it stands in the table. */
void worlds_check_list(json_t *list, size_t rows, const struct worlds *table);

#endif
