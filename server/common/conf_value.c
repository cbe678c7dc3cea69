/*
 * One value of the configuration: from text, to text, and its range in words.
 */
#include "common/conf_table.h"
#include "common/cpus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* The largest that divides a value is the one it is shown in. */
static const struct unit durations[] = {{"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
                                    {"B", 1},         {"", 1},          {NULL, 0}};

static int64_t *
number_at(struct conf *values, const struct conf_key *key)
{
    return (int64_t *)(void *)((char *)values + key->offset);
}

static char *
text_at(struct conf *values, const struct conf_key *key)
{
    return (char *)values + key->offset;
}

static void
show_with_unit(int64_t value, const struct unit *units, char *out, size_t size)
{
    while (units[1].name != NULL && (value == 0 || value % units->factor != 0) &&
           units->factor != 1)
        units++;
    snprintf(out, size, "%" PRId64 "%s", value / units->factor, units->name);
}

static void
show_number(const struct conf_key *key, int64_t value, char *out, size_t size)
{
    switch (key->kind) {
    case CONF_DURATION:
        show_with_unit(value, durations, out, size);
        return;
    case CONF_SIZE:
        show_with_unit(value, sizes, out, size);
        return;
    case CONF_CHOICE:
        snprintf(out, size, "%s", key->words[value]);
        return;
    case CONF_INT:
        if (key->words != NULL && value == key->first_word)
            snprintf(out, size, "%s", key->words[0]);
        else
            snprintf(out, size, "%" PRId64, value);
        return;
    case CONF_TEXT:
        return;
    }
}

void
conf_show(const struct conf *values, const struct conf_key *key, char *out, size_t size)
{
    const char *text = (const char *)values + key->offset;

    if (key->kind != CONF_TEXT)
        show_number(key, *(const int64_t *)(const void *)text, out, size);
    else
        snprintf(out, size, "%s", key->secret && text[0] != '\0' ? "***" : text);
}

void
conf_range(const struct conf_key *key, char *out, size_t size)
{
    char low[32], high[32];
    size_t n;

    switch (key->kind) {
    case CONF_INT:
    case CONF_DURATION:
    case CONF_SIZE:
        show_number(key, key->min, low, sizeof(low));
        show_number(key, key->max, high, sizeof(high));
        n = (size_t)snprintf(out, size, "between %s and %s", low, high);
        if (key->words != NULL)
            snprintf(out + n, size - n, ", or %s", key->words[0]);
        return;
    case CONF_CHOICE:
        n = (size_t)snprintf(out, size, "one of");
        for (unsigned i = 0; key->words[i] != NULL && n < size; i++)
            n += (size_t)snprintf(out + n, size - n, "%s %s", i > 0 ? "," : "", key->words[i]);
        return;
    case CONF_TEXT:
        snprintf(out, size, "at most %d octets", CONF_TEXT_MAX - 1);
        return;
    }
}

static int
parse_number(const char *text, const struct unit *units, int64_t *out)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (end == text || errno != 0 || (*text != '-' && (*text < '0' || *text > '9')))
        return -1;
    end += strspn(end, " ");
    if (units == NULL) {
        *out = n;
        return *end == '\0' ? 0 : -1;
    }
    for (; units->name != NULL; units++) {
        if (strcmp(end, units->name) != 0)
            continue;
        return __builtin_mul_overflow(n, units->factor, out) ? -1 : 0;
    }
    return -1;
}

/* worker_cpus and loop_cpu are words or CPU numbers. */
static int
check_text(const struct conf_key *key, const char *text, char *why, size_t why_size)
{
    unsigned cpus[CONF_CPUS_MAX];

    if (strlen(text) >= CONF_TEXT_MAX) {
        snprintf(why, why_size, "%s may have %d octets", key->name, CONF_TEXT_MAX - 1);
        return -1;
    }
    if (strcmp(key->name, "worker_cpus") == 0 && strcmp(text, "spread") != 0 &&
        strcmp(text, "none") != 0 && cpus_parse(text, cpus, CONF_CPUS_MAX) < 1) {
        snprintf(why, why_size,
                 "worker_cpus must be spread, none or a list of CPUs like 0,2-3; it is %.40s",
                 text);
        return -1;
    }
    if (strcmp(key->name, "loop_cpu") == 0 && strcmp(text, "any") != 0 &&
        cpus_parse(text, cpus, CONF_CPUS_MAX) != 1) {
        snprintf(why, why_size, "loop_cpu must be any or the number of a CPU; it is %.40s", text);
        return -1;
    }
    return 0;
}

static int
set_choice(struct conf *values, const struct conf_key *key, const char *text, char *why,
           size_t why_size)
{
    char range[256];

    for (unsigned i = 0; key->words[i] != NULL; i++) {
        if (strcmp(key->words[i], text) == 0) {
            *number_at(values, key) = (int64_t)i;
            return 0;
        }
    }
    conf_range(key, range, sizeof(range));
    snprintf(why, why_size, "%s must be %s; it is %.40s", key->name, range, text);
    return -1;
}

int
conf_set_text(struct conf *values, const struct conf_key *key, const char *text, char *why,
              size_t why_size)
{
    const struct unit *units = key->kind == CONF_DURATION ? durations
                               : key->kind == CONF_SIZE   ? sizes
                                                          : NULL;
    char range[256];
    int64_t n;

    if (key->kind == CONF_TEXT) {
        if (check_text(key, text, why, why_size) != 0)
            return -1;
        memcpy(text_at(values, key), text, strlen(text) + 1);
        return 0;
    }
    if (key->kind == CONF_CHOICE)
        return set_choice(values, key, text, why, why_size);
    if (key->words != NULL && strcmp(text, key->words[0]) == 0) {
        *number_at(values, key) = key->first_word;
        return 0;
    }
    conf_range(key, range, sizeof(range));
    if (parse_number(text, units, &n) != 0) {
        snprintf(why, why_size, "%s must be a number%s, %s; it is %.40s", key->name,
                 key->kind == CONF_DURATION ? " with ms, s or m"
                 : key->kind == CONF_SIZE   ? ", with KiB, MiB or GiB"
                                            : "",
                 range, text);
        return -1;
    }
    if (n < key->min || n > key->max) {
        snprintf(why, why_size, "%s must be %s; it is %.40s", key->name, range, text);
        return -1;
    }
    *number_at(values, key) = n;
    return 0;
}
