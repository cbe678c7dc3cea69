/*
 * /openapi.json: OpenAPI 3.1, printed from the table of routes, so that it can't drift.
 */
#include "endpoints/endpoints.h"

#include "common/version.h"
#include "request/runner.h"

#include <inttypes.h>
#include <string.h>

static void
add_text(struct buf *b, const char *text)
{
    buf_add_json_string(b, text, strlen(text));
}

static void
add_schema(struct buf *b, const struct param *p)
{
    switch (p->kind) {
    case PARAM_INT:
        if (p->def_text != NULL)
            buf_addf(b,
                     "{\"default\":\"%s\",\"oneOf\":[{\"type\":\"integer\",\"minimum\":%" PRId64
                     ",\"maximum\":%" PRId64 "},{\"const\":\"%s\"}]}",
                     p->def_text, p->min, p->max, p->def_text);
        else
            buf_addf(b,
                     "{\"type\":\"integer\",\"minimum\":%" PRId64 ",\"maximum\":%" PRId64
                     ",\"default\":%" PRId64 "}",
                     p->min, p->max, p->def);
        break;
    case PARAM_CHOICE:
        buf_add_text(b, "{\"type\":\"string\",\"enum\":[");
        for (unsigned i = 0; p->choices[i] != NULL; i++) {
            if (i > 0)
                buf_add_char(b, ',');
            add_text(b, p->choices[i]);
        }
        buf_add_text(b, "]}");
        break;
    case PARAM_TEXT:
        buf_addf(b, "{\"type\":\"string\",\"maxLength\":%" PRId64 "}", p->max);
        break;
    }
}

static void
add_parameters(struct buf *b, const struct route *row)
{
    bool first = true;

    buf_add_text(b, ",\"parameters\":[");
    if ((row->flags & ROUTE_PREFIX) != 0) {
        buf_add_text(b, "{\"name\":\"name\",\"in\":\"path\",\"required\":true,"
                        "\"schema\":{\"type\":\"string\"}}");
        first = false;
    }
    for (const struct param *p = row->params; p != NULL && p->name != NULL; p++) {
        buf_addf(b, "%s{\"name\":\"%s\",\"in\":\"query\",\"description\":", first ? "" : ",",
                 p->name);
        add_text(b, p->help);
        buf_add_text(b, ",\"schema\":");
        add_schema(b, p);
        buf_add_char(b, '}');
        first = false;
    }
    buf_add_char(b, ']');
}

/* The example body: JSON as it is, anything else as text. */
static void
add_body(struct buf *b, const char *body)
{
    bool json = body[0] == '[' || body[0] == '{';

    buf_addf(b, ",\"requestBody\":{\"content\":{\"%s\":{\"example\":",
             json ? "application/json" : "text/plain");
    if (json)
        buf_add_text(b, body);
    else
        add_text(b, body);
    buf_add_text(b, "}}}");
}

static void
add_operation(struct buf *b, const struct route *row, const char *method)
{
    buf_addf(b, "\"%s\":{\"summary\":", method);
    add_text(b, row->help);
    add_parameters(b, row);
    if (strcmp(method, "post") == 0 && row->body != NULL)
        add_body(b, row->body);
    buf_add_text(b, ",\"responses\":{\"200\":{\"description\":\"the answer\"},"
                    "\"default\":{\"description\":\"a problem\",\"content\":{"
                    "\"application/problem+json\":{}}}}}");
}

struct next
openapi_answer(struct req *r)
{
    const struct runner *rn = r->runner;
    struct buf *b = req_scratch(r);

    buf_addf(b,
             "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"interleave\",\"version\":\"%s\"},"
             "\"paths\":{",
             INTERLEAVE_VERSION);
    for (unsigned i = 0; i < rn->routes.count; i++) {
        const struct route *row = &rn->routes.rows[i];
        bool get = (row->methods & METHOD_GET) != 0;

        if ((row->flags & ROUTE_UNLISTED) != 0)
            continue;
        buf_addf(b, "%s\"%s%s\":{", i > 0 ? "," : "", row->path,
                 (row->flags & ROUTE_PREFIX) != 0 ? "{name}" : "");
        if (get)
            add_operation(b, row, "get");
        if ((row->methods & METHOD_POST) != 0) {
            if (get)
                buf_add_char(b, ',');
            add_operation(b, row, "post");
        }
        buf_add_char(b, '}');
    }
    buf_add_text(b, "}}\n");
    return reply_json(r, 200, b);
}
