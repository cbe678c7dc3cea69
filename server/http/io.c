/*
 * io: see io.h. The plain socket: nothing between the connection and the kernel. It does not block,
 * so it is never interrupted either.
 */
#include "http/io.h"

#include "http/conn.h"

#include <sys/socket.h>
#include <unistd.h>

static ssize_t
plain_read(struct http_conn *conn, void *to, size_t size)
{
    return recv(conn_fd(conn), to, size, 0);
}

static ssize_t
plain_write(struct http_conn *conn, const struct iovec *iov, int count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    if (count == 1)
        return send(conn_fd(conn), iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
    return sendmsg(conn_fd(conn), &m, MSG_NOSIGNAL);
}

static void
plain_shut(struct http_conn *conn)
{
    shutdown(conn_fd(conn), SHUT_WR);
}

static void
plain_close(struct http_conn *conn)
{
    close(conn_fd(conn));
}

const struct http_io http_io_plain = {
    .size = sizeof(struct http_conn),
    .first_state = CONN_IDLE,
    .read = plain_read,
    .write = plain_write,
    .shut = plain_shut,
    .close = plain_close,
    .short_read_is_all = true,
};
