/*
 * What a burst is asked to do: JSON in the body, or path and count as parameters. Every address is
 * checked before the first request begins, so that a mistake is a 400 and not 500 lines of them.
 */
#include "endpoints/burst.h"
#include "endpoints/endpoints.h"
#include "request/runner.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { BURST_PATH, BURST_COUNT, BURST_AT_ONCE, BURST_RUN, BURST_GAP };
const struct param burst_params[] = {
    [BURST_PATH] = {.name = "path",
                    .kind = PARAM_TEXT,
                    .max = 1024,
                    .help = "the address to ask, with its query string encoded; or a JSON body"},
    [BURST_COUNT] = {.name = "count",
                     .kind = PARAM_INT,
                     .min = 1,
                     .max = BURST_MAX,
                     .def = 6,
                     .help = "how many such requests"},
    [BURST_AT_ONCE] = {.name = "at_once",
                       .kind = PARAM_INT,
                       .min = 1,
                       .max = BURST_MAX,
                       .def = PARAM_AUTO,
                       .def_text = "count",
                       .help = "how many may be in progress at the same time"},
    [BURST_RUN] = {.name = "run",
                   .kind = PARAM_CHOICE,
                   .def = PARAM_NO_DEFAULT,
                   .def_text = "as each address says",
                   .choices = executor_names,
                   .help = "where the CPU work of all of them runs"},
    [BURST_GAP] = {.name = "gap_ms",
                   .kind = PARAM_INT,
                   .min = 0,
                   .max = 1000,
                   .def = 0,
                   .unit = "ms",
                   .help = "time between two starts"},
    {.name = NULL},
};

/* As long as the parameter path may be: each line of the answer repeats it. */
enum { PATH_MAX_OCTETS = 1024 };

