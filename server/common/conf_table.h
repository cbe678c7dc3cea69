/*
 * Inside conf: one row of THE table of settings, the set of values with their origins, and what the
 * files of conf do for each other.
 *
 *   conf.c        a set: defaults, -o options, checks between keys
 *   conf_read.c   a file, line by line
 *   conf_value.c  one value: from text, to text, its range in words; conf_text.c: which texts are
 * right conf_print.c  -T, /config, the sample file, the manual page
 */
#ifndef COMMON_CONF_TABLE_H
#define COMMON_CONF_TABLE_H

#include "common/conf.h"

enum conf_kind {
    CONF_INT,
    CONF_DURATION, /* in ms; written as 500ms, 10s, 2m, 1h */
    CONF_SIZE,     /* in octets; written as 512, 8KiB, 1MiB, 2GiB */
    CONF_CHOICE,   /* one of words, its index */
    CONF_TEXT,
};

struct conf_key {
    const char *name;
    const char *section; /* the heading under which it may stand */
    enum conf_kind kind;
    size_t offset; /* in struct conf */
    int64_t min, max;
    const char *def; /* as one would write it */
    const char *const
        *words;         /* CONF_CHOICE: all there are; else such as are taken beside the rest */
    int64_t first_word; /* CONF_INT: value of words[0] */
    const char *form;   /* CONF_TEXT: what it must be, in words */
    bool (*is_right)(const char *text); /* CONF_TEXT */
    const char *sentence;
    bool reloadable, secret;
};

extern const struct conf_key conf_keys[]; /* ended by a NULL name */
enum { CONF_KEYS_MAX = 64 };

struct conf_set {
    struct conf values;
    char *origins[CONF_KEYS_MAX]; /* NULL: default */
    bool failed[CONF_KEYS_MAX];   /* a value was refused: checks between keys leave it out */
};

/* The row of a key, or -1 with the key that resembles it in *like (NULL: none does). */
int conf_find_key(const char *name, const char **like);
/* Could this text be the name of a key? One that could not may be anything, even a secret. */
bool conf_is_name(const char *text, size_t len);
/* Sets the key of row i / says that there is no such key. How many errors: each one line. */
MUST_CHECK int conf_put(struct conf_set *, unsigned i, const char *text, const char *origin,
                        struct buf *errors);
MUST_CHECK int conf_refuse_name(const char *name, const char *like, const char *origin,
                                struct buf *errors);

/* Puts a text into the value of a key. 0, or -1 with a sentence about it added to why. */
MUST_CHECK int conf_set_text(struct conf *values, const struct conf_key *key, const char *text,
                             struct buf *why);
/* The value as one would write it. Secrets are ***. */
void conf_show(const struct conf *values, const struct conf_key *key, char *out, size_t size);
/* "between 0 and 65535", "one of a, b", the form of a text. */
void conf_add_range(struct buf *, const struct conf_key *key);
/* A text of the user between quotes: shortened, control characters as "?". */
void conf_add_quoted(struct buf *, const char *text);

/* Addresses / host names, both separated by blanks; CPUs like 0,2-3; one CPU; PostgreSQL;
 * the path of a file / of a folder that is there, or empty. */
bool conf_is_addresses(const char *text);
bool conf_is_hosts(const char *text);
bool conf_is_cpus(const char *text);
bool conf_is_cpu(const char *text);
bool conf_is_database(const char *text);
bool conf_is_path(const char *text);
bool conf_is_folder(const char *text);

#endif
