/*
 * probe: an open-loop latency probe. It asks one address at a fixed rate, whether or not earlier
 * answers have come, and measures each latency from the moment at which the request was DUE, not
 * from when it could be sent. So a server that freezes for a second shows up as a second, and not
 * as one missing sample ("coordinated omission", Gil Tene).
 *
 *   probe --url http://127.0.0.1:8080/db --rate 200 --seconds 3 [--connections 16] [--list FILE]
 *
 * Prints one JSON object: count, errors, and p50, p90, p99, p999, max in milliseconds, and all of
 * it as points [share of the requests, milliseconds], two for each halving of what is slower.
 *
 *   due requests (a queue: due_count - sent_count) -> idle connection -> waits -> answer -> idle
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, HEAD_MAX = 8192 };

/* How long after the last request was due answers are still waited for. */
#define PATIENCE_NS 10000000000ULL

struct connection {
    int fd; /* -1: to be connected */
    bool waiting;
    uint64_t due; /* of the request on its way */
    char head[HEAD_MAX];
    size_t have;
    int64_t left; /* octets of the body to come; -1: still in the head */
    int status;
};

struct probe {
    struct sockaddr_in to;
    char request[2048];
    size_t request_len;
    unsigned rate, nconnections;
    double seconds;
    uint64_t start, interval;
    uint64_t total, sent, done, errors;
    uint64_t *latencies;
    struct connection connections[CONNECTIONS_MAX];
};

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int
open_connection(struct probe *p, struct connection *c)
{
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -1;
    if (connect(c->fd, (struct sockaddr *)&p->to, sizeof(p->to)) != 0) {
        close(c->fd);
        c->fd = -1;
        return -1;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
    return 0;
}

/* The request on this connection is over. */
static void
finish(struct probe *p, struct connection *c, bool good)
{
    p->latencies[p->done++] = now_ns() - c->due;
    if (!good)
        p->errors++;
    c->waiting = false;
}

static void
lose(struct probe *p, struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    finish(p, c, false);
}

static void
send_next(struct probe *p, struct connection *c)
{
    c->due = p->start + p->sent * p->interval;
    p->sent++;
    c->waiting = true;
    c->have = 0;
    c->left = -1;
    if (c->fd < 0 && open_connection(p, c) != 0) {
        finish(p, c, false);
        return;
    }
    if (send(c->fd, p->request, p->request_len, MSG_NOSIGNAL) != (ssize_t)p->request_len)
        lose(p, c);
}

/* The head is whole: status and length of the body. Answers without a length are errors here. */
static bool
read_head(struct connection *c)
{
    char *end = strstr(c->head, "\r\n\r\n"), *length;

    if (end == NULL)
        return c->have < HEAD_MAX - 1;
    if (sscanf(c->head, "HTTP/1.1 %d", &c->status) != 1)
        return false;
    length = strcasestr(c->head, "\r\ncontent-length:");
    if (length == NULL || length > end)
        return false;
    c->left = strtoll(length + 17, NULL, 10) - (int64_t)(c->have - (size_t)(end + 4 - c->head));
    return true;
}

static void
receive(struct probe *p, struct connection *c)
{
    static char waste[65536];
    ssize_t n;

    while (c->waiting) {
        bool head = c->left < 0;

        n = head ? recv(c->fd, c->head + c->have, HEAD_MAX - 1 - c->have, 0)
                 : recv(c->fd, waste,
                        c->left < (int64_t)sizeof(waste) ? (size_t)c->left : sizeof(waste), 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            lose(p, c);
            return;
        }
        if (head) {
            c->have += (size_t)n;
            c->head[c->have] = '\0';
            if (!read_head(c)) {
                lose(p, c);
                return;
            }
        } else {
            c->left -= n;
        }
        if (c->left == 0)
            finish(p, c, c->status == 200);
    }
}

/* Sends what is due as far as there are idle connections; ms until the next one is due. */
static int
send_due(struct probe *p)
{
    uint64_t now = now_ns(), next;

    for (unsigned i = 0; i < p->nconnections && p->sent < p->total; i++) {
        if (p->start + p->sent * p->interval > now)
            break;
        if (!p->connections[i].waiting)
            send_next(p, &p->connections[i]);
    }
    if (p->sent == p->total)
        return 100;
    next = p->start + p->sent * p->interval;
    now = now_ns();
    return next <= now ? 1 : (int)((next - now) / 1000000);
}

static void
run(struct probe *p)
{
    struct pollfd fds[CONNECTIONS_MAX];
    uint64_t give_up;

    p->start = now_ns();
    give_up = p->start + p->total * p->interval + PATIENCE_NS;
    while (p->done < p->total && now_ns() < give_up) {
        int wait_ms = send_due(p);

        for (unsigned i = 0; i < p->nconnections; i++)
            fds[i] = (struct pollfd){.fd = p->connections[i].waiting ? p->connections[i].fd : -1,
                                     .events = POLLIN};
        if (poll(fds, p->nconnections, wait_ms) <= 0)
            continue;
        for (unsigned i = 0; i < p->nconnections; i++)
            if (fds[i].revents != 0)
                receive(p, &p->connections[i]);
    }
    p->errors += p->total - p->done;
}

static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double
percentile(const struct probe *p, double percent)
{
    size_t i = (size_t)(percent / 100 * (double)p->done);

    if (p->done == 0)
        return 0;
    return (double)p->latencies[i < p->done ? i : p->done - 1] / 1e6;
}

static void
print_points(const struct probe *p)
{
    const double root = 0.70710678118654752440; /* of a half */
    double slower = 1;

    printf("\"points\":[");
    for (bool first = true; slower * (double)p->done >= 1; slower *= root, first = false)
        printf("%s[%.6f,%.3f]", first ? "" : ",", 1 - slower, percentile(p, 100 * (1 - slower)));
    printf("]");
}

static int
report(struct probe *p, const char *list_path)
{
    if (list_path != NULL) {
        FILE *f = fopen(list_path, "w");

        if (f == NULL) {
            perror(list_path);
            return 1;
        }
        for (uint64_t i = 0; i < p->done; i++)
            fprintf(f, "%.3f\n", (double)p->latencies[i] / 1e6);
        fclose(f);
    }
    qsort(p->latencies, p->done, sizeof(*p->latencies), by_value);
    printf("{\"count\":%llu,\"errors\":%llu,\"rate\":%u,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,"
           "\"p999\":%.3f,\"max\":%.3f,",
           (unsigned long long)p->done, (unsigned long long)p->errors, p->rate, percentile(p, 50),
           percentile(p, 90), percentile(p, 99), percentile(p, 99.9), percentile(p, 100));
    print_points(p);
    printf("}\n");
    return 0;
}

static int
usage(void)
{
    fprintf(stderr, "usage: probe --url http://127.0.0.1:PORT/PATH [--rate N] [--seconds S] "
                    "[--connections N] [--list FILE]\n");
    return 2;
}

static int
parse_url(struct probe *p, const char *url)
{
    char host[64], path[1024] = "/";
    int port, n;

    n = sscanf(url, "http://%63[0-9.]:%d%1023s", host, &port, path);
    if (n < 2 || port < 1 || port > 65535)
        return -1;
    p->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &p->to.sin_addr) != 1)
        return -1;
    p->request_len = (size_t)snprintf(p->request, sizeof(p->request),
                                      "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", path, host, port);
    return 0;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},     {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'}, {"connections", required_argument, NULL, 'c'},
        {"list", required_argument, NULL, 'l'},    {NULL, 0, NULL, 0},
    };
    static struct probe p = {.rate = 200, .nconnections = 16, .seconds = 3};
    const char *url = NULL, *list_path = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'u':
            url = optarg;
            break;
        case 'r':
            p.rate = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            p.seconds = strtod(optarg, NULL);
            break;
        case 'c':
            p.nconnections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'l':
            list_path = optarg;
            break;
        default:
            return usage();
        }
    }
    if (url == NULL || parse_url(&p, url) != 0 || p.rate < 1 || p.rate > 100000 || p.seconds <= 0 ||
        p.seconds > 600 || p.nconnections < 1 || p.nconnections > CONNECTIONS_MAX)
        return usage();
    p.interval = 1000000000ULL / p.rate;
    p.total = (uint64_t)(p.seconds * p.rate);
    p.latencies = calloc(p.total + 1, sizeof(*p.latencies));
    if (p.latencies == NULL)
        return 1;
    for (unsigned i = 0; i < p.nconnections; i++)
        p.connections[i].fd = -1;
    run(&p);
    return report(&p, list_path);
}
