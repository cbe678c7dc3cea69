/*
 * A burst, asked and taken apart line by line.
 */
#include "burst.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct burst_result
burst_run(const struct server *s, const char *query, const char *body)
{
    struct burst_result result = {.lines = json_array()};
    char target[512];
    struct reply r;
    char *line, *rest = NULL;

    snprintf(target, sizeof(target), "/burst%s%s", query != NULL ? "?" : "",
             query != NULL ? query : "");
    r = http_ask(s, "POST", target, NULL, body, body != NULL ? strlen(body) : 0);
    ck_assert_msg(r.status == 200, "burst: %d %s", r.status, r.body);
    for (line = strtok_r(r.body, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        json_t *object = json_loads(line, 0, NULL), *summary;

        ck_assert_msg(object != NULL, "not JSON: %s", line);
        summary = json_object_get(object, "summary");
        if (summary != NULL)
            result.summary = json_incref(summary);
        else
            json_array_append(result.lines, object);
        json_decref(object);
    }
    ck_assert_msg(result.summary != NULL, "the burst has no summary");
    reply_free(&r);
    return result;
}

double
burst_number(const struct burst_result *b, const char *name)
{
    return json_number(b->summary, name);
}

const char *
burst_why(const struct burst_result *b)
{
    const char *why = json_string_value(json_object_get(b->summary, "why"));

    ck_assert_ptr_nonnull(why);
    return why;
}

void
burst_free(struct burst_result *b)
{
    json_decref(b->lines);
    json_decref(b->summary);
}
