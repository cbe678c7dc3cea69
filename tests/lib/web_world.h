/*
 * http/ on a real event loop, over socketpairs, with a clock that the test moves. Above it sits a
 * callee that answers by what the path says, or leaves the answer to the test.
 *
 *   /plaintext   "Hello, World!", at once
 *   /echo        the body, when it has been read
 *   /ignore      "ignored", at once, whatever the body
 *   /close       as /plaintext, and asks for the connection to be closed
 *   /empty       204
 *   anything else: the test answers, see struct asked
 */
#ifndef TESTS_WEB_WORLD_H
#define TESTS_WEB_WORLD_H

#include "common/buf.h"
#include "common/conf.h"
#include "http/http.h"

#include <event2/event.h>

enum { WEB_ASKED = 1024 };

/* A request that was begun. */
struct asked {
    struct web *web;
    struct http_conn *conn;
    char path[64];
    enum http_method method;
    enum failure failure;           /* of the head */
    bool open;                      /* not answered, and its client has not gone */
    unsigned gone, drained, bodies; /* hooks called */
    struct buf body;
    enum http_body_state body_state; /* what web_pull() found last */
    enum failure body_failure;
};

struct web {
    struct conf conf;
    struct event_base *base;
    struct http_server *server;
    struct asked asked[WEB_ASKED];
    unsigned nasked;
    uint64_t body_limit;
    bool pull; /* /echo and the test's own requests read bodies by themselves */
    void (*on_begin)(struct asked *); /* for requests left to the test */
    void (*on_drained)(struct asked *);
};

/* The default limits and time-outs. The clock stands at 1,000 s. */
void web_open(struct web *);
/* Opens the server again, after a change of conf. */
void web_reopen(struct web *);
void web_close(struct web *);

/* One turn of the loop that does not sleep. / Turns until nothing comes out to `fd` any more. */
void web_turn(struct web *);
/* Moves the clock on, lets time-outs happen. */
void web_pass(struct web *, uint64_t ms);
/* A turn that takes so long and then says this; the timer runs in it, before the words leave. */
void web_long_turn(struct web *, uint64_t ms, struct http_conn *, const char *part);

/* A client: its end of a socketpair, non-blocking; small buffers on both sides: WEB_SMALL. */
int web_client(struct web *);
int web_client_small(struct web *);
void web_send(int fd, const char *text);
void web_send_octets(int fd, const void *data, size_t len);
/* Turns until nothing more comes; all octets that came, NUL-terminated, without the fields Server
 * and Date, which are checked: valid until the next call. *closed: the server has closed. */
const char *web_hear(struct web *, int fd, bool *closed);
/* The client has nothing to hear, and is connected / is closed. */
bool web_is_silent(struct web *, int fd);
bool web_is_closed(struct web *, int fd);
/* Turns, reading and checking nothing: how many octets came; stops after `most`. */
size_t web_drink(struct web *, int fd, size_t most);

/* The request that was begun last. */
struct asked *web_last(struct web *);
/* Answers 200 with this text. */
void web_answer(struct asked *, const char *text);
/* Reads what is there of the body. */
enum http_body_state web_pull(struct asked *);

#endif