static int refuse(struct burst *s, enum failure failure, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int
refuse(struct burst *s, enum failure failure, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(s->refused, sizeof(s->refused), fmt, args);
    va_end(args);
    s->refusal = failure;
    return -1;
}

static bool
names_run(const char *query)
{
    return query != NULL && (strncmp(query, "run=", 4) == 0 || strstr(query, "&run=") != NULL);
}

/* The head that a client would have sent for this address. */
static struct http_head *
make_head(struct burst *s, const char *target)
{
    struct arena *arena = &s->r->arena;
    struct http_head *head = arena_zalloc(arena, sizeof(*head));
    size_t len = strlen(target);
    const char *mark;

    head->method = HTTP_GET;
    head->minor = 1;
    head->keep_alive = true;
    head->content_length = -1;
    head->target = (struct slice_text){target, len};
    head->path = (struct slice_text){target, strcspn(target, "?")};
    mark = target + head->path.len;
    head->query = (struct slice_text){*mark == '?' ? mark + 1 : mark,
                                      *mark == '?' ? len - head->path.len - 1 : 0};
    head->host = s->r->head->host;
    return head;
}

static int
refuse_unknown(struct burst *s, const char *path)
{
    const char *like = route_like(&s->r->runner->routes, path, strcspn(path, "?"));

    if (like == NULL)
        return refuse(s, FAIL_BODY, "there is no %.80s here; GET /help lists what there is", path);
    return refuse(s, FAIL_BODY, "there is no %.80s here; did you mean %s?", path, like);
}

static int
add_kind(struct burst *s, const char *path, int64_t count)
{
    struct runner *rn = s->r->runner;
    struct slice_text rest;
    const struct route *route;
    struct burst_kind *kind;
    const char *query = strchr(path, '?'), *target = path;

    if (s->nkinds == BURST_KINDS_MAX)
        return refuse(s, FAIL_BODY, "a burst has at most %d different addresses", BURST_KINDS_MAX);
    if (count < 1 || s->count + (uint64_t)count > BURST_MAX)
        return refuse(s, FAIL_PARAMETER, "a burst has 1 to %d requests in all", BURST_MAX);
    if (strlen(path) > PATH_MAX_OCTETS)
        return refuse(s, FAIL_BODY, "an address in a burst has at most %d octets", PATH_MAX_OCTETS);
    for (const char *p = path; *p != '\0'; p++)
        if (*p <= ' ' || *p == 0x7f || *p == '#' || (unsigned char)*p >= 0x80)
            return refuse(s, FAIL_BODY, "%.60s is not an address: encode its octets as %%XX", path);
    route = route_find(&rn->routes, path, strcspn(path, "?"), &rest);
    if (route == NULL)
        return refuse_unknown(s, path);
    if ((route->methods & 1u << HTTP_GET) == 0 || (route->flags & ROUTE_STREAM) != 0)
        return refuse(s, FAIL_BODY, "%s can't be part of a burst", route->path);
    if (s->run != NULL && (route->flags & ROUTE_RUN) != 0 &&
        !names_run(query != NULL ? query + 1 : NULL)) {
        size_t size = strlen(path) + strlen(s->run) + 8;
        char *with_run = arena_alloc(&s->r->arena, size);

        snprintf(with_run, size, "%s%crun=%s", path, query != NULL ? '&' : '?', s->run);
        target = with_run;
    }
    kind = &s->kinds[s->nkinds++];
    kind->path = arena_copy(&s->r->arena, path, strlen(path));
    kind->count = (unsigned)count;
    kind->head = make_head(s, target == path ? kind->path : target);
    s->count += (unsigned)count;
    return 0;
}

static int
plan_entry(struct burst *s, size_t i, json_t *entry)
{
    json_t *path = json_object_get(entry, "path"), *count = json_object_get(entry, "count");
    const char *key;
    json_t *value;

    if (!json_is_object(entry) || !json_is_string(path))
        return refuse(s, FAIL_BODY, "entry %zu must be an object with a text \"path\"", i);
    if (count != NULL && !json_is_integer(count))
        return refuse(s, FAIL_BODY, "entry %zu: count must be a whole number", i);
    json_object_foreach(entry, key, value)
        if (strcmp(key, "path") != 0 && strcmp(key, "count") != 0)
            return refuse(s, FAIL_BODY,
                          "entry %zu: \"%.40s\" is not known; there are path and count", i, key);
    return add_kind(s, json_string_value(path), count != NULL ? json_integer_value(count) : 1);
}

/* Reading JSON takes about a microsecond a value: more than any burst needs is not begun, or the
 * loop would stand still. Each entry has at most two commas, and an address some. */
static bool
is_too_much(const struct req *r)
{
    enum { OCTETS_MAX = 128 * 1024, COMMAS_MAX = 1000 };
    unsigned commas = 0;

    for (size_t i = 0; i < r->body_len && r->body_len <= OCTETS_MAX; i++)
        commas += ((const char *)r->body)[i] == ',';
    return r->body_len > OCTETS_MAX || commas > COMMAS_MAX;
}

static int
plan_body(struct burst *s)
{
    json_error_t error;
    json_t *root, *entry;
    size_t i;
    int result = 0;

    if (is_too_much(s->r))
        return refuse(s, FAIL_BODY_TOO_LARGE, "a burst has at most %d different addresses",
                      BURST_KINDS_MAX);
    root = json_loadb(s->r->body, s->r->body_len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return refuse(s, FAIL_BODY, "the body is not JSON: %.80s (line %d)", error.text,
                      error.line);
    if (!json_is_array(root) || json_array_size(root) == 0)
        result =
            refuse(s, FAIL_BODY, "the body must be a list: [{\"path\":\"/db/sleep\",\"count\":6}]");
    else
        json_array_foreach(root, i, entry)
            if ((result = plan_entry(s, i, entry)) != 0)
                break;
    json_decref(root);
    return result;
}

/* Children in the order in which they start: the kinds take turns, so that waits and computations
 * mix. */
static void
deal_children(struct burst *s)
{
    unsigned left[BURST_KINDS_MAX], n = 0;

    assert(s->nkinds > 0);
    s->children = arena_zalloc(&s->r->arena, s->count * sizeof(*s->children));
    s->ids = arena_zalloc(&s->r->arena, s->count * sizeof(*s->ids));
    for (unsigned k = 0; k < s->nkinds; k++)
        left[k] = s->kinds[k].count;
    for (unsigned k = 0; n < s->count; k = (k + 1) % s->nkinds) {
        if (left[k] == 0)
            continue;
        left[k]--;
        s->children[n].burst = s;
        s->children[n++].kind = &s->kinds[k];
    }
}

int
burst_plan(struct burst *s)
{
    struct req *r = s->r;
    int64_t at_once = r->params[BURST_AT_ONCE];
    int result;

    s->run = r->params[BURST_RUN] < 0 ? NULL : executor_names[r->params[BURST_RUN]];
    s->gap_ns = (uint64_t)r->params[BURST_GAP] * 1000000;
    if (r->body_len > 0 && r->texts[BURST_PATH] != NULL)
        return refuse(s, FAIL_BODY, "send a JSON body or the parameter path, not both");
    if (r->body_len > 0)
        result = plan_body(s);
    else if (r->texts[BURST_PATH] != NULL)
        result = add_kind(s, r->texts[BURST_PATH], r->params[BURST_COUNT]);
    else
        return refuse(s, FAIL_BODY, "what? POST [{\"path\":\"/db/sleep?ms=500\",\"count\":6}]");
    if (result != 0)
        return -1;
    if (at_once > s->count)
        return refuse(s, FAIL_PARAMETER, "at_once must be between 1 and count (%u); you sent %lld",
                      s->count, (long long)at_once);
    s->at_once = at_once == PARAM_AUTO ? s->count : (unsigned)at_once;
    deal_children(s);
    return 0;
}
