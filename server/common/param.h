/*
 * A parameter of an endpoint or of a kernel: one row that the checks, /help, /openapi.json and the
 * forms of the live page are all printed from. Pure data; kernels may include it.
 */
#ifndef COMMON_PARAM_H
#define COMMON_PARAM_H

#include <stdint.h>

enum param_kind {
    PARAM_INT,    /* min..max */
    PARAM_CHOICE, /* one of `choices`; its value is the index */
    PARAM_TEXT,   /* kept as text, at most `max` octets */
};

enum { PARAM_NO_DEFAULT = -1, PARAM_AUTO = 0, PARAM_MAX = 12 };

struct param {
    const char *name; /* NULL ends a table */
    enum param_kind kind;
    int64_t min;
    int64_t max;
    int64_t def;                /* value when absent */
    const char *def_text;       /* how the default is shown where it is a word: "auto" */
    const char *const *choices; /* PARAM_CHOICE: NULL-terminated */
    const char *unit;           /* "ms", "rows", ...; NULL: a plain number */
    const char *help;           /* one sentence for people */
};

#endif
