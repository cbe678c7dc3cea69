/*
 * The head of a request, parsed: slices into the octets that were read, nothing copied.
 *
 *   GET /db/sleep?ms=5 HTTP/1.1 CRLF    request line  -> method, target, path, query, minor
 *   Host: localhost CRLF                field lines   -> fields; those that say where the message
 *   Connection: close CRLF                               ends, or who is asked, are understood here
 *   CRLF                                end           -> checks that need all fields
 *
 * Lines are judged when they are whole, so that a head gives the same result however it is cut.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "common/arena.h"
#include "common/attr.h"
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
    enum failure failure; /* FAIL_NONE, or why it can't be served */
    const char *why;      /* then: a sentence with the rule; static. Else NULL */
    enum http_method method;
    unsigned minor;           /* HTTP/1.minor: 0 or 1; 1.2 and above are taken as 1.1 */
    struct slice_text target; /* origin form as sent ("/" where an absolute one has no path), or
                                 "*" */
    struct slice_text path;   /* the target up to '?' */
    struct slice_text query;  /* behind '?', may be empty */
    struct slice_text host;   /* Host, or the authority of an absolute target; {NULL, 0} only in
                                 1.0 */
    bool secure;              /* it came over TLS */
    bool keep_alive;
    bool chunked;
    bool expect_continue;
    bool conditional;         /* If-Match or If-None-Match is among the fields */
    int64_t content_length;   /* -1: none */
    struct slice_text octets; /* all of it as received; {NULL, 0}: made up, not received */
    unsigned nfields;
    struct http_field fields[HTTP_FIELDS_MAX]; /* the last member: a kept head has only nfields */
};

struct http_limits {
    size_t target;   /* 8 KiB */
    size_t head;     /* 32 KiB, request line included */
    unsigned fields; /* at most HTTP_FIELDS_MAX */
    bool secure;     /* the connection has TLS: an absolute target must be https, else http */
};

/* Parses one head at data. Returns its length in octets (the body follows), 0: more octets are
 * needed, -1: refused, head->failure and ->why say why (431 and 414 as soon as the limit is passed,
 * not only at the end of the head). Strict: RFC 9112 with the strict choice where there is one.
 * *scanned (start with 0 for each head) lets a head that arrives in pieces be parsed again only
 * when a further line is whole. */
MUST_CHECK long http_head_parse(struct http_head *head, const char *data, size_t len,
                                const struct http_limits *limits, size_t *scanned);

/* A head that never came: begins a request that is answered with this failure. */
void http_head_fail(struct http_head *head, enum failure failure, const char *why);

/* The value of the first field of this (lower-case) name, or {NULL, 0}. */
struct slice_text http_head_field(const struct http_head *head, const char *name);
/* The values of all fields of this name, in order; *i is 0 at first. False: no more. A list may be
 * spread over them (RFC 9110 section 5.3). */
bool http_head_next(const struct http_head *head, const char *name, unsigned *i,
                    struct slice_text *value);

/* The next member of a list "a, b ;x=y, c", without the blanks around it. False: no more. */
bool http_list_next(struct slice_text *list, struct slice_text *member);
/* Is this name (of no case) a member of the lists of that field, with a weight that is not zero?
 * RFC 9110 section 12.4.2. Without the field: no. */
bool http_head_wants(const struct http_head *head, const char *field, const char *name);

/* Copies the head and its octets into the arena: lives as long. What a made up head points to must
 * live on by itself. */
struct http_head *http_head_keep(const struct http_head *head, struct arena *arena);

#endif
