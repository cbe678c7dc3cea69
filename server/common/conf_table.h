/*
 * Inside conf: one row of THE table of settings, and the set of values with their origins.
 */
#ifndef COMMON_CONF_TABLE_H
#define COMMON_CONF_TABLE_H

#include "common/conf.h"

enum conf_kind {
    CONF_INT,
    CONF_DURATION, /* in ms; written as 500ms, 10s, 2m */
    CONF_SIZE,     /* in octets; written as 8KiB, 1MiB, 2GiB */
    CONF_CHOICE,   /* one of words, its index */
    CONF_TEXT,
};

struct conf_key {
    const char *name;
    const char *section; /* a heading for people; keys are found without it */
    enum conf_kind kind;
    size_t offset; /* in struct conf */
    int64_t min, max;
    const char *def;          /* as one would write it */
    const char *const *words; /* CONF_CHOICE */
    int64_t first_word;       /* value of words[0]: -1 where "auto" stands for CONF_AUTO */
    const char *unit;
    const char *sentence;
    bool reloadable, secret;
};

extern const struct conf_key conf_keys[]; /* ended by a NULL name */
enum { CONF_KEYS_MAX = 64 };

struct conf_set {
    struct conf values;
    char origins[CONF_KEYS_MAX][160];
};

/* Puts a text into the value of a key. 0, or -1 with a sentence about it in why. */
MUST_CHECK int conf_set_text(struct conf *values, const struct conf_key *key, const char *text,
                             char *why, size_t why_size);
/* The value as one would write it. Secrets are ***. */
void conf_show(const struct conf *values, const struct conf_key *key, char *out, size_t size);
/* "between 1 and 65535", "one of: a, b" ... */
void conf_range(const struct conf_key *key, char *out, size_t size);

#endif
