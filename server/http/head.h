/*
 * The head of a request, parsed: slices into the octets that were read, nothing copied.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "common/arena.h"
#include "common/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice_text {
    const char *p;
    size_t len;
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_METHODS
};
extern const char *const http_method_names[];

enum { HTTP_FIELDS_MAX = 100 };

struct http_field {
    struct slice_text name;
    struct slice_text value; /* without blanks around it */
};

struct http_head {
    struct slice_text octets; /* all of it as received; {NULL, 0}: made up, not received */
    enum failure failure;     /* FAIL_NONE, or why it can't be served */

    const char *why; /* then: a sentence with the rule, e.g. "bare LF in a field (RFC 9112
                        2.2)"; static */
    enum http_method method;
    unsigned minor;           /* HTTP/1.minor */
    struct slice_text target; /* as sent: origin form, or what follows the authority */
    struct slice_text path;   /* the target up to '?' */
    struct slice_text query;  /* behind '?', may be empty */
    struct slice_text host;   /* Host, or the authority of an absolute target */
    bool keep_alive;
    bool chunked;
    bool expect_continue;
    int64_t content_length; /* -1: none */
    unsigned nfields;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* Parses one head at data. Returns its length in octets (the body follows), 0: more octets are
 * needed, -1: refused, head->failure and ->why say why (431 and 414 as soon as the limit is passed,
 * not only at the end of the head). Strict: RFC 9112 with the strict choice where there is one.
 * `scanned` (in/out, start with 0) lets a head that arrives in pieces be scanned once. */
struct http_limits {
    size_t target;   /* 8 KiB */
    size_t head;     /* 32 KiB */
    unsigned fields; /* 100 */
};
long http_head_parse(struct http_head *head, const char *data, size_t len,
                     const struct http_limits *limits, size_t *scanned);

/* The value of the first field of this (lower-case) name, or {NULL, 0}. */
struct slice_text http_head_field(const struct http_head *head, const char *name);

/* Copies all octets the head points to into the arena and returns a head that lives as long. */
struct http_head *http_head_keep(const struct http_head *head, struct arena *arena);

#endif
