/*
 * params: see params.h. Unknown names are errors, so that typos do not pass silently; `_` is always
 * allowed and ignored (browsers run requests for the same address one after the other; a fresh `_`
 * makes addresses differ). Runs in the front end; memory comes from the request's arena.
 */
#include "request/params.h"

#include "common/buf.h"
#include "common/distance.h"
#include "common/param.h"
#include "request/req.h"
#include "request/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reading ends after so many mistakes: a long query of short unknown names would else cost
 * milliseconds, and an answer thirty times its length. */
enum { COMPLAINTS_MAX = 16 };

/* What is wrong with one parameter. */
struct complaint {
    const struct param *param; /* NULL: unknown */
    const char *name, *value;
    const char *rule; /* "is not known", "was sent twice", "is not a whole number" ... */
};

struct reading {
    struct req *r;
    struct buf members; /* invalid_params so far */
    unsigned complaints;
    uint32_t seen; /* bit i: parameter i was there */
};

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

long
params_decode(const char *text, size_t len, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '+') {
            out[n++] = ' ';
        } else if (text[i] != '%') {
            out[n++] = text[i];
        } else {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0 || high + low == 0)
                return -1;
            out[n++] = (char)(high << 4 | low);
            i += 2;
        }
    }
    out[n] = '\0';
    return (long)n;
}

int
params_integer(const char *text, int64_t *out)
{
    const char *p = text + (*text == '-');
    size_t digits = strspn(p, "0123456789");

    if (digits == 0 || digits > 18 || p[digits] != '\0')
        return -1;
    *out = strtoll(text, NULL, 10);
    return 0;
}

static void
add_range(const struct param *p, char *out, size_t size)
{
    size_t n;

    switch (p->kind) {
    case PARAM_INT:
        if (p->def_text != NULL)
            snprintf(out, size, "between %" PRId64 " and %" PRId64 " or %s", p->min, p->max,
                     p->def_text);
        else
            snprintf(out, size, "between %" PRId64 " and %" PRId64, p->min, p->max);
        break;
    case PARAM_CHOICE:
        n = (size_t)snprintf(out, size, "one of");
        for (unsigned i = 0; p->choices[i] != NULL && n < size; i++)
            n += (size_t)snprintf(out + n, size - n, "%s %s", i > 0 ? "," : "", p->choices[i]);
        break;
    case PARAM_TEXT:
        snprintf(out, size, "at most %" PRId64 " octets", p->max);
        break;
    }
}

static const char *
similar_param(const struct reading *rd, const char *name)
{
    const char *best = NULL;
    unsigned best_distance = 3;

    for (const struct param *p = rd->r->route->params; p != NULL && p->name != NULL; p++) {
        const size_t asked = strlen(name), known = strlen(p->name);
        unsigned d = text_distance(name, asked, p->name, known, 3);

        /* as far apart as the longer one is long: not alike at all */
        if (d < best_distance && d < (asked > known ? asked : known)) {
            best = p->name;
            best_distance = d;
        }
    }
    return best;
}

/* Writes one complaint as a member of invalid_params; the first one is the sentence too. */
static void
complain(struct reading *rd, const struct complaint *c)
{
    const struct param *p = c->param;
    struct buf *b = &rd->members;
    char sentence[256], range[128] = "";
    const char *like = p == NULL ? similar_param(rd, c->name) : NULL;

    if (p != NULL)
        add_range(p, range, sizeof(range));
    if (p == NULL && like != NULL)
        snprintf(sentence, sizeof(sentence), "%.40s is not known here; did you mean %s?", c->name,
                 like);
    else if (p == NULL)
        snprintf(sentence, sizeof(sentence), "%.40s is not known here", c->name);
    else if (c->rule != NULL)
        snprintf(sentence, sizeof(sentence), "%s %s; it must be %s", p->name, c->rule, range);
    else
        snprintf(sentence, sizeof(sentence), "%s must be %s; you sent %.40s", p->name, range,
                 c->value);
    if (rd->complaints++ == 0)
        snprintf(rd->r->why, sizeof(rd->r->why), "%.*s", (int)sizeof(rd->r->why) - 1, sentence);
    buf_add_text(b, rd->complaints == 1 ? ",\"invalid_params\":[{\"name\":" : ",{\"name\":");
    buf_add_json_string(b, c->name, strnlen(c->name, 64));
    buf_add_text(b, ",\"value\":");
    buf_add_json_string(b, c->value, strnlen(c->value, 64));
    buf_add_text(b, ",\"reason\":");
    buf_add_json_string(b, sentence, strlen(sentence));
    if (p != NULL && p->kind == PARAM_INT) {
        buf_addf(b, ",\"min\":%" PRId64 ",\"max\":%" PRId64 ",\"default\":", p->min, p->max);
        if (p->def_text != NULL)
            buf_add_json_string(b, p->def_text, strlen(p->def_text));
        else
            buf_addf(b, "%" PRId64, p->def);
    }
    buf_add_char(b, '}');
}

