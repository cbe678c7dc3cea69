/*
 * area: the memory of jobs that this worker has mapped, by number of the job.
 */
#ifndef WORKERS_AREA_H
#define WORKERS_AREA_H

#include "common/attr.h"

#include <stddef.h>
#include <stdint.h>

struct area {
    uint64_t job;
    unsigned char *data;
    size_t size;
};

struct areas {
    struct area *rows;
    unsigned count, room;
};

/* Maps `size` octets of the memfd, which is closed. 0, or -1 errno. */
MUST_CHECK int areas_map(struct areas *, uint64_t job, int fd, size_t size);
/* NULL: this job has none here. */
const struct area *areas_find(const struct areas *, uint64_t job);
void areas_unmap(struct areas *, uint64_t job);
void areas_fini(struct areas *);

#endif
