/*
 * The fail table: what a client is told for each reason (RFC 9457 problem details). One row a
 * reason; /problems/NAME and /help are printed from it too.
 */
#ifndef REQUEST_FAIL_H
#define REQUEST_FAIL_H

#include "common/failure.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct req;

struct fail_row {
    int status;
    int retry_after;  /* seconds; 0: no such field */
    const char *name; /* /problems/NAME */
    const char *title;
    const char *sentence; /* what it means, where nothing is known of the case */
    const char *cure;     /* what to do about it: ends every detail; NULL: the case names it */
};

const struct fail_row *fail_row(enum failure);
/* The row of this name, or NULL. */
const struct fail_row *fail_row_named(const char *name, size_t len);

/* What a client is told of this very case: what is wrong, and what to do about it. */
void fail_add_detail(const struct req *, struct buf *);
/* Answers the request with its failure (r->failed, r->why, r->fail_members). */
void fail_answer(struct req *);

#endif
