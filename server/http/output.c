/*
 * output: see output.h.
 *
 *   answers of one callback -> server's `out` -> one write -> socket
 *                                                  '-- what it does not take: blocks of 16 KiB,
 *                                                      chained, until the loop says "writable"
 *
 * While blocks are there, all that follows goes behind them. A connection sends max_bytes_per_turn
 * in one turn at most, less when the turn has been long already; then it is others' turn. The
 * blocks are the only memory that a slow reader holds here: OUT_HIGH and one part, or OUT_LOW when
 * all connections together hold much.
 *
 * When writing fails nobody is told from in here, since the caller may be the one to be told: the
 * connection is marked broken, and closed by the loop.
 */
#include "http/output.h"

#include "common/log.h"
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024, BLOCKS_PER_WRITE = 16, FREE_BLOCKS_MAX = 64 };

struct out_block {
    struct out_block *next;
    uint32_t start, end; /* octets data[start .. end) are to be sent */
    char data[BLOCK_SIZE - 16];
};

/* ---- blocks ---- */

static struct out_block *
block_new(struct http_server *s)
{
    struct out_block *b = s->free_blocks;

    if (b != NULL) {
        s->free_blocks = b->next;
        s->free_count--;
    } else {
        b = xmalloc(sizeof(*b));
    }
    b->next = NULL;
    b->start = b->end = 0;
    return b;
}

static void
block_free(struct http_server *s, struct out_block *b)
{
    if (s->free_count == FREE_BLOCKS_MAX) {
        free(b);
        return;
    }
    b->next = s->free_blocks;
    s->free_blocks = b;
    s->free_count++;
}

void
output_free_blocks(struct http_server *s)
{
    struct out_block *b;

    while ((b = s->free_blocks) != NULL) {
        s->free_blocks = b->next;
        free(b);
    }
}

static void
chain_add(struct http_conn *conn, const char *data, size_t len)
{
    struct http_server *s = conn->server;

    if (len == 0)
        return;
    if (conn->out_len == 0)
        conn->progress = server_now(s); /* the reader's time runs from here */
    conn->out_len += len;
    s->out_total += len;
    while (len > 0) {
        struct out_block *b = conn->out_last;
        size_t room;

        if (b == NULL || b->end == sizeof(b->data)) {
            b = block_new(s);
            if (conn->out_last != NULL)
                conn->out_last->next = b;
            else
                conn->out_first = b;
            conn->out_last = b;
        }
        room = sizeof(b->data) - b->end;
        if (room > len)
            room = len;
        memcpy(b->data + b->end, data, room);
        b->end += (uint32_t)room;
        data += room;
        len -= room;
    }
}

static void
chain_consume(struct http_conn *conn, size_t len)
{
    struct out_block *b;

    conn->out_len -= len;
    conn->server->out_total -= len;
    while ((b = conn->out_first) != NULL) {
        size_t there = b->end - b->start;

        if (len < there) {
            b->start += (uint32_t)len;
            return;
        }
        len -= there;
        conn->out_first = b->next;
        block_free(conn->server, b);
    }
    conn->out_last = NULL;
}

void
output_drop(struct http_conn *conn)
{
    chain_consume(conn, conn->out_len);
}

/* ---- the socket ---- */

/* Octets that this connection may still send in this turn. */
static size_t
share(const struct http_conn *conn)
{
    const struct http_server *s = conn->server;
    size_t most = s->max_turn_bytes, sent = conn->turn_no == s->turn_no ? conn->turn_bytes : 0;

    if (s->turn_sent > TURN_FULL && most > TURN_CRUMB)
        most = TURN_CRUMB;
    return sent < most ? most - sent : 0;
}

static void
count_sent(struct http_conn *conn, size_t n)
{
    struct http_server *s = conn->server;

    if (conn->turn_no != s->turn_no) {
        conn->turn_no = s->turn_no;
        conn->turn_bytes = 0;
    }
    conn->turn_bytes += (uint32_t)n;
    s->turn_sent += n;
    conn->progress = server_now(s);
    s->status.bytes_out += n;
}

void
output_watch_write(struct http_conn *conn)
{
    if (conn->watches_write)
        return;
    conn->watches_write = true;
    event_del(&conn->event);
    conn->event.ev_events |= EV_WRITE;
    if (event_add(&conn->event, NULL) != 0)
        fatalx("can't watch a connection");
}

/* Cuts the pieces to `max` octets in all; how many are left. */
static int
cut(struct iovec *iov, int count, size_t max)
{
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len >= max) {
            iov[i].iov_len = max;
            return i + 1;
        }
        max -= iov[i].iov_len;
    }
    return count;
}

