/*
 * interleave-worker: computes tasks for the front end. One process per core, started by the
 * supervisor, never by hand:
 *
 *   interleave-worker INDEX [--cpu N]      descriptor 3: task socket      4: the shared page
 *
 * A program of its own: no keys, no sockets but its own, no libevent, libpq or OpenSSL. It decodes
 * what strangers upload, so it is the place where a bug may be hit safely: when it dies, its task
 * is computed elsewhere. It ends when its socket is closed, and with its parent.
 *
 * SCHED_BATCH and nice 5 (which the supervisor has set before exec) let the loop win the core when
 * both want it.
 */
#include "common/cpus.h"
#include "common/log.h"
#include "common/page.h"
#include "task.h"

#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TASK_FD = 3, PAGE_FD = 4, EXIT_USAGE = 2 };

struct options {
    unsigned index;
    bool pinned;
    unsigned cpu;
};

static int
read_number(const char *text, unsigned *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number > 65535)
        return -1;
    *out = (unsigned)number;
    return 0;
}

static int
read_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {{"cpu", required_argument, NULL, 'c'}, {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (c != 'c' || read_number(optarg, &out->cpu) != 0)
            return -1;
        out->pinned = true;
    }
    return optind == argc - 1 ? read_number(argv[optind], &out->index) : -1;
}

/* The parent has asked for this before exec; a program that changes its rights loses it. */
static void
bind_to_parent(void)
{
    const pid_t parent = getppid();

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        fatal("prctl(PR_SET_PDEATHSIG)");
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}

static struct worker_page *
map_page(void)
{
    struct stat status;
    void *page;

    if (fstat(PAGE_FD, &status) != 0 || status.st_size < PAGE_OCTETS)
        fatalx("descriptor %d is not the shared page: interleave starts this program", PAGE_FD);
    page = mmap(NULL, PAGE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_FD, 0);
    if (page == MAP_FAILED)
        fatal("the shared page");
    close(PAGE_FD);
    return page;
}

int
main(int argc, char **argv)
{
    static const struct sched_param zero;
    struct options o = {0};
    char name[32];

    if (read_options(argc, argv, &o) != 0) {
        fprintf(stderr, "usage: interleave-worker INDEX [--cpu N]   (started by interleave)\n");
        return EXIT_USAGE;
    }
    snprintf(name, sizeof(name), "worker %u", o.index);
    log_init(name, LOG_INFO);
    bind_to_parent();
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (sched_setscheduler(0, SCHED_BATCH, &zero) != 0)
        log_warn("SCHED_BATCH");
    if (o.pinned && cpus_pin(o.cpu) != 0)
        log_warn("CPU %u", o.cpu);
    if (task_serve(TASK_FD, map_page(), o.index, true) != 0) {
        log_error("task socket");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
