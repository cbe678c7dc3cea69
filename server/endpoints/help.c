/*
 * /help: everything there is to try, as text with curl lines, printed from the table of routes. /
 * is the same for curl, and the live page for a browser. /problems/NAME: one row of the fail table.
 */
#include "endpoints/endpoints.h"
#include "endpoints/web.h"

#include "request/fail.h"
#include "request/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the sentences of parameters begin, behind all ranges but the very long ones. */
enum { RANGE_COLUMNS = 29 };

static void
add_address(struct buf *b, const struct req *r, const struct route *row)
{
    struct slice_text host = r->head->host;

    if (row->methods == METHOD_POST)
        buf_add_text(b, "  curl -N ");
    else
        buf_add_text(b, "  curl ");
    if (row->body != NULL)
        buf_addf(b, "-d '%s' ", row->body);
    else if (row->methods == METHOD_POST)
        buf_add_text(b, "-X POST ");
    buf_add_char(b, '\'');
    if (host.len > 0 && host.len < 256)
        buf_add(b, host.p, host.len);
    else
        buf_add_text(b, "localhost:8080");
    buf_add_text(b, row->path);
    if (row->example != NULL)
        buf_addf(b, "%s%s", (row->flags & ROUTE_PREFIX) != 0 ? "" : "?", row->example);
    buf_add_char(b, '\'');
    if (row->kernel != NULL && strncmp(row->kernel->content_type, "image/", 6) == 0)
        buf_addf(b, " -o %s.png", row->kernel->name);
    buf_add_char(b, '\n');
}

/* "1..64 (auto)": the range, and the default in brackets. */
static void
add_range(struct buf *b, const struct param *p)
{
    switch (p->kind) {
    case PARAM_INT:
        buf_addf(b, "%" PRId64 "..%" PRId64, p->min, p->max);
        break;
    case PARAM_CHOICE:
        for (unsigned i = 0; p->choices[i] != NULL; i++)
            buf_addf(b, "%s%s", i > 0 ? " | " : "", p->choices[i]);
        break;
    case PARAM_TEXT:
        buf_add_text(b, "text");
        break;
    }
    if (p->def_text != NULL)
        buf_addf(b, " (%s)", p->def_text);
    else if (p->kind == PARAM_INT)
        buf_addf(b, " (%" PRId64 ")", p->def);
}

static void
add_params(struct buf *b, const struct param *p)
{
    for (; p != NULL && p->name != NULL; p++) {
        size_t column;

        buf_addf(b, "      %-9s ", p->name);
        column = b->len + RANGE_COLUMNS;
        add_range(b, p);
        while (b->len < column)
            buf_add_char(b, ' ');
        buf_addf(b, "  %s%s%s%s\n", p->help, p->unit != NULL ? " [" : "",
                 p->unit != NULL ? p->unit : "", p->unit != NULL ? "]" : "");
    }
}

static void
add_help(struct buf *b, const struct req *r)
{
    const struct runner *rn = r->runner;

    buf_addf(
        b,
        "interleave: an HTTP server that shows its work.\n"
        "One thread interleaves the requests (concurrency); %u worker%s compute%s (parallelism).\n"
        "Every reply says what ran: queue, database, CPU and loop time, and what went on "
        "meanwhile.\n"
        "Each address has a line to try and its parameters: range (default), what it is "
        "[unit].\n\n",
        jobs_workers(rn->jobs), jobs_workers(rn->jobs) == 1 ? "" : "s",
        jobs_workers(rn->jobs) == 1 ? "s" : "");
    for (unsigned i = 0; i < rn->routes.count; i++) {
        const struct route *row = &rn->routes.rows[i];

        if ((row->flags & ROUTE_UNLISTED) != 0 || ((row->flags & ROUTE_ADMIN) != 0 && !rn->demo))
            continue;
        buf_addf(b, "%s%s\n", (row->methods & METHOD_GET) == 0 ? "POST " : "", row->path);
        buf_addf(b, "  %s\n", row->help);
        add_address(b, r, row);
        add_params(b, row->params);
        buf_add_char(b, '\n');
    }
}

struct next
help_answer(struct req *r)
{
    struct buf *b = req_scratch(r);

    add_help(b, r);
    return reply_text(r, 200, "text/plain; charset=utf-8", b->data, b->len);
}

struct next
root_answer(struct req *r)
{
    if (req_accepts_html(r) && web_has(r, "index.html"))
        return web_answer(r, "index.html", "Accept, ");
    r->fields = "Cache-Control: no-store\r\nVary: Accept\r\n";
    return web_untagged(r, help_answer);
}

/* A line for each problem. */
static struct next
problems_list(struct req *r)
{
    struct buf *b = req_scratch(r);

    for (unsigned i = FAIL_NONE + 1; i < FAIL_COUNT; i++) {
        const struct fail_row *row = fail_row((enum failure)i);

        buf_addf(b, "%d  /problems/%-20s %s\n", row->status, row->name, row->title);
    }
    return reply_text(r, 200, "text/plain; charset=utf-8", b->data, b->len);
}

struct next
problems_answer(struct req *r)
{
    const struct fail_row *row = fail_row_named(r->rest.p, r->rest.len);
    struct buf *b = req_scratch(r);

    if (r->rest.len == 0)
        return problems_list(r);
    if (row == NULL)
        return reply_fail(r, FAIL_NOT_FOUND,
                          "there is no problem of this name; GET /problems/ lists all of them");
    buf_addf(b, "%s (status %d)\n\n%s\n", row->title, row->status, row->sentence);
    if (row->cure != NULL)
        buf_addf(b, "%s\n", row->cure);
    return reply_text(r, 200, "text/plain; charset=utf-8", b->data, b->len);
}
