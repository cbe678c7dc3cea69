/*
 * Query strings: decoded, matched against the route's table of parameters, checked. All mistakes
 * of one request are named at once (of very many the first 16). For request/ itself, and for
 * /burst, which checks the requests it is asked to make.
 */
#ifndef REQUEST_PARAMS_H
#define REQUEST_PARAMS_H

#include "common/attr.h"
#include "http/head.h"

#include <stdint.h>

struct param;
struct req;

/* Fills r->params and r->texts from r->head->query. 0, or -1: r->failed is FAIL_PARAMETER, r->why a
 * sentence, r->fail_members the array invalid_params. */
MUST_CHECK int params_read(struct req *);

/* Decodes %XX and '+' in place of `out` (room for len + 1), NUL-terminated. Returns the length, or
 * -1: a bad escape. */
MUST_CHECK long params_decode(const char *text, size_t len, char *out);

/* A decimal integer with an optional '-', nothing else. 0, or -1. */
MUST_CHECK int params_integer(const char *text, int64_t *out);

#endif