/* One write of these pieces, or what of them the turn allows; octets taken. */
static size_t
write_once(struct http_conn *conn, struct iovec *iov, int count)
{
    ssize_t n;

    if (!conn->writable || conn->broken)
        return 0;
    count = cut(iov, count, share(conn));
    if (count == 0 || iov[0].iov_len == 0)
        return 0;
    n = conn->io->write(conn, iov, count);
    if (n >= 0) {
        count_sent(conn, (size_t)n);
        return (size_t)n;
    }
    if (errno == EAGAIN) {
        conn->writable = false;
        output_watch_write(conn);
    } else if (errno != EINTR) {
        conn->broken = true;
    }
    return 0;
}

/* After all tries: who goes on with what is left over? */
static void
after_writing(struct http_conn *conn)
{
    if (conn->broken) {
        output_drop(conn);
        http_conn_run_later(conn);
    } else if (conn->out_len > 0 && conn->writable) {
        http_conn_run_later(conn);
    }
}

void
output_send(struct http_conn *conn)
{
    size_t taken;

    while (conn->out_len > 0) {
        struct iovec iov[BLOCKS_PER_WRITE];
        int n = 0;

        for (struct out_block *b = conn->out_first; b != NULL && n < BLOCKS_PER_WRITE; b = b->next)
            iov[n++] = (struct iovec){b->data + b->start, b->end - b->start};
        taken = write_once(conn, iov, n);
        if (taken == 0)
            break;
        chain_consume(conn, taken);
    }
    after_writing(conn);
}

/* Sends these pieces, which nothing stands before; what is not taken is kept. */
static void
send_pieces(struct http_conn *conn, const struct iovec *pieces, int count)
{
    int i = 0;
    size_t done = 0; /* of piece i */

    while (i < count) {
        struct iovec iov[3];
        size_t taken;

        for (int k = i; k < count; k++)
            iov[k - i] = pieces[k];
        iov[0] = (struct iovec){(char *)pieces[i].iov_base + done, pieces[i].iov_len - done};
        taken = write_once(conn, iov, count - i);
        if (taken == 0)
            break;
        for (done += taken; i < count && done >= pieces[i].iov_len; i++)
            done -= pieces[i].iov_len;
    }
    for (; i < count && !conn->broken; i++, done = 0)
        chain_add(conn, (const char *)pieces[i].iov_base + done, pieces[i].iov_len - done);
    after_writing(conn);
}

/* ---- gathering ---- */

void
output_gathered(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    struct iovec piece = {s->out.data, s->out.len};
    size_t taken;

    if (s->out.len == 0)
        return;
    taken = write_once(conn, &piece, 1);
    if (taken < s->out.len) {
        piece = (struct iovec){s->out.data + taken, s->out.len - taken};
        send_pieces(conn, &piece, 1);
    }
    s->out.len = 0;
}

static void
chain_all(struct http_conn *conn, size_t base, const struct output_more *more)
{
    const struct http_server *s = conn->server;

    chain_add(conn, s->out.data + base, s->out.len - base);
    if (more != NULL) {
        chain_add(conn, more->data, more->len);
        chain_add(conn, more->tail, more->tail_len);
    }
}

static void
send_all(struct http_conn *conn, size_t base, const struct output_more *more)
{
    const struct http_server *s = conn->server;
    struct iovec pieces[3] = {{s->out.data + base, s->out.len - base}};
    int n = pieces[0].iov_len > 0 ? 1 : 0;

    if (more != NULL && more->len > 0)
        pieces[n++] = (struct iovec){(void *)more->data, more->len};
    if (more != NULL && more->tail_len > 0)
        pieces[n++] = (struct iovec){(void *)more->tail, more->tail_len};
    send_pieces(conn, pieces, n);
}

void
output_commit(struct http_conn *conn, size_t base, const struct output_more *more, bool now)
{
    struct http_server *s = conn->server;
    bool gathers = s->running == conn;

    if (conn->broken) {
        s->out.len = base;
        return;
    }
    if (conn->out_len > 0) {
        chain_all(conn, base, more);
    } else if (gathers && more == NULL) {
        if (s->out.len > GATHER_MAX)
            output_gathered(conn);
        return;
    } else if (gathers || now || more != NULL) {
        if (gathers) /* what stands before it is its own */
            base = 0;
        send_all(conn, base, more);
    } else {
        chain_all(conn, base, more);
        http_conn_flush_later(conn);
    }
    s->out.len = base;
}

void
output_continue(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    size_t base = s->out.len;

    conn->continue_due = false;
    buf_add_text(&s->out, "HTTP/1.1 100 Continue\r\n\r\n");
    output_commit(conn, base, NULL, true);
}

bool
output_has_room(const struct http_conn *conn)
{
    const struct http_server *s = conn->server;
    size_t high = s->out_total > OUT_TOTAL_HIGH ? OUT_LOW : OUT_HIGH;
    size_t gathered = s->running == conn ? s->out.len : 0;

    return !conn->broken && conn->out_len + gathered < high && share(conn) > gathered;
}
