/*
 * steady: see steady.h. One thread owns all clients; one lock guards what they have counted.
 *
 *   RESTING -- due --> ASKING -- whole answer --> RESTING
 *                        '-- closed, too late --> RESTING, with a connection to be made anew
 */
#include "steady.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)
#define PAUSE_NS  (5 * NS_PER_MS)

enum { CLIENTS_MAX = 64, ANSWER_MAX = 16384 };

struct client {
    unsigned row;
    int fd; /* -1: none */
    bool asking;
    uint64_t since_ns; /* asked at, or rests until */
    size_t len;
    char answer[ANSWER_MAX + 1];
};

struct steady {
    const struct steady_row *rows;
    unsigned nrows, nclients;
    int port;
    pthread_t thread;
    pthread_mutex_t lock; /* for all below, but the clients */
    pthread_cond_t counted;
    bool stopping;
    struct steady_count counts[STEADY_ROWS_MAX];
    char wrong[512]; /* the first thing that was */
    struct client clients[CLIENTS_MAX];
};

uint64_t
steady_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

/* ---- counting ---- */

static void
rest(struct client *c, uint64_t now, bool keep)
{
    if (!keep && c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    c->asking = false;
    c->since_ns = now + PAUSE_NS;
}

static void
note_wrong(struct steady *s, const struct client *c, const char *what)
{
    s->counts[c->row].wrong++;
    if (s->wrong[0] == '\0')
        snprintf(s->wrong, sizeof(s->wrong), "%s: %s after %llu ms: %.300s", s->rows[c->row].path,
                 what, (unsigned long long)((steady_now_ns() - c->since_ns) / NS_PER_MS),
                 c->answer);
}

/* status 0: there was none. */
static void
count(struct steady *s, const struct client *c, uint64_t now, int status, const char *what)
{
    const struct steady_row *row = &s->rows[c->row];
    struct steady_count *n = &s->counts[c->row];
    const unsigned ms = (unsigned)((now - c->since_ns) / NS_PER_MS);

    pthread_mutex_lock(&s->lock);
    n->longest_ms = ms > n->longest_ms ? ms : n->longest_ms;
    if (status == 200 && (row->text == NULL || strstr(c->answer, row->text) != NULL)) {
        n->good++;
    } else if (!row->always && status >= 502 && status <= 504) {
        n->refused++;
        n->last_refused_ns = now;
    } else {
        note_wrong(s, c, what);
    }
    pthread_cond_broadcast(&s->counted);
    pthread_mutex_unlock(&s->lock);
}

static void
abandon(struct steady *s, struct client *c, uint64_t now, const char *what)
{
    count(s, c, now, 0, what);
    rest(c, now, false);
}

/* ---- a client ---- */

static bool
dial(const struct steady *s, struct client *c)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return c->fd >= 0 && connect(c->fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
           fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

static void
ask(struct steady *s, struct client *c, uint64_t now)
{
    char text[512];
    int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                       s->rows[c->row].path);

    c->since_ns = now;
    c->asking = true;
    c->len = 0;
    c->answer[0] = '\0';
    if (c->fd < 0 && !dial(s, c))
        abandon(s, c, now, "no connection");
    else if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        abandon(s, c, now, "not sent");
}

/* The status of a whole answer; 0: more of it has to come, -1: it can't be understood. */
static int
whole(const struct client *c)
{
    const char *end = strstr(c->answer, "\r\n\r\n"), *length;
    int status;

    if (end == NULL)
        return c->len < ANSWER_MAX ? 0 : -1;
    length = strcasestr(c->answer, "\r\nContent-Length:");
    if (length == NULL || length > end || sscanf(c->answer, "HTTP/1.1 %d", &status) != 1)
        return -1;
    length += strlen("\r\nContent-Length:");
    return (size_t)(end + 4 - c->answer) + strtoul(length, NULL, 10) == c->len ? status : 0;
}

static void
hear(struct steady *s, struct client *c, uint64_t now)
{
    ssize_t n = recv(c->fd, c->answer + c->len, ANSWER_MAX - c->len, 0);
    int status;
    char what[32];

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) { /* a connection that rests may be closed by either side */
        if (c->asking)
            abandon(s, c, now, "closed in the middle");
        else
            rest(c, now, false);
        return;
    }
    c->len += (size_t)n;
    c->answer[c->len] = '\0';
    status = c->asking ? whole(c) : -1;
    if (status < 0) {
        abandon(s, c, now, "not an answer");
    } else if (status > 0) {
        snprintf(what, sizeof(what), "status %d", status);
        count(s, c, now, status, what);
        rest(c, now, strcasestr(c->answer, "\r\nConnection: close") == NULL);
    }
}

/* ---- the thread ---- */

