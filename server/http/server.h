/*
 * The server's own state: what all its connections share. One per front end.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "common/buf.h"
#include "common/clock.h"
#include "http/conn.h"
#include "http/timer.h"

enum {
    READ_ROOM = 64 * 1024,    /* octets asked for by one read, at least half of it */
    SEND_BUFFER = 128 * 1024, /* SO_SNDBUF: what a slow reader can hold in the kernel */
    OUT_HIGH = 128 * 1024,    /* output of a connection above this: its producer waits ... */
    OUT_LOW = 32 * 1024,      /* ... until it has fallen below this */
    TURN_FULL = 1024 * 1024,  /* octets sent in one turn to all: above this ... */
    TURN_CRUMB = 16 * 1024,   /* ... each connection gets this at most, so that turns stay short */
    GATHER_MAX = 64 * 1024,   /* gathered answers are sent when they pass this */
    COPY_MAX = 16 * 1024,     /* larger bodies are sent from where they are */
    SKIP_MAX = 64 * 1024,     /* an unread body up to this is dropped, and the connection kept */
    LINGER_MAX = 256 * 1024,  /* octets dropped before a refused client is cut */
    PIPELINE_TURN = 256,      /* requests of one connection begun in one turn */
    ACCEPT_TURN = 32,         /* connections accepted in one turn */
};

#define OUT_TOTAL_HIGH (256UL * 1024 * 1024) /* above this in all, OUT_LOW is the high mark too */
/* How often a request that waits is looked after: is its client still there? */
#define LOOK_NS        NS_PER_S
#define LINGER_NS      (2 * NS_PER_S)
#define DRAIN_GRACE_NS (250 * NS_PER_MS)
#define CROWD          500 /* connections: beside more, idle ones are cut sooner */
#define CROWD_IDLE_NS  (30 * NS_PER_S)
#define DRAIN_STALL_NS (3 * NS_PER_S)
#define BODY_RATE      65536 /* octets a second that a body must come with */

struct listener;
struct http_tls;
STAILQ_HEAD(conn_turn_list, http_conn);

struct http_server {
    struct event_base *base;
    const struct http_hooks *hooks;
    void *arg;
    struct http_limits limits;
    uint64_t head_ns, body_ns, idle_ns, write_ns; /* time-outs */
    uint64_t max_connections;
    uint32_t max_turn_bytes;
    bool draining;

    /* the connection whose callback runs; its input not yet used; its answers so far */
    struct http_conn *running;
    const char *view;
    size_t view_len;
    struct buf out;

    char *room; /* every read goes here */
    size_t room_size;

    struct out_block *free_blocks;
    unsigned free_count;
    size_t out_total; /* octets in blocks, of all connections */

    uint64_t now; /* clock_ns() at the first look in this turn; 0: not yet looked */
    uint32_t turn_no;
    size_t turn_sent;           /* octets, to all connections, in this turn */
    struct conn_turn_list turn; /* connections with something to do at the end of the turn */
    struct event again;         /* runs those with run_later in the next turn */

    struct timer_wheel wheel;

    uint64_t date_next; /* when `about` must be written anew */
    char about[80];     /* the lines Server and Date */
    size_t about_len;

    struct http_tls *tls; /* NULL: no identity, so no TLS */

    STAILQ_HEAD(, listener) listeners;
    struct event accept_again;
    int spare_fd;

    struct http_status status;
};

/* The time, looked at once per turn. */
static inline uint64_t
server_now(struct http_server *s)
{
    if (s->now == 0)
        s->now = clock_ns();
    return s->now;
}

#endif
