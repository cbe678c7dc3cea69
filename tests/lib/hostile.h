/*
 * Many clients of one bad kind at once, for end-to-end tests: they connect, begin, and then drip,
 * stall or take next to nothing, all in one process, until the server cuts them.
 *
 *   hostile_open() -> hostile_turn(), again and again -> none is left -> hostile_close()
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "e2e.h"

#include <poll.h>

struct hostile_kind {
    const char *name;
    const char *begin;          /* sent at once; NULL: nothing */
    const char *drip;           /* sent octet by octet, one a turn, over and over; NULL: nothing */
    size_t begin_len, drip_len; /* 0: they are texts */
    unsigned take;              /* octets read a turn; 0: none */
    int receive_buffer;         /* SO_RCVBUF; 0: the system's */
    bool tls;                   /* at the port of https */
};

struct hostile {
    const struct hostile_kind *kind;
    struct pollfd *clients; /* fd -1: cut by the server, and closed here */
    unsigned count, left;
    unsigned turn;
};

/* Connects `count` of them; the process may have so many descriptors afterwards. */
void hostile_open(struct hostile *, const struct server *, const struct hostile_kind *,
                  unsigned count);
/* Each does its next bit of harm; those that were cut are counted out. Never waits. */
void hostile_turn(struct hostile *);
void hostile_close(struct hostile *);

#endif
