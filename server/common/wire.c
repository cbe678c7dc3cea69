/*
 * wire: see wire.h. sendmsg() and recvmsg() with their descriptors, and every way in which a packet
 * can be wrong: too short, too long, more descriptors than wanted. A wrong packet never leaves a
 * descriptor open behind it.
 *
 * Owns nothing. Whether a call may sleep is up to the socket (O_NONBLOCK).
 */
#include "common/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the descriptors of one packet, aligned as the kernel wants it. */
union wire_control {
    struct cmsghdr header;
    char octets[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
};

int
wire_send(int fd, const void *message, size_t size, const int *fds, int nfds)
{
    union wire_control control = {0};
    struct iovec iov = {.iov_base = (void *)message, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;

    if (nfds < 0 || nfds > WIRE_FDS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (nfds > 0) {
        size_t octets = (size_t)nfds * sizeof(int);

        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(octets);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(octets);
        memcpy(CMSG_DATA(&control.header), fds, octets);
    }
    do {
        sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0; /* a packet goes as a whole or not at all */
}

/* Copies the descriptors that came with a packet to `out`; returns how many, WIRE_FDS_MAX at most
 * (the kernel has closed what did not fit and says MSG_CTRUNC). */
static int
received_fds(struct msghdr *msg, int *out)
{
    int n = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        size_t octets = c->cmsg_len - CMSG_LEN(0);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        memcpy(out + n, CMSG_DATA(c), octets);
        n += (int)(octets / sizeof(int));
    }
    return n;
}

int
wire_receive(int fd, void *message, size_t size, int *fds, int *nfds)
{
    union wire_control control;
    struct iovec iov = {.iov_base = message, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    int got[WIRE_FDS_MAX], count, room = nfds != NULL ? *nfds : 0;
    ssize_t length;

    if (nfds != NULL)
        *nfds = 0;
    do {
        length = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == ECONNRESET ? 0 : -1; /* closed with our packets unread: closed */
    count = received_fds(&msg, got);
    if ((size_t)length != size || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || count > room) {
        for (int i = 0; i < count; i++)
            close(got[i]);
        if (length == 0)
            return 0;
        errno = EPROTO;
        return -1;
    }
    if (count > 0)
        memcpy(fds, got, (size_t)count * sizeof(int));
    if (nfds != NULL)
        *nfds = count;
    return 1;
}
