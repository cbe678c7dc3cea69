/*
 * area: see area.h. Runs in the front end.
 *
 * For workers it is a memfd, sealed so that nobody can change its size: a worker that shrank it
 * would kill the front end by SIGBUS. Everyone who has mapped it keeps it alive, so each may let go
 * of it when he likes.
 */
#include "jobs/area.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int
sealed_memory(size_t size)
{
    int saved, fd = memfd_create("interleave-job", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)size) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int
job_area_open(struct job_area *a, size_t size, bool shared)
{
    const int kind = shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *data;

    *a = (struct job_area){.size = size, .fd = -1};
    if (shared && (a->fd = sealed_memory(size)) < 0)
        goto fail;
    data = mmap(NULL, size, PROT_READ | PROT_WRITE, kind, a->fd, 0);
    if (data == MAP_FAILED)
        goto fail;
    a->data = data;
    return 0;

fail:
    job_area_close(a);
    return -1;
}

void
job_area_close(struct job_area *a)
{
    const int saved = errno;

    if (a->data != NULL)
        munmap(a->data, a->size);
    if (a->fd >= 0)
        close(a->fd);
    *a = (struct job_area){.fd = -1};
    errno = saved;
}
