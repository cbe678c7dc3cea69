/*
 * The fakes below a supervised supervisor: see supervised.h.
 */
#ifndef TESTS_FAKE_FRONT_H
#define TESTS_FAKE_FRONT_H

#include "front.h"

struct fake_world;

/* The world in which the next front ends will live. */
void fake_front_init(struct fake_world *);
int fake_front_main(const struct front_args *);

#endif
