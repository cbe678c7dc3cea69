/*
 * web_world: see web_world.h.
 */
#include "web_world.h"

#include "common/clock.h"
#include "http/timer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUIET_TURNS = 4 };

static uint64_t web_now;
static struct buf heard;

static uint64_t
web_clock(void)
{
    return web_now;
}

/* ---- the callee ---- */

enum http_body_state
web_pull(struct asked *a)
{
    for (;;) {
        const void *data;
        size_t len;

        a->body_state = http_body(a->conn, a->web->body_limit, &data, &len, &a->body_failure);
        if (a->body_state != HTTP_BODY_PIECE)
            return a->body_state;
        ck_assert_uint_gt(len, 0);
        buf_add(&a->body, data, len);
    }
}

static void
answer(struct asked *a, int status, const void *body, size_t len, bool close_after)
{
    struct http_answer head = {.status = status,
                               .content_type = status == 204 ? NULL : "text/plain",
                               .close = close_after};

    a->open = false;
    http_reply(a->conn, &head, body, len);
}

void
web_answer(struct asked *a, const char *text)
{
    answer(a, 200, text, strlen(text), false);
}

static int
status_of(enum failure failure)
{
    static const int statuses[FAIL_COUNT] = {
        [FAIL_BAD_REQUEST] = 400,    [FAIL_HEAD_TIMEOUT] = 408,    [FAIL_BODY_TIMEOUT] = 408,
        [FAIL_BODY_TOO_LARGE] = 413, [FAIL_TARGET_TOO_LONG] = 414, [FAIL_EXPECTATION] = 417,
        [FAIL_HEAD_TOO_LARGE] = 431, [FAIL_UNKNOWN_CODING] = 501,  [FAIL_UNKNOWN_METHOD] = 501,
        [FAIL_VERSION] = 505,
    };

    ck_assert_int_ne(statuses[failure], 0);
    return statuses[failure];
}

static void
echo(struct asked *a)
{
    switch (web_pull(a)) {
    case HTTP_BODY_END:
        answer(a, 200, a->body.data, a->body.len, false);
        break;
    case HTTP_BODY_FAILED:
        answer(a, status_of(a->body_failure), "failed", 6, false);
        break;
    case HTTP_BODY_MORE:
    case HTTP_BODY_PIECE:
        break;
    }
}

static void
answer_by_path(struct asked *a)
{
    if (a->failure != FAIL_NONE)
        answer(a, status_of(a->failure), "refused", 7, false);
    else if (strcmp(a->path, "/plaintext") == 0)
        answer(a, 200, "Hello, World!", 13, false);
    else if (strcmp(a->path, "/ignore") == 0)
        answer(a, 200, "ignored", 7, false);
    else if (strcmp(a->path, "/close") == 0)
        answer(a, 200, "Hello, World!", 13, true);
    else if (strcmp(a->path, "/empty") == 0)
        answer(a, 204, NULL, 0, false);
    else if (strcmp(a->path, "/echo") == 0)
        echo(a);
    else if (a->web->on_begin != NULL)
        a->web->on_begin(a);
}

static void *
on_begin(void *arg, struct http_conn *conn, struct http_head *head)
{
    struct web *w = arg;
    struct asked *a = &w->asked[w->nasked++ % WEB_ASKED];

    buf_fini(&a->body);
    *a = (struct asked){.web = w, .conn = conn, .method = head->method, .open = true};
    a->failure = head->failure;
    snprintf(a->path, sizeof(a->path), "%.*s", (int)head->path.len,
             head->path.p != NULL ? head->path.p : "");
    answer_by_path(a);
    return a->open ? a : NULL;
}

static void
on_body(void *request)
{
    struct asked *a = request;

    ck_assert(a->open && a->gone == 0);
    a->bodies++;
    if (strcmp(a->path, "/echo") == 0)
        echo(a);
    else if (a->web->pull)
        (void)web_pull(a);
}

static void
on_drained(void *request)
{
    struct asked *a = request;

    ck_assert(a->open && a->gone == 0);
    a->drained++;
    if (a->web->on_drained != NULL)
        a->web->on_drained(a);
}

static void
on_gone(void *request, enum failure why)
{
    struct asked *a = request;

    ck_assert(a->open && a->gone == 0);
    ck_assert_int_eq(why, FAIL_CLIENT_GONE);
    a->gone++;
    a->open = false;
}

static const struct http_hooks hooks = {
    .begin = on_begin,
    .body = on_body,
    .drained = on_drained,
    .gone = on_gone,
};

/* ---- the world ---- */

