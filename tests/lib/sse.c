/*
 * sse: see sse.h.
 */
#include "sse.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The size of the receive buffer has to be said before the connection is made. */
static int
connect_small(const struct server *s, int receive)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    if (receive > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
    ck_assert_msg(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "connect: %s",
                  strerror(errno));
    return fd;
}

static void
ask(struct sse *s, const struct server *server, const char *fields, int receive)
{
    char text[1000];

    *s = (struct sse){.fd = connect_small(server, receive)};
    snprintf(text, sizeof(text), "GET /events HTTP/1.0\r\nHost: localhost\r\n%s\r\n",
             fields != NULL ? fields : "");
    client_send(s->fd, text);
}

void
sse_open_silently(struct sse *s, const struct server *server, int receive)
{
    ask(s, server, NULL, receive);
}

void
sse_open(struct sse *s, const struct server *server, const char *fields, int receive)
{
    char head[4096];
    size_t n = 0;

    ask(s, server, fields, receive);
    do {
        ck_assert_uint_lt(n, sizeof(head) - 1);
        client_read_octets(s->fd, head + n, 1);
        n++;
    } while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0);
    ck_assert_msg(strncmp(head, "HTTP/1.1 200 ", 13) == 0, "%s", head);
    ck_assert_ptr_nonnull(strstr(head, "Content-Type: text/event-stream\r\n"));
}

void
sse_close(struct sse *s)
{
    close(s->fd);
    free(s->data);
    *s = (struct sse){.fd = -1};
}

bool
sse_take(struct sse *s)
{
    while (!s->closed) {
        ssize_t n;

        if (s->room - s->len < 65536) {
            s->room = s->room * 2 + 131072;
            s->data = realloc(s->data, s->room);
        }
        n = recv(s->fd, s->data + s->len, s->room - s->len - 1, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            s->closed = true;
        else
            s->octets += (uint64_t)n, s->len += (size_t)n;
    }
    return false;
}

/* The value of the line "name: ...", copied; "" if there is none. */
static void
copy_field(const char *event, const char *name, char *out, size_t size)
{
    const char *line = event;
    const size_t n = strlen(name);

    out[0] = '\0';
    while (line != NULL && *line != '\0') {
        if (strncmp(line, name, n) == 0 && strncmp(line + n, ": ", 2) == 0)
            snprintf(out, size, "%.*s", (int)strcspn(line + n + 2, "\n"), line + n + 2);
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
}

bool
sse_next(struct sse *s, struct sse_event *e)
{
    const char *end = s->len > 0 ? memmem(s->data, s->len, "\n\n", 2) : NULL;
    size_t len;
    char *text;

    if (end == NULL)
        return false;
    len = (size_t)(end - s->data) + 2;
    s->data[len - 1] = '\0';
    text = malloc(len);
    copy_field(s->data, "data", text, len);
    *e = (struct sse_event){.text = text};
    copy_field(s->data, "id", e->id, sizeof(e->id));
    copy_field(s->data, "event", e->name, sizeof(e->name));
    if (e->id[0] != '\0')
        ck_assert_msg(sscanf(e->id, "%*x-%llu", &e->number) == 1, "id %s", e->id);
    s->len -= len;
    memmove(s->data, s->data + len, s->len);
    return true;
}

bool
sse_wait(struct sse *s, struct sse_event *e)
{
    while (!sse_next(s, e)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};

        if (s->closed)
            return false;
        ck_assert_msg(poll(&p, 1, E2E_DEADLINE_MS) > 0, "no event within %d ms", E2E_DEADLINE_MS);
        (void)sse_take(s);
    }
    return true;
}

json_t *
sse_wait_for(struct sse *s, const char *name, struct sse_event *e)
{
    json_t *root = NULL;

    while (root == NULL) {
        struct sse_event got;
        json_error_t error;

        ck_assert_msg(sse_wait(s, &got), "the stream ended before an event \"%s\"", name);
        if (strcmp(got.name, name) != 0) {
            sse_event_free(&got);
            continue;
        }
        root = json_loads(got.text, 0, &error);
        ck_assert_msg(root != NULL, "%s in %s", error.text, got.text);
        *e = got;
    }
    return root;
}

void
sse_event_free(struct sse_event *e)
{
    free(e->text);
    e->text = NULL;
}
