/*
 * placement: see placement.h. Runs in the supervisor, which is itself never pinned, so that its
 * affinity is what the system gave us.
 *
 *   spread   worker i on the i-th CPU that we may use, in turns when there are more workers
 *   LIST     the same over the CPUs of the list
 *   none     wherever the kernel likes
 *
 * The texts were checked when the configuration was read; one that can't be read means none.
 */
#include "supervisor/placement.h"

#include "common/cpus.h"
#include "supervisor/children.h"

#include <stdlib.h>
#include <string.h>

unsigned
placement_workers(const struct conf *conf)
{
    return conf->workers == CONF_AUTO ? cpus_usable() : (unsigned)conf->workers;
}

void
placement_of_workers(const struct conf *conf, int *out, unsigned n)
{
    unsigned cpus[CONF_CPUS_MAX];
    int ncpus = 0;

    if (strcmp(conf->worker_cpus, "spread") == 0)
        ncpus = (int)cpus_allowed(cpus, CONF_CPUS_MAX);
    else if (strcmp(conf->worker_cpus, "none") != 0)
        ncpus = cpus_parse(conf->worker_cpus, cpus, CONF_CPUS_MAX);
    for (unsigned i = 0; i < n; i++)
        out[i] = ncpus > 0 ? (int)cpus[i % (unsigned)ncpus] : CPU_ANY;
}

int
placement_of_loop(const struct conf *conf)
{
    char *end;
    long cpu = strtol(conf->loop_cpu, &end, 10);

    return end == conf->loop_cpu || *end != '\0' || cpu < 0 || cpu >= CONF_CPUS_MAX ? CPU_ANY
                                                                                    : (int)cpu;
}
