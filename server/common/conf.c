/*
 * conf: a set of settings: defaults, then a file, then -o options; all mistakes are collected, none
 * ends the reading. Runs in the supervisor; the front end inherits the result.
 *
 * The file is INI, read by inih. Sections are headings for people: a key is found by its name
 * wherever it stands. inih cuts long lines and gives no line numbers to its handler, so a reader of
 * ours feeds it line by line, counts, and refuses lines that it would cut.
 */
#include "common/conf.h"

#include "common/buf.h"
#include "common/conf_table.h"
#include "common/distance.h"
#include "common/log.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_OCTETS_MAX = 198 };

/* One reading of a file. */
struct reading {
    struct conf_set *set;
    const char *path;
    FILE *file;
    struct buf *errors;
    int line, count;
    int seen[CONF_KEYS_MAX]; /* line at which a key was set; 0: not yet */
};

struct conf_set *
conf_new(void)
{
    struct conf_set *set = xcalloc(1, sizeof(*set));
    char why[256];

    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        if (conf_set_text(&set->values, &conf_keys[i], conf_keys[i].def, why, sizeof(why)) != 0)
            fatalx("default of a setting: %s", why);
        snprintf(set->origins[i], sizeof(set->origins[i]), "default");
    }
    return set;
}

void
conf_free(struct conf_set *set)
{
    free(set);
}

const struct conf *
conf_values(const struct conf_set *set)
{
    return &set->values;
}

/* The row of a key, or -1 with the one that resembles it in *like (NULL: none does). */
static int
find_key(const char *name, const char **like)
{
    unsigned best = 3;

    *like = NULL;
    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        unsigned d;

        if (strcmp(conf_keys[i].name, name) == 0)
            return (int)i;
        d = text_distance(name, strlen(name), conf_keys[i].name, strlen(conf_keys[i].name), 3);
        if (d < best && d < strlen(conf_keys[i].name)) {
            best = d;
            *like = conf_keys[i].name;
        }
    }
    return -1;
}

static int
set_key(struct conf_set *set, const char *name, const char *text, const char *origin,
        struct buf *errors)
{
    const char *like;
    char why[512];
    int i = find_key(name, &like);

    if (i < 0) {
        buf_addf(errors, "%s: %.60s is not a setting", origin, name);
        if (like != NULL)
            buf_addf(errors, "; did you mean %s?", like);
        buf_add_char(errors, '\n');
        return 1;
    }
    if (conf_set_text(&set->values, &conf_keys[i], text, why, sizeof(why)) != 0) {
        buf_addf(errors, "%s: %s\n", origin, why);
        return 1;
    }
    snprintf(set->origins[i], sizeof(set->origins[i]), "%s", origin);
    return 0;
}

/* ---- the file ---- */

static int
on_pair(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    char origin[160];
    const char *like;
    int i = find_key(name, &like);

    (void)section;
    snprintf(origin, sizeof(origin), "%s:%d", r->path, r->line);
    if (i >= 0 && r->seen[i] > 0) {
        buf_addf(r->errors, "%s: %s stands there twice; the first time in line %d\n", origin, name,
                 r->seen[i]);
        r->count++;
        return 1;
    }
    if (i >= 0)
        r->seen[i] = r->line;
    r->count += set_key(r->set, name, value, origin, r->errors);
    return 1;
}

/* A line for inih, as fgets() would give it. A line that inih would cut is replaced by an empty
 * one. */
static char *
next_line(char *out, int size, void *arg)
{
    struct reading *r = arg;
    char line[4096];
    size_t len;

    if (fgets(line, sizeof(line), r->file) == NULL)
        return NULL;
    r->line++;
    len = strlen(line);
    if (len > LINE_OCTETS_MAX || (int)len >= size) {
        buf_addf(r->errors, "%s:%d: the line is longer than %d octets\n", r->path, r->line,
                 LINE_OCTETS_MAX);
        r->count++;
        while (len > 0 && line[len - 1] != '\n' && fgets(line, sizeof(line), r->file) != NULL)
            len = strlen(line);
        snprintf(out, (size_t)size, "\n");
        return out;
    }
    memcpy(out, line, len + 1);
    return out;
}

int
conf_read_file(struct conf_set *set, const char *path, struct buf *errors)
{
    struct reading r = {.set = set, .path = path, .errors = errors};
    int bad_line;

    r.file = fopen(path, "re");
    if (r.file == NULL) {
        buf_addf(errors, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    bad_line = ini_parse_stream(next_line, &r, on_pair, &r);
    fclose(r.file);
    if (bad_line > 0) {
        buf_addf(errors, "%s:%d: this is neither \"key = value\" nor a [section]\n", path,
                 bad_line);
        r.count++;
    }
    return r.count;
}

int
conf_read_option(struct conf_set *set, const char *option, struct buf *errors)
{
    const char *equals = strchr(option, '=');
    char name[64];

    if (equals == NULL || equals == option || (size_t)(equals - option) >= sizeof(name)) {
        buf_addf(errors, "-o %.60s: this is not KEY=VALUE\n", option);
        return 1;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(equals - option), option);
    return set_key(set, name, equals + 1, "-o", errors);
}

int
conf_check(struct conf_set *set, struct buf *errors)
{
    const struct conf *v = &set->values;
    int count = 0;

    if (v->max_head < v->max_target) {
        buf_add_text(errors, "max_head must be at least max_target: a head contains its target\n");
        count++;
    }
    if (v->db_answer < v->db_suspect) {
        buf_add_text(errors, "db_answer must be at least db_suspect\n");
        count++;
    }
    return count;
}
