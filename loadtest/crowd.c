/*
 * crowd: many clients that are only there. For what a server spends on those it has nothing to do
 * for, and whether they are in the way of the others.
 *
 *   crowd URL CONNECTIONS            idle: each asks once, reads its answer, and stays connected
 *   crowd URL CONNECTIONS OCTETS     slow: each asks once, and reads so many octets a second of the
 * answer
 *
 *   connects one after the other, asks -> idle: all answers read / slow: all asked -> prints "ready
 * N" -> waits
 *
 * Ends, and closes them all, when its standard input ends, and after two minutes in any case. "lost
 * N" at the end: so many connections were closed by the server before. Answers need a
 * Content-Length if clients are idle.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 19000, HEAD_MAX = 4096, OCTETS_MAX = 65536, LIFE_SECONDS = 120 };

/* Kept small for slow clients, or the kernel would take for them what they do not read. */
enum { SLOW_RCVBUF = 4096 };

struct crowd {
    struct sockaddr_in to;
    char request[2048];
    size_t request_len;
    int count, octets; /* octets a second; 0: idle clients */
    int lost;
    int fds[CONNECTIONS_MAX];
};

static double
seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A connection that has asked, or -1 with errno. Connecting may block: the server accepts in its
 * turn. */
static int
open_client(const struct crowd *c)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rcvbuf = SLOW_RCVBUF;

    if (fd < 0)
        return -1;
    if (c->octets > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
    if (connect(fd, (const struct sockaddr *)&c->to, sizeof(c->to)) != 0 ||
        send(fd, c->request, c->request_len, MSG_NOSIGNAL) != (ssize_t)c->request_len) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The whole answer: a head with a length, and so much body. */
static bool
read_answer(int fd)
{
    char text[HEAD_MAX];
    size_t have = 0;
    long left = -1;

    while (left != 0) {
        ssize_t n = recv(fd, text + have, left < 0 ? sizeof(text) - 1 - have : sizeof(text) - 1, 0);
        char *end, *length;

        if (n <= 0)
            return false;
        if (left > 0) {
            left -= n;
            continue;
        }
        have += (size_t)n;
        text[have] = '\0';
        end = strstr(text, "\r\n\r\n");
        if (end == NULL)
            continue;
        length = strcasestr(text, "\r\nContent-Length:");
        if (length == NULL || length > end)
            return false;
        left = strtol(length + 17, NULL, 10) - (long)(text + have - (end + 4));
        have = 0;
    }
    return true;
}

/* A part of one client's answer; a client whose connection has ended is let go. */
static void
read_slowly(struct crowd *c, int i)
{
    static char waste[OCTETS_MAX];
    ssize_t n;

    if (c->fds[i] < 0)
        return;
    n = recv(c->fds[i], waste, (size_t)c->octets, MSG_DONTWAIT);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    close(c->fds[i]);
    c->fds[i] = -1;
    c->lost++;
}

/* Slow clients take their turns spread over each second, so that they do not come as a burst. */
static void
stay(struct crowd *c)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    double began = seconds_now();
    long turns = 0;
    char waste[64];

    for (;;) {
        double lived = seconds_now() - began;

        if (lived > LIFE_SECONDS)
            return;
        for (; c->octets > 0 && (double)turns < lived * c->count; turns++)
            read_slowly(c, (int)(turns % c->count));
        if (poll(&input, 1, 10) > 0 && read(STDIN_FILENO, waste, sizeof(waste)) <= 0)
            return;
    }
}

static int
parse(struct crowd *c, int argc, char **argv)
{
    char host[64], path[1024] = "/";
    int port;

    if (argc < 3 || argc > 4 || sscanf(argv[1], "http://%63[0-9.]:%d%1023s", host, &port, path) < 2)
        return -1;
    c->count = atoi(argv[2]);
    c->octets = argc > 3 ? atoi(argv[3]) : 0;
    if (c->count < 1 || c->count > CONNECTIONS_MAX || c->octets < (argc > 3) ||
        c->octets > OCTETS_MAX)
        return -1;
    c->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    if (inet_pton(AF_INET, host, &c->to.sin_addr) != 1)
        return -1;
    c->request_len = (size_t)snprintf(c->request, sizeof(c->request),
                                      "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", path, host, port);
    return 0;
}

int
main(int argc, char **argv)
{
    static struct crowd c;

    if (parse(&c, argc, argv) != 0) {
        fprintf(stderr,
                "usage: crowd http://127.0.0.1:PORT/PATH CONNECTIONS(1-%d) [OCTETS(1-%d)]\n",
                CONNECTIONS_MAX, OCTETS_MAX);
        return 2;
    }
    for (int i = 0; i < c.count; i++) {
        c.fds[i] = open_client(&c);
        if (c.fds[i] < 0 || (c.octets == 0 && !read_answer(c.fds[i]))) {
            fprintf(stderr, "crowd: client %d of %d: %s\n", i + 1, c.count,
                    errno != 0 ? strerror(errno) : "no whole answer");
            return 1;
        }
    }
    printf("ready %d\n", c.count);
    fflush(stdout);
    stay(&c);
    printf("lost %d\n", c.lost);
    return 0;
}