static bool
is_stopping(struct steady *s)
{
    bool stopping;

    pthread_mutex_lock(&s->lock);
    stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

/* What is due now; how many clients are waiting for an answer. */
static unsigned
turn(struct steady *s, bool stopping)
{
    const uint64_t now = steady_now_ns();
    unsigned asking = 0;

    for (unsigned i = 0; i < s->nclients; i++) {
        struct client *c = &s->clients[i];

        if (c->asking && now - c->since_ns > s->rows[c->row].limit_ms * NS_PER_MS)
            abandon(s, c, now, "no answer");
        if (!c->asking && now >= c->since_ns && !stopping)
            ask(s, c, now);
        asking += c->asking;
    }
    return asking;
}

static void *
load(void *arg)
{
    struct steady *s = arg;
    struct pollfd fds[CLIENTS_MAX];

    for (;;) {
        const bool stopping = is_stopping(s);
        uint64_t now;

        if (turn(s, stopping) == 0 && stopping)
            return NULL;
        for (unsigned i = 0; i < s->nclients; i++)
            fds[i] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
        poll(fds, s->nclients, (int)(PAUSE_NS / NS_PER_MS));
        now = steady_now_ns();
        for (unsigned i = 0; i < s->nclients; i++)
            if (fds[i].fd >= 0 && fds[i].revents != 0)
                hear(s, &s->clients[i], now);
    }
}

/* ---- for the test ---- */

struct steady *
steady_start(const struct server *server, const struct steady_row *rows, unsigned nrows)
{
    struct steady *s = calloc(1, sizeof(*s));
    pthread_condattr_t monotonic;

    ck_assert_ptr_nonnull(s);
    ck_assert_uint_le(nrows, STEADY_ROWS_MAX);
    s->rows = rows;
    s->nrows = nrows;
    s->port = server->port;
    for (unsigned i = 0; i < nrows; i++)
        for (unsigned n = 0; n < rows[i].clients; n++) {
            ck_assert_uint_lt(s->nclients, CLIENTS_MAX);
            s->clients[s->nclients].row = i;
            s->clients[s->nclients++].fd = -1;
        }
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->counted, &monotonic);
    ck_assert_int_eq(pthread_create(&s->thread, NULL, load, s), 0);
    return s;
}

/* Good answers of a row, or all that it has had. Under the lock. */
static unsigned long
answers(const struct steady *s, unsigned row, bool good)
{
    const struct steady_count *n = &s->counts[row];

    return good ? n->good : n->good + n->refused + n->wrong;
}

static void
wait_for(struct steady *s, unsigned row, unsigned long least, bool good)
{
    const uint64_t deadline = steady_now_ns() + E2E_DEADLINE_MS * NS_PER_MS;
    const struct timespec ts = {(time_t)(deadline / 1000 / NS_PER_MS),
                                (long)(deadline % (1000 * NS_PER_MS))};
    unsigned long have;
    int error = 0;

    pthread_mutex_lock(&s->lock);
    while ((have = answers(s, row, good)) < least && error == 0)
        error = pthread_cond_timedwait(&s->counted, &s->lock, &ts);
    pthread_mutex_unlock(&s->lock);
    ck_assert_msg(have >= least,
                  "%s: %lu answers instead of %lu within %d ms (of all, %lu good, %lu refused)",
                  s->rows[row].path, have, least, E2E_DEADLINE_MS, s->counts[row].good,
                  s->counts[row].refused);
}

struct steady_count
steady_count(struct steady *s, unsigned row)
{
    struct steady_count n;

    pthread_mutex_lock(&s->lock);
    n = s->counts[row];
    pthread_mutex_unlock(&s->lock);
    return n;
}

static unsigned long
count_answers(struct steady *s, unsigned row, bool good)
{
    unsigned long n;

    pthread_mutex_lock(&s->lock);
    n = answers(s, row, good);
    pthread_mutex_unlock(&s->lock);
    return n;
}

void
steady_wait_good(struct steady *s, unsigned long more)
{
    unsigned long least[STEADY_ROWS_MAX] = {0};

    for (unsigned i = 0; i < s->nrows; i++)
        least[i] = count_answers(s, i, true) + more;
    for (unsigned i = 0; i < s->nrows; i++)
        wait_for(s, i, least[i], true);
}

void
steady_wait_answers(struct steady *s, unsigned row, unsigned long more)
{
    wait_for(s, row, count_answers(s, row, false) + more, false);
}

/* ---- the end ---- */

static void
stop(struct steady *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    for (unsigned i = 0; i < s->nclients; i++)
        if (s->clients[i].fd >= 0)
            close(s->clients[i].fd);
    pthread_cond_destroy(&s->counted);
    pthread_mutex_destroy(&s->lock);
}

void
steady_drop(struct steady **steady)
{
    if (*steady == NULL)
        return;
    stop(*steady);
    free(*steady);
    *steady = NULL;
}

void
steady_end(struct steady **steady, struct steady_count *counts)
{
    struct steady *s = *steady;
    char wrong[sizeof(s->wrong)];
    unsigned long n = 0;

    stop(s);
    memcpy(wrong, s->wrong, sizeof(wrong));
    for (unsigned i = 0; i < s->nrows; i++) {
        n += s->counts[i].wrong;
        if (counts != NULL)
            counts[i] = s->counts[i];
    }
    free(s);
    *steady = NULL;
    ck_assert_msg(n == 0, "%lu answers were wrong, first %s", n, wrong);
}
