/*
 * One connection. It is driven from three places only, all of them loop callbacks: its event (the
 * socket is readable, writable, closed), its time-out, and the list of those with more to do this
 * turn or next. Each brackets its work with http_conn_enter() and http_conn_leave().
 *
 *        .------------ answered, to be kept ---------------------------------------.
 *        v                                                                         |
 *      IDLE --part of a head--> HEAD --whole--> REQUEST --answered, body unread--> SKIP
 *        ^  '----- a whole head at once ---------^ |  |
 *        '--------- answered, to be kept ----------'  '--answered, to be closed--> FLUSH
 *                                                                                  |
 *        every state --> CLOSED                     CLOSED <-- LINGER <--all sent--'
 *
 * A connection with TLS begins in HANDSHAKE and comes to IDLE when that is done.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "http/chunk.h"
#include "http/http.h"
#include "http/io.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

enum conn_state {
    CONN_HANDSHAKE, /* of TLS; nothing can be asked yet */
    CONN_IDLE,      /* between requests: waits for the first octet of a head */
    CONN_HEAD,      /* a part of a head is there */
    CONN_REQUEST,   /* a request has begun and is not answered completely */
    CONN_SKIP,      /* answered; the rest of its body is read and dropped */
    CONN_FLUSH,     /* the last answer is complete but not sent completely */
    CONN_LINGER,    /* all sent and said so; what still comes is dropped, or the client would see a
                       reset instead of its answer */
    CONN_CLOSED,    /* the descriptor is closed; freed at the end of the turn */
    CONN_STATES
};

enum conn_why {
    CLOSE_DONE,    /* the last answer was sent */
    CLOSE_GONE,    /* the client left */
    CLOSE_TIMEOUT, /* it was too slow, or silent for too long */
    CLOSE_SERVER,  /* the server closes */
};

/* How the body of the request in progress is delimited. */
enum body_kind { BODY_NONE, BODY_LENGTH, BODY_CHUNKED };

/* How the answer in progress is delimited. */
enum reply_kind { REPLY_NONE, REPLY_LENGTH, REPLY_CHUNKED, REPLY_UNTIL_CLOSE, REPLY_NO_BODY };

struct out_block;

struct http_conn {
    struct event event; /* edge-triggered, and never taken back while the connection is open */
    struct http_server *server;
    const struct http_io *io;
    void *request; /* the callee's object for the request in progress */
    LIST_ENTRY(http_conn)
    slot; /* of the wheel; every open connection is in one */
    STAILQ_ENTRY(http_conn) turn;
    uint64_t tick;     /* of that slot */
    uint64_t deadline; /* 0: none */
    uint64_t since;    /* the present state, or wait for body octets, began; clock_ns() */
    uint64_t progress; /* output was last taken; clock_ns() */

    char *in; /* octets read and not yet used: in_off .. in_off + in_len; NULL: none */
    uint32_t in_off, in_len, in_cap;
    uint32_t scanned; /* see http_head_parse() */

    uint64_t body_left, body_got; /* octets; left: of BODY_LENGTH only */
    int64_t body_budget;          /* ns that may still be waited for body octets */
    struct chunk_decoder chunk;

    struct out_block *out_first, *out_last; /* not yet taken by the socket */
    size_t out_len;
    uint64_t reply_left;          /* of REPLY_LENGTH: octets still to come */
    uint32_t turn_no, turn_bytes; /* sent in the turn of this number */

    uint16_t port;
    uint8_t state;       /* enum conn_state; http_conn_move() sets it */
    uint8_t body;        /* enum body_kind */
    uint8_t reply;       /* enum reply_kind */
    uint8_t body_failed; /* enum failure */
    bool readable : 1;   /* the socket may have octets: the loop has said so, no read has denied
                            it */
    bool writable : 1;   /* no write has been refused since the loop said so */
    bool watches_write : 1;
    bool read_writes : 1; /* reading goes on when there is room for what it has to write (TLS) */
    bool fin : 1;         /* the client has said that it sends no more */
    bool eof : 1;         /* and all that it sent has been read */
    bool broken : 1;      /* writing failed: nobody is there */
    bool linger : 1;      /* octets are unread, or on their way: don't close at once */
    bool asked : 1;       /* a request of it has begun */
    bool keep : 1;        /* the client would go on after this request */
    bool closing : 1;     /* this answer is the last one */
    bool is_http10 : 1;
    bool is_head : 1;
    bool body_end : 1;      /* all of it has been read */
    bool body_waiting : 1;  /* http_body() said MORE */
    bool continue_due : 1;  /* 100 Continue was asked for and not sent */
    bool wants_drained : 1; /* http_reply_part() said false */
    bool in_begin : 1;
    bool listed : 1;      /* in the turn's list */
    bool run_later : 1;   /* it has more to do in the next turn */
    bool flush_later : 1; /* it has output to send at the end of this turn */
};

static inline int
conn_fd(const struct http_conn *conn)
{
    return conn->event.ev_fd;
}

static inline bool
conn_has_tls(const struct http_conn *conn)
{
    return conn->io != &http_io_plain;
}

/* The octets that it keeps. */
static inline const char *
conn_in(const struct http_conn *conn)
{
    return conn->in != NULL ? conn->in + conn->in_off : "";
}

/* Takes the descriptor. */
struct http_conn *http_conn_open(struct http_server *, int fd, unsigned port,
                                 const struct http_io *);
/* The one door out, but for the server's end. Tells the request in progress. */
void http_conn_close(struct http_conn *, enum conn_why);
void http_conn_free(struct http_conn *);
void http_conn_move(struct http_conn *, enum conn_state);

void http_conn_enter(struct http_conn *);
void http_conn_leave(struct http_conn *);
/* All that can be done now: called when the socket has news, or from the list of those to run. */
void http_conn_run(struct http_conn *);
/* The present state has lasted too long. */
void http_conn_expire(struct http_conn *);

/* More to do in the next turn / output to be sent at the end of this one. */
void http_conn_run_later(struct http_conn *);
void http_conn_flush_later(struct http_conn *);

#endif
