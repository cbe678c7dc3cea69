/*
 * area: the memory that all tasks of a job share.
 */
#ifndef JOBS_AREA_H
#define JOBS_AREA_H

#include "common/attr.h"

#include <stdbool.h>
#include <stddef.h>

/* What all tasks of a job share: anonymous memory, or a memfd that workers map too. */
struct job_area {
    unsigned char *data;
    size_t size;
    int fd; /* -1: not shared */
};

/* 0, or -1 errno. size > 0. */
MUST_CHECK int job_area_open(struct job_area *, size_t size, bool shared);
void job_area_close(struct job_area *);

#endif