/* Checks the value of parameter `p`; NULL when it is fine, else the complaint's rule ("" : range).
 */
static const char *
take_value(struct req *r, unsigned i, const struct param *p, const char *value)
{
    int64_t number;

    switch (p->kind) {
    case PARAM_INT:
        if (p->def_text != NULL && strcmp(value, p->def_text) == 0) {
            r->params[i] = p->def;
            return NULL;
        }
        if (params_integer(value, &number) != 0)
            return "is not a whole number";
        if (number < p->min || number > p->max)
            return "";
        r->params[i] = number;
        return NULL;
    case PARAM_CHOICE:
        for (unsigned k = 0; p->choices[k] != NULL; k++) {
            if (strcmp(value, p->choices[k]) == 0) {
                r->params[i] = (int64_t)k;
                return NULL;
            }
        }
        return "";
    case PARAM_TEXT:
        if (strlen(value) > (size_t)p->max)
            return "";
        r->texts[i] = value;
        return NULL;
    }
    return "";
}

static void
take_pair(struct reading *rd, const char *name, const char *value)
{
    const struct param *table = rd->r->route->params;
    struct complaint c = {.name = name, .value = value};
    const char *rule;

    if (strcmp(name, "_") == 0)
        return;
    for (unsigned i = 0; table != NULL && table[i].name != NULL; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        c.param = &table[i];
        if ((rd->seen & 1u << i) != 0) {
            c.rule = "was sent twice";
            complain(rd, &c);
            return;
        }
        rd->seen |= 1u << i;
        rule = take_value(rd->r, i, &table[i], value);
        if (rule != NULL) {
            c.rule = rule[0] != '\0' ? rule : NULL;
            complain(rd, &c);
        }
        return;
    }
    complain(rd, &c);
}

/* One "name=value" of the query string, still encoded. */
static int
read_pair(struct reading *rd, const char *p, size_t len)
{
    const char *equals = memchr(p, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - p) : len;
    size_t value_len = equals != NULL ? len - name_len - 1 : 0;
    char *name = arena_alloc(&rd->r->arena, name_len + 1);
    char *value = arena_alloc(&rd->r->arena, value_len + 1);

    if (params_decode(p, name_len, name) < 0 ||
        params_decode(equals != NULL ? equals + 1 : p, value_len, value) < 0)
        return -1;
    take_pair(rd, name, value);
    return 0;
}

int
params_read(struct req *r)
{
    struct reading rd = {.r = r};
    const char *p = r->head->query.p, *end = p + r->head->query.len;

    for (unsigned i = 0; r->route->params != NULL && r->route->params[i].name != NULL; i++) {
        r->params[i] = r->route->params[i].def;
        r->texts[i] = NULL;
    }
    if ((r->route->flags & ROUTE_LENIENT) != 0)
        return 0;
    while (p < end && rd.complaints < COMPLAINTS_MAX) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        const char *stop = amp != NULL ? amp : end;

        if (stop > p && read_pair(&rd, p, (size_t)(stop - p)) != 0) {
            snprintf(r->why, sizeof(r->why),
                     "a %% in the query string is not followed by two "
                     "hexadecimal digits other than 00");
            r->failed = FAIL_PARAMETER;
            buf_fini(&rd.members);
            return -1;
        }
        p = stop + 1;
    }
    if (rd.complaints == 0)
        return 0;
    r->failed = FAIL_PARAMETER;
    buf_add_char(&rd.members, ']');
    r->fail_members = arena_copy(&r->arena, rd.members.data, rd.members.len);
    buf_fini(&rd.members);
    return -1;
}
