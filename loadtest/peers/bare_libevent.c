/*
 * bare_libevent: the limit of one thread. A libevent loop that does for a request only what no
 * server on libevent can avoid, so that whatever ours needs beyond it is the price of being an HTTP
 * server: parser, routes, deadlines, spans, counters.
 *
 *   bare_libevent [SECONDS]     prints "http://127.0.0.1:PORT"; ends after SECONDS (600) or by a
 * signal
 *
 *   readable -> one read -> count the ends of requests in it -> that many fixed replies in one
 * write
 *
 * One event per connection. Any request gets the reply of /plaintext, whatever it asks; a body
 * would be taken for requests. The reply has as many octets and header fields as ours. A client
 * that does not take what it asked for is closed: there is no output buffer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REPLY                                                                                      \
    "HTTP/1.1 200 OK\r\nServer: libevent..\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"             \
    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"

enum { READ_MAX = 16384, REQUEST_MIN = 18, REPLY_LEN = sizeof(REPLY) - 1, ACCEPT_MAX = 32 };

struct connection {
    struct event event;
    unsigned matched; /* octets of "\r\n\r\n" seen at the end of the last read */
};

/* As many replies as there can be requests in one read ("GET / HTTP/1.1\r\n\r\n"). */
static char replies[(READ_MAX / REQUEST_MIN + 1) * REPLY_LEN];

static size_t
count_requests(struct connection *c, const char *text, size_t len)
{
    static const char end[] = "\r\n\r\n";
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == end[c->matched])
            c->matched++;
        else
            c->matched = text[i] == '\r';
        if (c->matched == 4) {
            c->matched = 0;
            count++;
        }
    }
    return count;
}

static void
on_readable(int fd, short what, void *arg)
{
    static char text[READ_MAX];
    struct connection *c = arg;
    ssize_t n = read(fd, text, sizeof(text));
    size_t len;

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    len = n > 0 ? count_requests(c, text, (size_t)n) * REPLY_LEN : 0;
    if (n > 0 && (len == 0 || send(fd, replies, len, MSG_NOSIGNAL) == (ssize_t)len))
        return;
    event_del(&c->event);
    close(fd);
    free(c);
}

static void
on_client(int listener, short what, void *arg)
{
    struct event_base *base = arg;
    int one = 1;

    (void)what;
    for (int i = 0; i < ACCEPT_MAX; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct connection *c;

        if (fd < 0)
            return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        c = calloc(1, sizeof(*c));
        if (c == NULL || event_assign(&c->event, base, fd, EV_READ | EV_PERSIST, on_readable, c) ||
            event_add(&c->event, NULL)) {
            close(fd);
            free(c);
        }
    }
}

static int
open_listener(struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(*at);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)at, &len)) {
        perror("bare_libevent: listen");
        exit(1);
    }
    return fd;
}

int
main(int argc, char **argv)
{
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 600;
    struct event_base *base = event_base_new();
    struct event *listener;
    struct sockaddr_in at;

    if (base == NULL || seconds < 1 || seconds > 3600) {
        fprintf(stderr, "usage: bare_libevent [SECONDS]   1 to 3600\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(replies); i += REPLY_LEN)
        memcpy(replies + i, REPLY, REPLY_LEN);
    listener = event_new(base, open_listener(&at), EV_READ | EV_PERSIST, on_client, base);
    if (listener == NULL || event_add(listener, NULL))
        return 1;
    printf("http://127.0.0.1:%u\nlibevent %s\n", ntohs(at.sin_port), event_get_version());
    fflush(stdout);
    event_base_loopexit(base, &(struct timeval){.tv_sec = seconds});
    event_base_dispatch(base);
    return 0;
}
