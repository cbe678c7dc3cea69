/*
 * fail: the one table from reasons to answers, and the writing of such an answer: problem+json
 * (RFC 9457), or the same as a small page for a browser. Runs in the front end.
 */
#include "request/fail.h"

#include "common/buf.h"
#include "request/guard.h"
#include "request/reply.h"
#include "request/runner.h"

#include <string.h>

static const struct fail_row fail_rows[FAIL_COUNT] = {
    [FAIL_BAD_REQUEST] = {400, 0, "bad-request", "Malformed request",
                          "The octets sent are not a request as RFC 9112 defines it.", NULL},
    [FAIL_HEAD_TIMEOUT] = {408, 0, "head-timeout", "Request head came too slowly",
                           "The head was not whole within head_timeout.",
                           "Send the whole head at once."},
    [FAIL_BODY_TIMEOUT] = {408, 0, "body-timeout", "Request body came too slowly",
                           "The body was not whole in time.",
                           "Send the body faster than 64 KiB/s, or within body_timeout."},
    [FAIL_BODY_TOO_LARGE] =
        {413, 0, "body-too-large", "Request body too large",
         "The limit of this address is in the detail.",
         "Send less, or raise max_body where the address has no limit of its own."},
    [FAIL_TARGET_TOO_LONG] = {414, 0, "target-too-long", "Request target too long",
                              "Addresses are limited by max_target.",
                              "Send a shorter address, or raise max_target."},
    [FAIL_HEAD_TOO_LARGE] = {431, 0, "head-too-large", "Request head too large",
                             "Heads are limited by max_head octets and max_fields fields.",
                             "Send fewer or shorter fields, or raise max_head and max_fields."},
    [FAIL_EXPECTATION] = {417, 0, "expectation-failed", "Unknown expectation",
                          "The field Expect asks for something that is not known here.",
                          "The only expectation that is understood is 100-continue."},
    [FAIL_UNKNOWN_CODING] = {501, 0, "unknown-coding", "Unknown transfer coding",
                             "The field Transfer-Encoding names a coding that is not known here.",
                             "The only transfer coding that is understood is chunked."},
    [FAIL_UNKNOWN_METHOD] = {501, 0, "unknown-method", "Unknown method",
                             "The first word of the request is no method that is known here.",
                             "GET, HEAD, POST and OPTIONS are understood."},
    [FAIL_VERSION] = {505, 0, "version", "HTTP version not supported",
                      "The request names another version of HTTP.",
                      "This server speaks HTTP/1.1 and HTTP/1.0."},
    [FAIL_CLIENT_GONE] = {499, 0, "client-gone", "Client gone",
                          "The client left before the answer; its work was cancelled.",
                          "Wait for the answer."},
    [FAIL_NOT_FOUND] = {404, 0, "not-found", "No such address", "GET /help lists all addresses.",
                        NULL},
    [FAIL_METHOD] = {405, 0, "method-not-allowed", "Method not allowed",
                     "The field Allow names the methods of this address.", NULL},
    [FAIL_PRECONDITION] = {412, 0, "precondition-failed", "Precondition failed",
                           "Answers here have no entity tags.",
                           "Leave If-Match and If-None-Match out."},
    [FAIL_PARAMETER] = {400, 0, "out-of-range", "Parameter out of range",
                        "invalid_params names each parameter with its range and default.", NULL},
    [FAIL_BODY] = {400, 0, "bad-body", "Request body not understood",
                   "The body is not what this address takes.", "GET /help shows what it takes."},
    [FAIL_FORBIDDEN_ORIGIN] = {403, 0, "foreign-origin", "Request from another web page",
                               "A page of another site may not make this server work.",
                               "Use curl, or this server's own page."},
    [FAIL_MISDIRECTED] = {421, 0, "misdirected", "Not a name of this server",
                          "The field Host names another server.",
                          "Use an IP address, localhost, or a name listed in server_names."},
    [FAIL_BUSY] = {503, 1, "busy", "Too many requests are waiting",
                   "max_in_progress requests are in progress and max_queue wait.",
                   "Try again in a moment, or raise max_in_progress or max_queue."},
    [FAIL_MEMORY] = {503, 1, "memory", "Too much memory in flight",
                     "Bodies and jobs together are limited by max_memory.",
                     "Try again in a moment, or raise max_memory."},
    [FAIL_DRAINING] = {503, 1, "draining", "The server is stopping",
                       "It finishes the requests that it has and takes no others.",
                       "Try again in a moment."},
    [FAIL_DB_DOWN] = {503, 1, "database-down", "PostgreSQL can't be reached",
                      "The server goes on trying.",
                      "Look at the server's log and at db_url; what needs no database is still "
                      "answered."},
    [FAIL_DB_FULL] = {503, 1, "database-busy", "Too many queries are waiting",
                      "The queue of this class of queries is bounded in number and time.",
                      "Try again in a moment, or raise the queue of this class (db_..._queue)."},
    [FAIL_DB_LATE] = {504, 0, "database-late", "PostgreSQL did not answer in time",
                      "The stage that was late: the query.",
                      "Look at what PostgreSQL waits for (pg_stat_activity), or raise db_answer."},
    [FAIL_DB_QUERY] = {500, 0, "query-failed", "PostgreSQL refused the statement",
                       "The detail is PostgreSQL's own message.",
                       "If a table is missing: the next make run makes it again, from sql/schema."},
    [FAIL_DB_LOST] = {503, 1, "database-lost", "Connection to PostgreSQL lost",
                      "The query was tried twice.", "Try again in a moment."},
    [FAIL_DB_OUTCOME_UNKNOWN] = {503, 1, "outcome-unknown", "Outcome of the write is unknown",
                                 "The connection was lost after the write was sent.",
                                 "Look whether it was done before you ask again: it is never sent "
                                 "again by itself."},
    [FAIL_NO_WORKERS] =
        {503, 1, "no-workers", "No workers",
         "This server runs without workers, or they are being restarted.",
         "Ask with run=loop, which computes on the loop, or start it with workers."},
    [FAIL_JOBS_FULL] = {503, 1, "jobs-busy", "Too many jobs",
                        "As many computations as are possible are in progress.",
                        "Try again in a moment."},
    [FAIL_JOB_LATE] = {504, 0, "job-late", "The computation took too long",
                       "The stage that was late: the computation.",
                       "Ask for less, or raise job_timeout."},
    [FAIL_JOB_DIED] = {502, 0, "job-died", "The workers died of this job",
                       "Two workers died while they computed the same task. Other requests did "
                       "not notice.",
                       "The server's log says of which signal."},
    [FAIL_JOB_REFUSED] = {502, 60, "job-refused", "This job killed workers a moment ago",
                          "The same job is refused for a minute.",
                          "Ask for something else, or again in a minute."},
    [FAIL_JOB_INPUT] = {400, 0, "bad-input", "The computation can't use this input",
                        "The detail says why.", NULL},
};

