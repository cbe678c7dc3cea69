/*
 * Inside http/: the server, its connections, and what the files of this room do for one another.
 *
 *   server.c   listening sockets, accept, drain, end of turn
 *   conn.c     a connection's states; heads; the one door out
 *   body.c     the body of the request in progress
 *   output.c   answers, and their way out
 *   wheel.c    time-outs of all connections by one timer
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "common/buf.h"
#include "http/chunk.h"
#include "http/http.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

enum conn_state {
    CONN_IDLE,   /* between requests, nothing of the next one is here */
    CONN_HEAD,   /* a head is coming in, not whole yet */
    CONN_BUSY,   /* a request is in progress: its answer is not complete */
    CONN_LINGER, /* the last answer is sent, our side is shut: what still comes is dropped */
    CONN_CLOSED, /* descriptor closed; freed at the end of the turn */
};

enum conn_timer {
    TIMER_IDLE,   /* 60 s between requests: close */
    TIMER_HEAD,   /* 10 s for a head: 408 */
    TIMER_BODY,   /* 30 s and a second for each 64 KiB: 408 */
    TIMER_WRITE,  /* 30 s without progress of output: the client is gone */
    TIMER_LINGER, /* 2 s: close */
    TIMER_NONE,   /* a request is in progress: its own deadlines rule */
};

enum body_kind { BODY_NONE, BODY_LENGTH, BODY_CHUNKED };

enum {
    READ_OCTETS = 64 * 1024,  /* the shared read buffer */
    INPUT_MAX = 64 * 1024,    /* unread octets kept while a request is in progress */
    OUTPUT_HIGH = 256 * 1024, /* above it nothing more is asked for */
    OUTPUT_LOW = 64 * 1024,
    PIPELINE_OUTPUT = 64 * 1024, /* above it no further pipelined request begins */
    SOCKET_OUTPUT = 256 * 1024,  /* SO_SNDBUF */
    LINGER_MAX = 256 * 1024,
    LISTENERS_MAX = 16,
    WHEEL_SLOTS = 1024,
};

/* Read and write below the connection: plain, and later TLS. */
struct http_io {
    ssize_t (*read)(struct http_conn *, void *out, size_t size);
    ssize_t (*write)(struct http_conn *, const void *data, size_t size);
};

TAILQ_HEAD(conn_list, http_conn);

struct http_conn {
    struct event event; /* READ always; WRITE after EAGAIN */
    struct http_server *server;
    const struct http_io *io;
    void *request; /* of the one above; NULL: none, or it is still in begin */
    TAILQ_ENTRY(http_conn) all;
    TAILQ_ENTRY(http_conn) slot;  /* of the wheel */
    TAILQ_ENTRY(http_conn) queue; /* work for the end of the turn, or the doomed */
    uint64_t deadline;
    struct buf in;  /* octets of an incomplete head, of a body, of what is pipelined behind */
    size_t in_used; /* of them consumed */
    size_t scanned; /* of the head, see http_head_parse() */
    struct buf out; /* answers not yet written */
    size_t out_sent;
    int64_t answer_left; /* octets still owed by an answer in parts with a length */
    uint64_t body_start, body_got, body_left;
    struct chunk_decoder chunks;
    uint32_t lingered;
    uint16_t wheel_slot;
    uint8_t state, timer, body, minor;
    bool on_wheel, queued;
    bool keep_alive; /* after this answer, unless something forbids it */
    bool head_only;  /* HEAD: no body is sent */
    bool answer_chunked, answering, answered;
    bool body_done, body_bad, body_wanted, expect_continue;
    short armed;       /* the events that are armed */
    bool want_drained; /* reply_part() said stop */
    bool peer_done;    /* FIN seen */
    enum failure body_failure;
};

struct http_server {
    struct event_base *base;
    const struct conf *conf;
    const struct http_hooks *hooks;
    void *arg;
    struct event *listeners[LISTENERS_MAX];
    unsigned nlisteners;
    struct event *tick;
    struct conn_list conns, dirty, doomed;
    struct conn_list wheel[WHEEL_SLOTS];
    uint64_t wheel_tick_ns, wheel_now; /* number of the last tick handled */
    uint64_t now;                      /* clock_ns() of this callback */
    uint64_t date_s;
    char date[40];
    size_t date_len;
    char read_buf[READ_OCTETS];
    struct buf pool[64]; /* buffers that connections gave back */
    unsigned npool;
    struct http_limits limits;
    int spare_fd;
    bool draining;
    struct http_status count;
};

/* conn.c */
struct http_conn *http_conn_open(struct http_server *, int fd);
void http_conn_move(struct http_conn *, enum conn_state);
/* The one door out. why: FAIL_NONE when all was said. */
void http_conn_close(struct http_conn *, enum failure why);
/* Looks at the octets that are here, as far as requests can begin. */
void http_conn_process(struct http_conn *);
/* The answer is complete: next request, linger, or close. */
void http_conn_answered(struct http_conn *);
void http_conn_timed_out(struct http_conn *);
/* Arms what is needed now. */
void http_conn_arm(struct http_conn *);
/* Sends what was gathered; begins what waited behind; ends what is at its end. */
void http_conn_settle(struct http_conn *);
/* Something is left to do at the end of the turn. */
void http_conn_later(struct http_conn *);
void http_conn_take_buf(struct http_server *, struct buf *);
void http_conn_give_buf(struct http_server *, struct buf *);

/* body.c */
void body_begin(struct http_conn *, const struct http_head *);
/* The answer begins: is the whole body here? What is, is dropped. */
bool body_skip(struct http_conn *);
void body_arrived(struct http_conn *);

/* output.c */
/* Writes what is there, as far as it goes. */
void output_flush(struct http_conn *);
size_t output_unsent(const struct http_conn *);

/* wheel.c */
void wheel_open(struct http_server *);
void wheel_close(struct http_server *);
void wheel_set(struct http_conn *, enum conn_timer, uint64_t after_ns);
void wheel_remove(struct http_conn *);

#endif
