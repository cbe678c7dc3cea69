/*
 * fake_conf: see fake_conf.h.
 */
#include "fake_conf.h"

#include "common/buf.h"
#include "common/cpus.h"
#include "common/log.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf_set {
    struct conf values;
};

/* Row: where a key lives. */
struct fake_key {
    const char *name;
    size_t offset;
    bool text;
    bool reloadable;
};

#define FAKE_TEXT(key, reload)                                                                     \
    {                                                                                              \
#key, offsetof(struct conf, key), true, reload                                             \
    }
#define FAKE_NUMBER(key)                                                                           \
    {                                                                                              \
#key, offsetof(struct conf, key), false, true                                              \
    }

static const struct fake_key keys[] = {
    FAKE_TEXT(listen, false),     {"port", offsetof(struct conf, port), false, false},
    FAKE_NUMBER(workers),         FAKE_TEXT(worker_cpus, true),
    FAKE_TEXT(loop_cpu, true),    FAKE_NUMBER(drain_timeout),
    FAKE_NUMBER(max_connections), FAKE_TEXT(tls_certificate, true),
    FAKE_TEXT(tls_key, true),
};

enum { NKEYS = sizeof(keys) / sizeof(keys[0]) };

struct conf_set *
conf_new(void)
{
    struct conf_set *set = xcalloc(1, sizeof(*set));

    set->values = (struct conf){.listen = "127.0.0.1",
                                .worker_cpus = "none",
                                .loop_cpu = "any",
                                .workers = 2,
                                .drain_timeout = 15000,
                                .log_level = LOG_DEBUG};
    return set;
}

void
conf_free(struct conf_set *set)
{
    free(set);
}

const struct conf *
conf_values(const struct conf_set *set)
{
    return &set->values;
}

int
conf_read_option(struct conf_set *set, const char *option, struct buf *errors)
{
    const char *equals = strchr(option, '=');

    for (int i = 0; equals != NULL && i < NKEYS; i++) {
        char *place = (char *)&set->values + keys[i].offset;

        if (strlen(keys[i].name) != (size_t)(equals - option) ||
            strncmp(keys[i].name, option, (size_t)(equals - option)) != 0)
            continue;
        if (keys[i].text) {
            snprintf(place, CONF_TEXT_MAX, "%s", equals + 1);
        } else {
            const int64_t value = strtoll(equals + 1, NULL, 10);

            memcpy(place, &value, sizeof(value));
        }
        return 0;
    }
    buf_addf(errors, "no such key: %s\n", option);
    return 1;
}

int
conf_read_file(struct conf_set *set, const char *path, struct buf *errors)
{
    char line[CONF_TEXT_MAX];
    FILE *f = fopen(path, "re");
    int wrong = 0;

    if (f == NULL) {
        buf_addf(errors, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        wrong += conf_read_option(set, line, errors);
    }
    fclose(f);
    return wrong;
}

int
conf_check(struct conf_set *set, struct buf *errors)
{
    if (set->values.workers <= 256)
        return 0;
    buf_add_text(errors, "too many workers\n");
    return 1;
}

bool
conf_row(const struct conf_set *set, unsigned i, struct conf_origin *out)
{
    const char *place;

    if (i >= NKEYS)
        return false;
    place = (const char *)&set->values + keys[i].offset;
    *out = (struct conf_origin){
        .key = keys[i].name, .origin = "a file", .reloadable = keys[i].reloadable};
    if (keys[i].text) {
        snprintf(out->value, sizeof(out->value), "%s", place);
    } else {
        int64_t value;

        memcpy(&value, place, sizeof(value));
        snprintf(out->value, sizeof(out->value), "%lld", (long long)value);
    }
    return true;
}

struct conf_set *
fake_conf(const char *text)
{
    struct conf_set *set = conf_new();
    struct buf errors = {0};
    char *copy = xstrdup(text), *rest = copy, *line;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0' && conf_read_option(set, line, &errors) != 0)
            fatalx("fake_conf: %s", line);
    free(copy);
    return set;
}

/* ---- CPUs: the real affinity, no quota ---- */

unsigned
cpus_allowed(unsigned *out, unsigned max)
{
    cpu_set_t set;
    unsigned n = 0;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        fatal("sched_getaffinity");
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < max; cpu++)
        if (CPU_ISSET(cpu, &set))
            out[n++] = cpu;
    return n;
}

unsigned
cpus_usable(void)
{
    return 2;
}

int
cpus_parse(const char *text, unsigned *out, unsigned max)
{
    int n = 0;

    for (char *end; *text != '\0' && n < (int)max; text = *end == ',' ? end + 1 : end) {
        out[n++] = (unsigned)strtoul(text, &end, 10);
        if (end == text)
            return -1;
    }
    return n;
}

int
cpus_pin(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set);
}
