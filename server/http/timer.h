/*
 * Time-outs of all connections by one timer: a wheel of slots, each a list of connections to look
 * at when its tick comes. Deadlines move with every request, slots hardly ever: a connection that
 * is found in its slot before its deadline is put into a later one.
 */
#ifndef HTTP_TIMER_H
#define HTTP_TIMER_H

#include <event2/event_struct.h>
#include <stdint.h>
#include <sys/queue.h>

enum { TIMER_SLOTS = 256 };

struct http_conn;
struct http_server;
LIST_HEAD(timer_slot, http_conn);

struct timer_wheel {
    uint64_t tick_ns;
    uint64_t now; /* the last tick that was looked at */
    unsigned linked;
    struct event event;
    struct timer_slot slots[TIMER_SLOTS];
};

/* shortest: the shortest time-out there is; ticks are an eighth of it, from 5 to 100 ms. */
void timer_open(struct http_server *, uint64_t shortest_ns);
void timer_close(struct http_server *);

/* From http_conn_open() to http_conn_close(). */
void timer_link(struct http_conn *);
void timer_unlink(struct http_conn *);

/* Sets the deadline that its state and waiting give it. */
void timer_watch(struct http_conn *);

/* Expires all connections whose deadline has passed: what the timer does, for tests with a clock of
 * their own. */
void timer_run(struct http_server *);

#endif
