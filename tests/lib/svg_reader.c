/*
 * svg_reader: see svg_reader.h. The XML that it takes is a subset: elements, attributes in double
 * quotes, text, the five entities of our writer. No comments, no processing instructions, no CDATA.
 */
#include "svg_reader.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- XML ---- */

enum { DEEPEST = 16, ATTRIBUTES = 16 };

struct reading {
    const char *begin, *p;
    char open[DEEPEST][24];
    unsigned depth, roots;
    struct svg *svg;
};

static size_t
entity(const char *p, char *out)
{
    static const struct {
        const char *name;
        char value;
    } all[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};

    for (unsigned i = 0; i < 5; i++) {
        if (strncmp(p, all[i].name, strlen(all[i].name)) == 0) {
            *out = all[i].value;
            return strlen(all[i].name);
        }
    }
    ck_abort_msg("an entity that is none: %.20s", p);
    return 0;
}

/* Text up to this octet, without entities; free(). */
static char *
take_text(struct reading *r, char stop)
{
    char *out = malloc(strlen(r->p) + 1);
    size_t n = 0;

    while (*r->p != stop) {
        ck_assert_msg(*r->p != '\0', "it ends too early");
        ck_assert_msg(*r->p != '<', "a < in a value: %.30s", r->p);
        ck_assert_msg((unsigned char)*r->p >= 0x20 || *r->p == '\n' || *r->p == '\t',
                      "control octet %d", *r->p);
        if (*r->p == '&')
            r->p += entity(r->p, &out[n++]);
        else
            out[n++] = *r->p++;
    }
    out[n] = '\0';
    return out;
}

static void
take_name(struct reading *r, char *out, size_t size)
{
    const size_t len =
        strspn(r->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    ck_assert_msg(len > 0 && len < size, "no name: %.30s", r->p);
    memcpy(out, r->p, len);
    out[len] = '\0';
    r->p += len;
}

static void
note_attribute(struct svg_bar *bar, const char *name, const char *value)
{
    const struct {
        const char *name;
        double *to;
    } numbers[] = {
        {"x", &bar->x}, {"y", &bar->y}, {"width", &bar->width}, {"height", &bar->height}};

    for (unsigned i = 0; i < 4; i++)
        if (strcmp(name, numbers[i].name) == 0)
            *numbers[i].to = strtod(value, NULL);
    if (strcmp(name, "class") == 0)
        snprintf(bar->class, sizeof(bar->class), "%s", value);
    if (strcmp(name, "fill") == 0)
        snprintf(bar->fill, sizeof(bar->fill), "%s", value);
    ck_assert_msg(strcmp(name, "style") != 0 && strncmp(name, "on", 2) != 0,
                  "a strict policy refuses the attribute %s", name);
}

static void
take_attributes(struct reading *r, struct svg_bar *bar)
{
    char names[ATTRIBUTES][32], *value;
    unsigned count = 0;

    while (*r->p == ' ') {
        r->p++;
        ck_assert_uint_lt(count, ATTRIBUTES);
        take_name(r, names[count], sizeof(names[0]));
        for (unsigned i = 0; i < count; i++)
            ck_assert_msg(strcmp(names[i], names[count]) != 0, "%s twice", names[i]);
        ck_assert_msg(strncmp(r->p, "=\"", 2) == 0, "no value: %.30s", r->p);
        r->p += 2;
        value = take_text(r, '"');
        r->p++;
        note_attribute(bar, names[count++], value);
        free(value);
    }
}

static void
take_start(struct reading *r)
{
    struct svg_bar bar = {0};
    char name[24];

    take_name(r, name, sizeof(name));
    take_attributes(r, &bar);
    ck_assert_msg(strcmp(name, "script") != 0 && strcmp(name, "style") != 0, "a %s", name);
    if (strcmp(name, "rect") == 0 && bar.class[0] != '\0') {
        r->svg->bars = realloc(r->svg->bars, (r->svg->count + 1) * sizeof(bar));
        r->svg->bars[r->svg->count++] = bar;
    }
    r->roots += r->depth == 0;
    if (strncmp(r->p, "/>", 2) == 0) {
        r->p += 2;
        return;
    }
    ck_assert_msg(*r->p == '>', "an element without an end: %.30s", r->p);
    r->p++;
    ck_assert_uint_lt(r->depth, DEEPEST);
    memcpy(r->open[r->depth++], name, sizeof(name));
}

static void
take_end(struct reading *r)
{
    char name[24];

    take_name(r, name, sizeof(name));
    ck_assert_msg(r->depth > 0 && strcmp(name, r->open[r->depth - 1]) == 0, "</%s> ends nothing",
                  name);
    ck_assert_int_eq(*r->p++, '>');
    r->depth--;
}

static void
take_between(struct reading *r)
{
    char *text = take_text(r, '<');
    const char *in = r->depth > 0 ? r->open[r->depth - 1] : "";
    json_error_t error;

    if (r->depth == 0)
        ck_assert_msg(strspn(text, "\n") == strlen(text), "text outside: %.30s", text);
    if (strcmp(in, "metadata") == 0) {
        r->svg->meta = json_loads(text, 0, &error);
        ck_assert_msg(r->svg->meta != NULL, "metadata: %s", error.text);
    } else if (r->depth == 2 && strcmp(in, "title") == 0 && r->svg->title == NULL) {
        r->svg->title = text;
        return;
    } else if (r->depth == 2 && strcmp(in, "desc") == 0 && r->svg->desc == NULL) {
        r->svg->desc = text;
        return;
    }
    free(text);
}

struct svg *
svg_read(const char *text)
{
    struct svg *svg = calloc(1, sizeof(*svg));
    struct reading r = {.svg = svg};
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        len--;
    r.begin = r.p = svg->text = strndup(text, len);
    ck_assert_msg(strncmp(r.p, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" ", 50) == 0,
                  "%.80s", r.p);
    while (*r.p != '\0') {
        if (strncmp(r.p, "</", 2) == 0) {
            r.p += 2;
            take_end(&r);
        } else if (*r.p == '<') {
            r.p++;
            take_start(&r);
        } else {
            take_between(&r);
        }
    }
    ck_assert_msg(r.depth == 0 && r.roots == 1, "%u elements open, %u roots", r.depth, r.roots);
    ck_assert_msg(svg->title != NULL && svg->desc != NULL && svg->meta != NULL,
                  "title, desc or metadata is missing");
    return svg;
}

void
svg_free(struct svg *svg)
{
    json_decref(svg->meta);
    free(svg->bars);
    free(svg->title);
    free(svg->desc);
    free(svg->text);
    free(svg);
}

double
svg_number_of(const struct svg *svg, const char *name)
{
    json_t *value = json_object_get(svg->meta, name);

    ck_assert_msg(json_is_number(value), "no %s in the metadata", name);
    return json_number_value(value);
}
