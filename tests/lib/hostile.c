/*
 * hostile: see hostile.h. A client that does not read learns that it was cut from poll() alone:
 * its system has a FIN or a reset behind what it has not taken.
 */
#include "hostile.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void
allow_descriptors(unsigned count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur >= count)
        return;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static size_t
length_of(const char *octets, size_t len)
{
    return len > 0 ? len : strlen(octets);
}

void
hostile_open(struct hostile *h, const struct server *server, const struct hostile_kind *kind,
             unsigned count)
{
    const struct server at = {.port = kind->tls ? server->tls_port : server->port};

    *h = (struct hostile){.kind = kind, .count = count, .left = count};
    allow_descriptors(count + 100);
    h->clients = calloc(count, sizeof(*h->clients));
    ck_assert_ptr_nonnull(h->clients);
    for (unsigned i = 0; i < count; i++) {
        int fd = client_connect(&at);

        if (kind->receive_buffer > 0)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kind->receive_buffer,
                       sizeof(kind->receive_buffer));
        if (kind->begin != NULL)
            client_send_octets(fd, kind->begin, length_of(kind->begin, kind->begin_len));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        h->clients[i] = (struct pollfd){.fd = fd, .events = POLLRDHUP};
        if (kind->take > 0)
            h->clients[i].events |= POLLIN;
    }
}

static void
cut(struct hostile *h, struct pollfd *client)
{
    close(client->fd);
    client->fd = -1;
    h->left--;
}

/* False: nothing more comes. */
static bool
take_some(const struct hostile *h, int fd)
{
    char some[4096];
    size_t size = h->kind->take < sizeof(some) ? h->kind->take : sizeof(some);

    return recv(fd, some, size, 0) > 0;
}

void
hostile_turn(struct hostile *h)
{
    const char *drip = h->kind->drip;
    const char *octet = drip != NULL ? drip + h->turn % length_of(drip, h->kind->drip_len) : NULL;

    ck_assert_int_ge(poll(h->clients, h->count, 0), 0);
    for (unsigned i = 0; i < h->count; i++) {
        struct pollfd *client = &h->clients[i];

        if (client->fd < 0)
            continue;
        if (((client->revents & POLLIN) != 0 && !take_some(h, client->fd)) ||
            (client->revents & (POLLERR | POLLHUP)) != 0 ||
            ((client->revents & POLLRDHUP) != 0 && h->kind->take == 0))
            cut(h, client);
        else if (octet != NULL)
            (void)!send(client->fd, octet, 1, MSG_NOSIGNAL);
    }
    h->turn++;
}

void
hostile_close(struct hostile *h)
{
    for (unsigned i = 0; i < h->count; i++)
        if (h->clients[i].fd >= 0)
            close(h->clients[i].fd);
    free(h->clients);
}
