/*
 * How octets pass between a connection and its socket: one table of operations, so that the same
 * connection code runs over a plain socket (io.c) and over TLS (tls.c).
 */
#ifndef HTTP_IO_H
#define HTTP_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct http_conn;

struct http_io {
    size_t size;               /* octets of a connection: struct http_conn, and what follows it */
    unsigned char first_state; /* enum conn_state */
    /* Octets read; 0: the other side sends no more; -1 with errno: EAGAIN; EINTR: to be tried again
     * in the next turn, whether or not the loop says so; or the connection is lost. */
    ssize_t (*read)(struct http_conn *, void *to, size_t size);
    /* Octets taken, perhaps not all; -1 with errno as above. What was refused is offered again
     * first, some time in one piece. Never raises SIGPIPE. */
    ssize_t (*write)(struct http_conn *, const struct iovec *, int count);
    /* Says that nothing more will be sent; what comes in can still be read. */
    void (*shut)(struct http_conn *);
    /* Closes the descriptor, and frees what is not the connection's own. */
    void (*close)(struct http_conn *);
    /* A read that gave less than asked has taken all there is: no need to ask again until the loop
     * says so. Not true where a layer between keeps octets back. */
    bool short_read_is_all;
};

extern const struct http_io http_io_plain;

#endif
