/*
 * Requests that break a rule, or look as if they did, or are fine in a way that is rarely seen:
 * each with the rule, what may be answered, and how many requests the octets are. Used by the unit
 * test of the parser, by the loop test of the connection, end to end, and as seeds of the fuzzers.
 *
 * The oracle is the request that a test sends behind the octets of a row. Where the row GOES_ON it
 * is answered too; where the row CLOSES there is one answer, then the end. A server that takes the
 * row for more requests than it is, or for fewer, gives another number of answers.
 *
 * Those that are fine ask for /plaintext or /echo, of a server on localhost. Octets that must never
 * be taken for a request ask for /smuggled, which no server of the tests has.
 */
#ifndef TESTS_MALFORMED_H
#define TESTS_MALFORMED_H

#include <stdbool.h>
#include <stddef.h>

enum malformed_end {
    GOES_ON, /* one request; what comes behind it is the next */
    CLOSES,  /* one answer, then the connection ends, whatever comes behind */
};

struct malformed {
    const char *name;    /* what is strange about it */
    const char *section; /* the rule */
    const char *allowed; /* statuses of the answer: first ours, then what else the rule leaves */
    const char *octets;
    size_t len;
    enum malformed_end end;
    const char *body; /* what /echo must send back; NULL: not looked at */
};

extern const struct malformed malformed_table[];
extern const size_t malformed_count;

/* The status that this server answers. */
int malformed_status(const struct malformed *);
/* Does http/ refuse it, so that no endpoint ever sees it? */
bool malformed_is_refused(const struct malformed *);

/* What a server sent: all answers, one behind the other. */
struct malformed_answers {
    unsigned count;     /* final ones */
    unsigned interim;   /* 1xx */
    bool whole;         /* the last one came to its end */
    bool says_close;    /* the first one has Connection: close */
    int status, second; /* of the first and the second; 0: there is none */
    char body[8192];    /* of the first, decoded; cut when longer */
    size_t body_len;
    char mistake[128]; /* a rule that an answer breaks; "" if none does */
};

/* Reads the answers to a row and the request behind it, and checks what RFC 9112 6.1 and 6.2, RFC
 * 9110 6.6.1, 8.6 and 15.2 demand of each. `real`: they come from the whole server, not from http/
 * alone, in whose tests answers have no Date and every path is there. */
void malformed_read_answers(const struct malformed *, const char *text, size_t len, bool real,
                            struct malformed_answers *);

/* True if the answers are what the row asks for; else a sentence in `why`. That the connection has
 * closed is for the caller to see. */
bool malformed_is_answered(const struct malformed *, const struct malformed_answers *, bool real,
                           char *why, size_t size);

#endif