void
web_open(struct web *w)
{
    struct event_config *config = event_config_new();

    *w = (struct web){
        .conf = {.max_connections = 1000,
                 .max_target = 8192,
                 .max_head = 32768,
                 .max_fields = 100,
                 .max_bytes_per_turn = 256 * 1024,
                 .head_timeout = 10000,
                 .body_timeout = 30000,
                 .idle_timeout = 60000,
                 .write_timeout = 30000},
        .body_limit = 1 << 20,
        .pull = true,
    };
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    w->base = event_base_new_with_config(config);
    event_config_free(config);
    ck_assert_ptr_nonnull(w->base);
    web_now = 1000 * NS_PER_S;
    clock_set_source(web_clock);
    w->server = http_open(w->base, &w->conf, &hooks, w);
}

void
web_reopen(struct web *w)
{
    http_close(w->server);
    w->server = http_open(w->base, &w->conf, &hooks, w);
}

void
web_close(struct web *w)
{
    http_close(w->server);
    event_base_free(w->base);
    for (unsigned i = 0; i < WEB_ASKED; i++)
        buf_fini(&w->asked[i].body);
    buf_fini(&heard);
    clock_set_source(NULL);
}

void
web_turn(struct web *w)
{
    ck_assert_int_ge(event_base_loop(w->base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
    http_turn_end(w->server);
}

void
web_pass(struct web *w, uint64_t ms)
{
    for (int i = 0; i < QUIET_TURNS; i++) /* what has happened, happened before */
        web_turn(w);
    web_now += ms * NS_PER_MS;
    timer_run(w->server);
    web_turn(w);
}

void
web_long_turn(struct web *w, uint64_t ms, struct http_conn *conn, const char *part)
{
    web_now += ms * NS_PER_MS;
    ck_assert(http_reply_part(conn, part, strlen(part)));
    timer_run(w->server);
    http_turn_end(w->server);
}

/* ---- clients ---- */

static int
client(struct web *w, int size)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    (void)http_adopt(w->server, fds[0]);
    if (size > 0) {
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    return fds[1];
}

int
web_client(struct web *w)
{
    return client(w, 0);
}

int
web_client_small(struct web *w)
{
    return client(w, 4096);
}

void
web_send_octets(int fd, const void *data, size_t len)
{
    ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
web_send(int fd, const char *text)
{
    web_send_octets(fd, text, strlen(text));
}

/* What has come so far goes to `into`, if it is not NULL; false: the server has closed. */
static bool
read_all(int fd, struct buf *into, size_t *count, size_t most)
{
    char octets[8192];
    ssize_t n = 0;

    while (*count < most) {
        n = recv(fd, octets, most - *count < sizeof(octets) ? most - *count : sizeof(octets), 0);
        if (n <= 0)
            break;
        *count += (size_t)n;
        if (into != NULL)
            buf_add(into, octets, (size_t)n);
    }
    return !(n == 0 && *count < most) && !(n < 0 && errno != EAGAIN);
}

static bool
listen_until_quiet(struct web *w, int fd, struct buf *into, size_t *count, size_t most)
{
    int quiet = 0;
    bool open = true;

    while (quiet < QUIET_TURNS && *count < most) {
        size_t before = *count;

        web_turn(w);
        open = read_all(fd, into, count, most);
        quiet = *count > before ? 0 : quiet + 1;
    }
    return open;
}

/* Server and Date stand behind every status line but that of 100; out they go. */
static void
strip_about(struct buf *b)
{
    static const char server[] = "Server: interleave\r\nDate: ";
    char *at = b->data;

    while ((at = strstr(at, server)) != NULL) {
        char *end = strstr(at + sizeof(server) - 1, "\r\n");

        ck_assert(end != NULL && end - at == sizeof(server) - 1 + 29); /* an IMF-fixdate */
        ck_assert(memcmp(end - 4, " GMT", 4) == 0);
        memmove(at, end + 2, strlen(end + 2) + 1);
    }
}

const char *
web_hear(struct web *w, int fd, bool *closed)
{
    size_t count = 0;
    bool open;

    heard.len = 0;
    open = listen_until_quiet(w, fd, &heard, &count, SIZE_MAX);
    if (closed != NULL)
        *closed = !open;
    buf_add_char(&heard, '\0');
    strip_about(&heard);
    return heard.data;
}

bool
web_is_silent(struct web *w, int fd)
{
    size_t count = 0;

    return listen_until_quiet(w, fd, NULL, &count, SIZE_MAX) && count == 0;
}

bool
web_is_closed(struct web *w, int fd)
{
    size_t count = 0;

    return !listen_until_quiet(w, fd, NULL, &count, SIZE_MAX) && count == 0;
}

size_t
web_drink(struct web *w, int fd, size_t most)
{
    size_t count = 0;

    (void)listen_until_quiet(w, fd, NULL, &count, most);
    return count;
}

struct asked *
web_last(struct web *w)
{
    ck_assert_uint_gt(w->nasked, 0);
    return &w->asked[(w->nasked - 1) % WEB_ASKED];
}
