/* links: server/request/params.c server/common/arena.c server/common/buf.c server/common/distance.c server/common/log.c server/common/clock.c tests/fuzz/input.c */
/*
 * Query strings against a table of one parameter of each kind. What is taken lies in the ranges of
 * the table, and is what a plain decoder finds; what is refused is refused with a sentence, and
 * with an array that is JSON whatever octets the names and values had.
 */
#include "common/param.h"
#include "fuzz.h"
#include "request/params.h"
#include "request/req.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

static const char *const colours[] = {"red", "green", "blue", NULL};

enum { MS, SECTIONS, COLOUR, TITLE, PARAMS, COMPLAINTS_MAX = 16, QUERY_MAX = 2000 };

static const struct param table[] = {
    [MS] = {"ms", PARAM_INT, -10, 10000, 500, NULL, NULL, "ms", "How long."},
    [SECTIONS] = {"sections", PARAM_INT, 1, 64, PARAM_AUTO, "auto", NULL, NULL, "How many."},
    [COLOUR] = {"colour", PARAM_CHOICE, 0, 0, 1, NULL, colours, NULL, "Which."},
    [TITLE] = {"title", PARAM_TEXT, 0, 8, 0, NULL, NULL, NULL, "What."},
    [PARAMS] = {.name = NULL},
};
static const struct route route = {.path = "/x", .params = table};

/* ---- the plain decoder ---- */

/* False: a bad escape. */
static bool
decode(const char *p, size_t len, char *out)
{
    for (; len > 0; p++, len--) {
        char digits[3] = "";

        if (*p == '%') {
            if (len < 3 || !isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
                return false;
            memcpy(digits, p + 1, 2);
            *out = (char)strtol(digits, NULL, 16);
            if (*out == '\0')
                return false;
            p += 2;
            len -= 2;
        } else {
            *out = *p == '+' ? ' ' : *p;
        }
        out++;
    }
    *out = '\0';
    return true;
}

/* The value that the table allows: its number, or the text. False: it allows none. */
static bool
is_allowed(unsigned i, const char *value, int64_t *number)
{
    char *end;

    switch ((int)i) {
    case MS:
    case SECTIONS:
        if (i == SECTIONS && strcmp(value, "auto") == 0) {
            *number = PARAM_AUTO;
            return true;
        }
        *number = strtoll(value, &end, 10);
        return isdigit((unsigned char)value[value[0] == '-']) && *end == '\0' &&
               strlen(value) - (value[0] == '-') <= 18 && *number >= table[i].min &&
               *number <= table[i].max;
    case COLOUR:
        for (*number = 0; colours[*number] != NULL; ++*number)
            if (strcmp(colours[*number], value) == 0)
                return true;
        return false;
    default:
        return strlen(value) <= 8;
    }
}

/* What should come of one query. */
struct expected {
    bool bad_escape;
    unsigned complaints;
    bool seen[PARAMS];
    int64_t numbers[PARAMS];
    char title[QUERY_MAX + 1];
};

static void
expect_pair(struct expected *e, const char *p, size_t len)
{
    const char *equals = memchr(p, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - p) : len;
    static char name[QUERY_MAX + 1], value[QUERY_MAX + 1];
    int64_t number = 0;

    value[0] = '\0';
    if (!decode(p, name_len, name) ||
        (equals != NULL && !decode(equals + 1, len - name_len - 1, value))) {
        e->bad_escape = true;
        return;
    }
    if (strcmp(name, "_") == 0)
        return;
    for (unsigned i = 0; i < PARAMS; i++) {
        if (strcmp(name, table[i].name) != 0)
            continue;
        if (e->seen[i] || !is_allowed(i, value, &number))
            e->complaints++;
        else if (i == TITLE)
            memcpy(e->title, value, strlen(value) + 1);
        else
            e->numbers[i] = number;
        e->seen[i] = true;
        return;
    }
    e->complaints++;
}

static void
expect(struct expected *e, const char *p, size_t len)
{
    const char *end = p + len;

    for (unsigned i = 0; i < PARAMS; i++)
        e->numbers[i] = table[i].def;
    while (p < end && !e->bad_escape && e->complaints < COMPLAINTS_MAX) {
        const char *stop = memchr(p, '&', (size_t)(end - p));

        if (stop == NULL)
            stop = end;
        if (stop > p)
            expect_pair(e, p, (size_t)(stop - p));
        p = stop + 1;
    }
}

/* ---- */

static void
check_members(const struct req *r, unsigned complaints)
{
    size_t size = strlen(r->fail_members) + 16;
    char *text = malloc(size);
    json_t *root;

    FUZZ_CHECK(text != NULL);
    snprintf(text, size, "{\"status\":400%s}", r->fail_members);
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(root != NULL);
    FUZZ_CHECK(json_array_size(json_object_get(root, "invalid_params")) == complaints);
    json_decref(root);
    free(text);
}

static void
check_values(const struct req *r, const struct expected *e)
{
    for (unsigned i = 0; i < TITLE; i++)
        FUZZ_CHECK(r->params[i] == e->numbers[i]);
    FUZZ_CHECK((r->texts[TITLE] != NULL) == e->seen[TITLE]);
    FUZZ_CHECK(r->texts[TITLE] == NULL || strcmp(r->texts[TITLE], e->title) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct req r;
    struct http_head head = {.method = HTTP_GET};
    static struct expected e;
    char *query;
    int result;

    if (len > QUERY_MAX)
        return 0;
    e = (struct expected){.bad_escape = false};
    memset(&r, 0, offsetof(struct req, arena));
    arena_init(&r.arena);
    query = fuzz_exact(data, len);
    head.query = (struct slice_text){query, len};
    r.head = &head;
    r.route = &route;
    result = params_read(&r);
    expect(&e, query, len);
    free(query);
    FUZZ_CHECK((result == 0) == (!e.bad_escape && e.complaints == 0));
    if (result == 0) {
        check_values(&r, &e);
    } else {
        FUZZ_CHECK(r.failed == FAIL_PARAMETER && r.why[0] != '\0');
        FUZZ_CHECK(memchr(r.why, '\0', sizeof(r.why)) != NULL);
        FUZZ_CHECK((r.fail_members == NULL) == e.bad_escape);
        if (r.fail_members != NULL)
            check_members(&r, e.complaints);
    }
    arena_reset(&r.arena);
    return 0;
}
