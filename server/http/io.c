/*
 * io: see io.h. The plain socket: nothing between the connection and the
 * kernel.
 */
#include "http/io.h"

#include "http/conn.h"

#include <errno.h>
#include <sys/socket.h>

static ssize_t
plain_read(struct http_conn *conn, void *to, size_t size)
{
    ssize_t n;

    do
        n = recv(conn_fd(conn), to, size, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t
plain_write(struct http_conn *conn, const struct iovec *iov, int count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    ssize_t n;

    do {
        if (count == 1)
            n = send(conn_fd(conn), iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
        else
            n = sendmsg(conn_fd(conn), &m, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n;
}

static void
plain_shut(struct http_conn *conn)
{
    shutdown(conn_fd(conn), SHUT_WR);
}

const struct http_io http_io_plain = {
    .read = plain_read,
    .write = plain_write,
    .shut = plain_shut,
    .short_read_is_all = true,
};
