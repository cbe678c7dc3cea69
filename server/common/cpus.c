/*
 * cpus: see cpus.h. Runs in the supervisor and, for numbers it shows, in the front end.
 *
 * Quotas: cgroup v2 has cpu.max ("max 100000" or "150000 100000"), v1 has cpu.cfs_quota_us (-1:
 * none) and cpu.cfs_period_us; the tightest of all ancestors counts. In a container the group of
 * /proc/self/cgroup need not exist below our mount; then what exists above it counts.
 *
 * What can't be read limits nothing: too many workers are slower, none would be no server.
 */
#include "common/cpus.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_OCTETS = 8192, LINE_OCTETS = 4352, QUOTA_CPUS_MAX = 1 << 20 };

unsigned
cpus_allowed(unsigned *out, unsigned max)
{
    cpu_set_t set;
    unsigned n = 0;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 0;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < max; cpu++)
        if (CPU_ISSET(cpu, &set))
            out[n++] = cpu;
    return n;
}

/* The first line of a file; false: it is not there. */
static bool
read_line(const char *path, char *out, int size)
{
    FILE *f = fopen(path, "re");
    bool good;

    if (f == NULL)
        return false;
    good = fgets(out, size, f) != NULL;
    fclose(f);
    return good;
}

/* Quota over period, rounded up; 0: none. */
static unsigned
quota_cpus(long long quota, long long period)
{
    long long cpus;

    if (quota <= 0 || period <= 0)
        return 0;
    cpus = quota / period + (quota % period != 0);
    return cpus < QUOTA_CPUS_MAX ? (unsigned)cpus : QUOTA_CPUS_MAX;
}

static unsigned
quota_at(const char *dir, bool v2)
{
    char path[PATH_OCTETS + 32], line[LINE_OCTETS];
    long long quota = 0, period = 0;

    if (v2) {
        snprintf(path, sizeof(path), "%s/cpu.max", dir);
        if (!read_line(path, line, sizeof(line)) || sscanf(line, "%lld %lld", &quota, &period) != 2)
            return 0;
        return quota_cpus(quota, period);
    }
    snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", dir);
    if (!read_line(path, line, sizeof(line)))
        return 0;
    quota = strtoll(line, NULL, 10);
    snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", dir);
    if (!read_line(path, line, sizeof(line)))
        return 0;
    return quota_cpus(quota, strtoll(line, NULL, 10));
}

/* The tightest from this group up to the root of its hierarchy. */
static unsigned
tightest(const char *base, const char *group, bool v2)
{
    char dir[PATH_OCTETS];
    unsigned best = 0;
    size_t base_len = strlen(base);
    int n = snprintf(dir, sizeof(dir), "%s%s", base, strcmp(group, "/") == 0 ? "" : group);

    if (n < 0 || (size_t)n >= sizeof(dir))
        return 0;
    for (;;) {
        unsigned here = quota_at(dir, v2);
        char *slash;

        if (here > 0 && (best == 0 || here < best))
            best = here;
        slash = strrchr(dir, '/');
        if (slash == NULL || (size_t)(slash - dir) < base_len)
            return best;
        *slash = '\0';
    }
}

/* Is "cpu" one of the controllers "cpu,cpuacct"? */
static bool
has_cpu(const char *controllers)
{
    for (const char *p = controllers; *p != '\0';
         p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
        if (strncmp(p, "cpu", 3) == 0 && (p[3] == ',' || p[3] == '\0'))
            return true;
    return false;
}

static unsigned
smaller(unsigned a, unsigned b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

unsigned
cpus_quota(const char *root)
{
    static const char *const v2_bases[] = {"sys/fs/cgroup", "sys/fs/cgroup/unified"};
    char path[PATH_OCTETS], line[LINE_OCTETS];
    unsigned best = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof(line), f) != NULL) { /* "4:cpu,cpuacct:/a/b", "0::/a/b" */
        char *controllers = strchr(line, ':'), *group;

        line[strcspn(line, "\n")] = '\0';
        group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL)
            continue;
        *group++ = '\0';
        controllers++;
        if (controllers[0] == '\0') {
            for (unsigned i = 0; i < 2; i++) {
                snprintf(path, sizeof(path), "%s/%s", root, v2_bases[i]);
                best = smaller(best, tightest(path, group, true));
            }
        } else if (has_cpu(controllers)) {
            snprintf(path, sizeof(path), "%s/sys/fs/cgroup/%s", root, controllers);
            best = smaller(best, tightest(path, group, false));
            snprintf(path, sizeof(path), "%s/sys/fs/cgroup/cpu", root);
            best = smaller(best, tightest(path, group, false));
        }
    }
    fclose(f);
    return best;
}

unsigned
cpus_usable(void)
{
    unsigned cpus[CPU_SETSIZE];
    unsigned n = smaller(cpus_allowed(cpus, CPU_SETSIZE), cpus_quota(""));

    return n > 0 ? n : 1;
}

int
cpus_parse(const char *text, unsigned *out, unsigned max)
{
    bool listed[CPU_SETSIZE] = {false};
    unsigned n = 0;

    do {
        char *end;
        unsigned long from, to;

        if (!isdigit((unsigned char)*text))
            return -1;
        from = to = strtoul(text, &end, 10);
        if (*end == '-') {
            if (!isdigit((unsigned char)end[1]))
                return -1;
            to = strtoul(end + 1, &end, 10);
        }
        if (to < from || to >= CPU_SETSIZE || (*end != ',' && *end != '\0'))
            return -1;
        for (; from <= to; from++)
            listed[from] = true;
        text = *end == ',' ? end + 1 : end;
        if (*end == ',' && *text == '\0')
            return -1;
    } while (*text != '\0');
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!listed[cpu])
            continue;
        if (n == max)
            return -1;
        out[n++] = cpu;
    }
    return (int)n;
}

int
cpus_pin(unsigned cpu)
{
    cpu_set_t set;

    if (cpu >= CPU_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set);
}
