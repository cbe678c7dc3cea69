/*
 * area: see area.h. Runs in a worker. There are few at a time (jobs in progress), so a list will
 * do.
 */
#include "area.h"

#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
areas_map(struct areas *a, uint64_t job, int fd, size_t size)
{
    struct stat status;
    void *data = MAP_FAILED;
    int saved;

    if (fstat(fd, &status) == 0) {
        errno = EINVAL; /* unless it is as large as was said */
        if (size > 0 && (uint64_t)status.st_size >= size)
            data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    saved = errno;
    close(fd);
    errno = saved;
    if (data == MAP_FAILED)
        return -1;
    if (a->count == a->room) {
        a->room = a->room > 0 ? 2 * a->room : 8;
        a->rows = xrealloc(a->rows, a->room * sizeof(*a->rows));
    }
    a->rows[a->count++] = (struct area){.job = job, .data = data, .size = size};
    return 0;
}

const struct area *
areas_find(const struct areas *a, uint64_t job)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (a->rows[i].job == job)
            return &a->rows[i];
    }
    return NULL;
}

void
areas_unmap(struct areas *a, uint64_t job)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (a->rows[i].job == job) {
            munmap(a->rows[i].data, a->rows[i].size);
            a->rows[i] = a->rows[--a->count];
            return;
        }
    }
}

void
areas_fini(struct areas *a)
{
    while (a->count > 0)
        areas_unmap(a, a->rows[a->count - 1].job);
    free(a->rows);
    *a = (struct areas){0};
}
