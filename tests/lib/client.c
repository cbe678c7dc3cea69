/*
 * The client of the end-to-end tests: plain blocking sockets with a deadline, so that it can stop
 * in the middle of anything.
 */
#include "e2e.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int
client_connect(const struct server *s)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_msg(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "connect: %s",
                  strerror(errno));
    return fd;
}

void
client_send_octets(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return; /* the server has closed: what it said is what counts */
        p += n;
        len -= (size_t)n;
    }
}

void
client_send(int fd, const char *text)
{
    client_send_octets(fd, text, strlen(text));
}

void
client_send_get(int fd, const char *target)
{
    char text[9000];

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    client_send(fd, text);
}

/* Up to `size` octets; 0: closed, -1: reset; fails the test at the deadline. */
static ssize_t
read_some(int fd, void *out, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, E2E_DEADLINE_MS);

    ck_assert_msg(ready != 0, "no answer within %d ms", E2E_DEADLINE_MS);
    return recv(fd, out, size, 0);
}

/* Octets of one answer as they come in. */
struct incoming {
    int fd;
    char *data;
    size_t len, cap;
    bool closed;
};

static bool
more(struct incoming *in)
{
    ssize_t n;

    if (in->closed)
        return false;
    if (in->cap - in->len < 65536) {
        in->cap = in->cap * 2 + 131072;
        in->data = realloc(in->data, in->cap);
    }
    n = read_some(in->fd, in->data + in->len, in->cap - in->len - 1);
    if (n <= 0) {
        in->closed = true;
        return false;
    }
    in->len += (size_t)n;
    in->data[in->len] = '\0';
    return true;
}

/* Octet by octet, so that nothing of the next answer is taken. */
static bool
read_head(struct incoming *in)
{
    in->cap = 65536;
    in->data = malloc(in->cap);
    in->data[0] = '\0';
    while (in->len < in->cap - 1) {
        ssize_t n = read_some(in->fd, in->data + in->len, 1);

        if (n <= 0)
            return false;
        in->data[++in->len] = '\0';
        if (in->len >= 4 && memcmp(in->data + in->len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static bool
read_exactly(int fd, char *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read_some(fd, out, len);

        if (n <= 0)
            return false;
        out += n;
        len -= (size_t)n;
    }
    return true;
}

void
client_read_octets(int fd, char *out, size_t len)
{
    ck_assert_msg(read_exactly(fd, out, len), "the connection closed too early");
    out[len] = '\0';
}

static bool
read_line(int fd, char *out, size_t size)
{
    size_t n = 0;

    while (n < size - 1) {
        if (!read_exactly(fd, out + n, 1))
            return false;
        n++;
        if (n >= 2 && out[n - 2] == '\r' && out[n - 1] == '\n') {
            out[n - 2] = '\0';
            return true;
        }
    }
    return false;
}

static bool
read_chunks(int fd, struct reply *r)
{
    char line[256];

    for (;;) {
        size_t size;
        char *end;

        if (!read_line(fd, line, sizeof(line)))
            return false;
        size = strtoul(line, &end, 16);
        ck_assert_msg(end != line, "chunk size \"%s\"", line);
        if (size == 0)
            return read_line(fd, line, sizeof(line)) && line[0] == '\0';
        r->body = realloc(r->body, r->len + size + 1);
        if (!read_exactly(fd, r->body + r->len, size))
            return false;
        r->len += size;
        r->body[r->len] = '\0';
        if (!read_line(fd, line, sizeof(line)) || line[0] != '\0')
            return false;
    }
}

static bool
read_body(int fd, struct reply *r)
{
    const char *coding = reply_field(r, "transfer-encoding");
    const char *length;
    struct incoming in = {.fd = fd};

    if (coding != NULL && strcasecmp(coding, "chunked") == 0)
        return read_chunks(fd, r);
    length = reply_field(r, "content-length");
    if (length != NULL) {
        r->len = strtoul(length, NULL, 10);
        r->body = realloc(r->body, r->len + 1);
        r->body[r->len] = '\0';
        return read_exactly(fd, r->body, r->len);
    }
    while (more(&in))
        ;
    free(r->body);
    r->body = in.data != NULL ? in.data : calloc(1, 1);
    r->len = in.len;
    r->closed = true;
    return true;
}

bool
client_read_reply(int fd, struct reply *r, bool head_only)
{
    struct incoming in = {.fd = fd};
    const char *connection;
    bool whole;

    *r = (struct reply){0};
    do { /* interim answers (100 Continue) are passed over */
        free(in.data);
        in = (struct incoming){.fd = fd};
        if (!read_head(&in)) {
            r->head = in.data;
            r->body = calloc(1, 1);
            return false;
        }
        ck_assert_msg(sscanf(in.data, "HTTP/1.%*d %d", &r->status) == 1, "no status line: %s",
                      in.data);
    } while (r->status >= 100 && r->status < 200);
    r->head = in.data;
    r->body = calloc(1, 1);
    connection = reply_field(r, "connection");
    r->closed = connection != NULL && strcasecmp(connection, "close") == 0;
    whole = head_only || r->status == 204 || r->status == 304 || read_body(fd, r);
    return whole;
}

char *
client_read_all(int fd, size_t *len)
{
    struct incoming in = {.fd = fd};

    while (more(&in))
        ;
    *len = in.len;
    return in.data != NULL ? in.data : calloc(1, 1);
}

bool
client_is_closed(int fd)
{
    char octet;

    return read_some(fd, &octet, 1) <= 0;
}

struct reply
http_ask(const struct server *s, const char *method, const char *target, const char *fields,
         const void *body, size_t len)
{
    int fd = client_connect(s);
    char *head;
    struct reply r;

    ck_assert_int_ge(asprintf(&head,
                              "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s"
                              "Content-Length: %zu\r\n\r\n",
                              method, target, fields != NULL ? fields : "", len),
                     0);
    client_send(fd, head);
    free(head);
    if (len > 0)
        client_send_octets(fd, body, len);
    ck_assert_msg(client_read_reply(fd, &r, strcmp(method, "HEAD") == 0),
                  "no whole answer to %s %s: %s", method, target, r.head != NULL ? r.head : "");
    close(fd);
    return r;
}

struct reply
http_get(const struct server *s, const char *target)
{
    int fd = client_connect(s);
    struct reply r;

    client_send_get(fd, target);
    ck_assert_msg(client_read_reply(fd, &r, false), "no whole answer to GET %s", target);
    close(fd);
    return r;
}

void
reply_free(struct reply *r)
{
    free(r->head);
    free(r->body);
    *r = (struct reply){0};
}

const char *
reply_field(const struct reply *r, const char *name)
{
    static char value[4096];
    size_t n = strlen(name);

    for (const char *line = strstr(r->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *p = line + n + 1;
            size_t len;

            p += strspn(p, " ");
            len = strcspn(p, "\r");
            snprintf(value, sizeof(value), "%.*s", (int)len, p);
            return value;
        }
    }
    return NULL;
}
