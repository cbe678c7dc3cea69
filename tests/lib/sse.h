/*
 * A reader of /events, for end-to-end tests. Asks as HTTP/1.0, so that what comes is the stream
 * itself, without chunks.
 */
#ifndef TESTS_SSE_H
#define TESTS_SSE_H

#include "e2e.h"

struct sse {
    int fd;
    char *data; /* what has come and was not told yet */
    size_t len, room;
    bool closed;
    uint64_t octets; /* in all */
};

struct sse_event {
    char id[64], name[16];
    unsigned long long number; /* of the id */
    char *text;                /* of data:, NUL-terminated */
};

/* Asks; `fields`: further field lines, or NULL; receive: octets of the socket's buffer, 0: as
 * usual. Expects 200 and the right type. */
void sse_open(struct sse *, const struct server *, const char *fields, int receive);
/* The same without reading a single octet of the answer. */
void sse_open_silently(struct sse *, const struct server *, int receive);
void sse_close(struct sse *);
/* Takes what has come, without waiting. False: the server has closed. */
bool sse_take(struct sse *);
/* The next event that has come whole; sse_event_free(). False: there is none yet. */
bool sse_next(struct sse *, struct sse_event *);
/* Waits for it; fails the test at the deadline. False: the server has closed. */
bool sse_wait(struct sse *, struct sse_event *);
/* Waits for the next event of this name, and passes over others. Its JSON. */
json_t *sse_wait_for(struct sse *, const char *name, struct sse_event *);
void sse_event_free(struct sse_event *);

#endif