const struct fail_row *
fail_row(enum failure failure)
{
    return &fail_rows[failure];
}

const struct fail_row *
fail_row_named(const char *name, size_t len)
{
    for (unsigned i = FAIL_NONE + 1; i < FAIL_COUNT; i++)
        if (strlen(fail_rows[i].name) == len && memcmp(fail_rows[i].name, name, len) == 0)
            return &fail_rows[i];
    return NULL;
}

void
fail_add_detail(const struct req *r, struct buf *b)
{
    const struct fail_row *row = &fail_rows[r->failed];
    const char *what = r->why[0] != '\0' ? r->why : row->sentence;
    const size_t len = strlen(what);

    buf_add(b, what, len);
    if (row->cure != NULL)
        buf_addf(b, "%s%s", what[len - 1] == '.' ? " " : ". ", row->cure);
}

static void
problem_json(const struct req *r, const struct fail_row *row, const struct buf *detail,
             struct buf *b)
{
    buf_addf(b, "{\"type\":\"/problems/%s\",\"title\":", row->name);
    buf_add_json_string(b, row->title, strlen(row->title));
    buf_addf(b, ",\"status\":%d,\"detail\":", row->status);
    buf_add_json_string(b, detail->data, detail->len);
    if (r->fail_members != NULL)
        buf_add_text(b, r->fail_members);
    buf_add_text(b, "}\n");
}

static void
problem_page(const struct fail_row *row, const struct buf *detail, struct buf *b)
{
    buf_addf(b,
             "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width\"><title>%d %s</title>\n"
             "<h1>%d %s</h1>\n<p>",
             row->status, row->title, row->status, row->title);
    buf_add_html(b, detail->data, detail->len);
    buf_addf(b,
             "</p>\n<p>%s</p>\n<p><a href=\"/help\">All addresses</a> · "
             "<a href=\"/problems/%s\">about this problem</a></p>\n</html>\n",
             row->sentence, row->name);
}

void
fail_answer(struct req *r)
{
    const struct fail_row *row = &fail_rows[r->failed];
    struct buf *b = &r->runner->problem, detail = {0};
    struct http_answer answer = {.status = row->status};

    b->len = 0;
    fail_add_detail(r, &detail);
    if (req_accepts_html(r)) {
        problem_page(row, &detail, b);
        answer.content_type = "text/html; charset=utf-8";
    } else {
        problem_json(r, row, &detail, b);
        answer.content_type = "application/problem+json";
    }
    buf_fini(&detail);
    reply_send(r, &answer, row->retry_after, b->data, b->len);
}
