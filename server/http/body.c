/*
 * body: see body.h. A body is never gathered here: pieces point into what was read. Who does not
 * ask for the next piece makes the client wait, since then nothing is read.
 *
 * Slowness is measured only while the callee waits: it has body_timeout, and each 64 KiB that come
 * give a second more.
 */
#include "http/body.h"

#include "http/input.h"
#include "http/output.h"
#include "http/server.h"

#include <assert.h>

void
body_open(struct http_conn *conn, const struct http_head *head)
{
    conn->body = BODY_NONE;
    conn->body_end = true;
    conn->body_waiting = false;
    conn->body_failed = FAIL_NONE;
    conn->continue_due = false;
    conn->body_got = conn->body_left = 0;
    if (head->failure != FAIL_NONE || (!head->chunked && head->content_length <= 0))
        return;
    conn->body = head->chunked ? BODY_CHUNKED : BODY_LENGTH;
    conn->body_end = false;
    conn->body_left = head->chunked ? 0 : (uint64_t)head->content_length;
    conn->body_budget = (int64_t)conn->server->body_ns;
    conn->continue_due = head->expect_continue;
    chunk_init(&conn->chunk);
}

/* ---- waiting ---- */

static void
start_waiting(struct http_conn *conn)
{
    conn->since = server_now(conn->server);
}

/* Octets have come. */
static void
count_wait(struct http_conn *conn, size_t octets)
{
    uint64_t now = server_now(conn->server);

    conn->body_budget -= (int64_t)(now - conn->since);
    conn->body_budget += (int64_t)(octets * (NS_PER_S / BODY_RATE));
    conn->since = now;
}

bool
body_news(struct http_conn *conn)
{
    const char *p;
    size_t there;

    if (!conn->body_waiting)
        return false;
    there = input_there(conn, &p);
    if (there == 0)
        return false;
    conn->body_waiting = false;
    count_wait(conn, there);
    return true;
}

void
body_fail(struct http_conn *conn, enum failure failure)
{
    assert(conn->body_waiting);
    conn->body_waiting = false;
    conn->body_failed = (uint8_t)failure;
    conn->linger = true;
    conn->server->hooks->body(conn->request);
}

static enum http_body_state
failed(struct http_conn *conn, enum failure failure, enum failure *why)
{
    conn->body_failed = (uint8_t)failure;
    conn->linger = true;
    *why = failure;
    return HTTP_BODY_FAILED;
}

/* Nothing is there: the client is told to send, if it asked, and the callee that it must wait. */
static enum http_body_state
wait_for_more(struct http_conn *conn)
{
    if (conn->continue_due)
        output_continue(conn);
    if (!conn->body_waiting) {
        conn->body_waiting = true;
        start_waiting(conn);
        if (conn->server->running != conn) {
            if (conn->readable)
                http_conn_run_later(conn);
            timer_watch(conn);
        }
    }
    return HTTP_BODY_MORE;
}

/* ---- pieces ---- */

static enum http_body_state
piece_of_length(struct http_conn *conn, uint64_t limit, const void **data, size_t *len,
                enum failure *why)
{
    const char *p;
    size_t there = input_there(conn, &p);

    if (conn->body_got + conn->body_left > limit)
        return failed(conn, FAIL_BODY_TOO_LARGE, why);
    if (there == 0)
        return wait_for_more(conn);
    conn->continue_due = false;
    if (there > conn->body_left)
        there = (size_t)conn->body_left;
    input_use(conn, there);
    conn->body_left -= there;
    conn->body_got += there;
    conn->body_end = conn->body_left == 0;
    *data = p;
    *len = there;
    return HTTP_BODY_PIECE;
}

static enum http_body_state
piece_of_chunks(struct http_conn *conn, uint64_t limit, const void **data, size_t *len,
                enum failure *why)
{
    const char *p, *piece = NULL, *rule;
    size_t there = input_there(conn, &p), used = 0;
    enum chunk_result result;

    if (there == 0)
        return wait_for_more(conn);
    conn->continue_due = false;
    result = chunk_decode(&conn->chunk, p, there, &used, &piece, len, &rule);
    input_use(conn, used);
    if (result == CHUNK_DATA)
        conn->body_got += *len;
    /* a size line that promises too much is enough: nobody waits for the data */
    if (conn->body_got + chunk_owed(&conn->chunk) > limit)
        return failed(conn, FAIL_BODY_TOO_LARGE, why);
    switch (result) {
    case CHUNK_DATA:
        *data = piece;
        return HTTP_BODY_PIECE;
    case CHUNK_MORE:
        return wait_for_more(conn);
    case CHUNK_END:
        conn->body_end = true;
        return HTTP_BODY_END;
    case CHUNK_BAD:
        break;
    }
    conn->server->status.malformed++;
    return failed(conn, FAIL_BAD_REQUEST, why);
}

enum http_body_state
http_body(struct http_conn *conn, uint64_t limit, const void **data, size_t *len, enum failure *why)
{
    *data = NULL;
    *len = 0;
    if (conn->state != CONN_REQUEST)
        return failed(conn, FAIL_CLIENT_GONE, why);
    if (conn->broken) /* hooks->gone is on its way */
        return HTTP_BODY_MORE;
    if (conn->body_failed != FAIL_NONE)
        return failed(conn, (enum failure)conn->body_failed, why);
    if (conn->body_end)
        return HTTP_BODY_END;
    if (conn->body == BODY_LENGTH)
        return piece_of_length(conn, limit, data, len, why);
    return piece_of_chunks(conn, limit, data, len, why);
}

/* ---- bodies that nobody reads ---- */

bool
body_is_unread(const struct http_conn *conn)
{
    return !conn->body_end;
}

bool
body_can_skip(const struct http_conn *conn)
{
    /* who was not told to send may send or not: what comes next can't be known */
    if (conn->body_failed != FAIL_NONE || conn->continue_due)
        return false;
    return conn->body_end || (conn->body == BODY_LENGTH && conn->body_left <= SKIP_MAX);
}

void
body_skip_open(struct http_conn *conn)
{
    start_waiting(conn);
}

bool
body_skip(struct http_conn *conn)
{
    const char *p;
    size_t there = input_there(conn, &p);

    if (there == 0)
        return false;
    if (there > conn->body_left)
        there = (size_t)conn->body_left;
    input_use(conn, there);
    conn->body_left -= there;
    if (conn->body_left > 0) {
        count_wait(conn, there);
        return false;
    }
    conn->body_end = true;
    http_conn_move(conn, CONN_IDLE);
    return true;
}
