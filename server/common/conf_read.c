/*
 * conf_read: a configuration file into a set. Runs in the supervisor, at the start and at HUP.
 *
 *   # a comment; so is what follows a blank and "#" or ";"
 *   [listening]
 *   port = 8080
 *
 * All mistakes are named in one run, each with its line. A key is known by its name alone, so
 * headings may be left out; where there is one, the key must belong to it. A key stands there once.
 *
 * The file is read by inih, which gives no line numbers to its handler, cuts lines at 200 octets,
 * takes an indented line for more of the line before, and names one bad line at most. So the reader
 * that feeds it counts lines, takes blanks and comments away, and gives it only what it
 * understands: in place of a bad line it gets an empty one.
 */
#include "common/buf.h"
#include "common/conf_table.h"
#include "common/distance.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FILE_OCTETS_MAX = 1024 * 1024, ERRORS_MAX = 100 };

/* Stands in inih for a section that we don't know: its keys may be of any. */
static const char unknown_section[] = "?";

struct reading {
    struct conf_set *set;
    const char *path;
    struct buf text; /* the whole file */
    size_t pos;
    int line, wrong;
    int seen[CONF_KEYS_MAX]; /* line at which a key was set; 0: not yet */
    struct buf *errors;
};

static void PRINTF_LIKE(2, 3) complain(struct reading *r, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_addf(r->errors, "%s:%d: %s\n", r->path, r->line, text);
    r->wrong++;
}

/* ---- what inih found ---- */

static int
on_pair(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    char origin[CONF_TEXT_MAX];
    const char *like;
    const int i = conf_find_key(name, &like);

    snprintf(origin, sizeof(origin), "%s:%d", r->path, r->line);
    if (i < 0) {
        r->wrong += conf_refuse_name(name, like, origin, r->errors);
        return 1;
    }
    if (r->seen[i] > 0) {
        complain(r, "%s stands there twice, the first time in line %d", name, r->seen[i]);
        return 1;
    }
    r->seen[i] = r->line;
    if (section[0] != '\0' && strcmp(section, unknown_section) != 0 &&
        strcmp(section, conf_keys[i].section) != 0)
        complain(r, "%s belongs to [%s], not to [%s]", name, conf_keys[i].section, section);
    r->wrong += conf_put(r->set, (unsigned)i, value, origin, r->errors);
    return 1;
}

/* ---- lines for inih ---- */

struct line {
    const char *p;
    size_t len;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct line
trim(struct line l)
{
    while (l.len > 0 && is_blank(l.p[0])) {
        l.p++;
        l.len--;
    }
    while (l.len > 0 && is_blank(l.p[l.len - 1]))
        l.len--;
    return l;
}

/* The next line of the file without its end. */
static struct line
take_line(struct reading *r)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct line l = {r->text.data + r->pos, r->text.len - r->pos};
    const char *end = memchr(l.p, '\n', l.len);

    if (end != NULL)
        l.len = (size_t)(end - l.p);
    r->pos += l.len + (end != NULL);
    r->line++;
    if (r->line == 1 && l.len >= 3 && memcmp(l.p, bom, 3) == 0)
        l = (struct line){l.p + 3, l.len - 3};
    return l;
}

/* Without blanks around it, too. */
static struct line
without_comment(struct line l)
{
    for (size_t i = 0; i < l.len; i++)
        if ((l.p[i] == '#' || l.p[i] == ';') && (i == 0 || is_blank(l.p[i - 1])))
            l.len = i;
    return trim(l);
}

/* "; there are [server], [limits]". Keys of one section stand together in the table. */
static void
add_sections(struct buf *b)
{
    const char *last = "";

    buf_add_text(b, "; there are");
    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        if (strcmp(conf_keys[i].section, last) == 0)
            continue;
        buf_addf(b, "%s [%s]", last[0] != '\0' ? "," : "", conf_keys[i].section);
        last = conf_keys[i].section;
    }
}

/* A heading in brackets: known, or complained about. What inih is to read in its place. */
static struct line
check_section(struct reading *r, struct line l)
{
    static const struct line unknown = {"[?]", 3};
    char name[32];
    const char *like = NULL;
    unsigned best = 3;

    if (l.p[l.len - 1] != ']') {
        complain(r, "a [section] ends with its bracket");
        return unknown;
    }
    snprintf(name, sizeof(name), "%.*s", (int)l.len - 2, l.p + 1);
    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        const char *section = conf_keys[i].section;
        const unsigned d = text_distance(name, strlen(name), section, strlen(section), best);

        if (d == 0)
            return l;
        if (d < best) {
            best = d;
            like = section;
        }
    }
    buf_addf(r->errors, "%s:%d: there is no section ", r->path, r->line);
    conf_add_quoted(r->errors, name);
    if (like != NULL)
        buf_addf(r->errors, "; did you mean [%s]?", like);
    else
        add_sections(r->errors);
    buf_add_char(r->errors, '\n');
    r->wrong++;
    return unknown;
}

/* What inih is to read for this line; nothing, with a complaint, when it would misunderstand it. */
static struct line
check_line(struct reading *r, struct line l, size_t room)
{
    static const struct line empty = {"", 0};
    const char *equals;
    struct line name;

    if (memchr(l.p, '\0', l.len) != NULL) {
        complain(r, "there is a NUL in this line: is it a text file?");
        return empty;
    }
    l = without_comment(l);
    if (l.len == 0)
        return empty;
    if (l.p[0] == '[')
        return check_section(r, l);
    equals = memchr(l.p, '=', l.len);
    name = trim((struct line){l.p, equals != NULL ? (size_t)(equals - l.p) : 0});
    if (!conf_is_name(name.p, name.len)) {
        complain(r, "this is neither \"key = value\" nor a [section]");
        return empty;
    }
    if (l.len > room) {
        complain(r, "this line is longer than %zu octets", room);
        return empty;
    }
    return l;
}

/* The reader for inih: a line as fgets() would give it. */
static char *
next_line(char *out, int size, void *arg)
{
    struct reading *r = arg;
    const size_t room = (size_t)size - 2;
    struct line l;

    if (r->pos >= r->text.len)
        return NULL;
    if (r->wrong >= ERRORS_MAX) {
        complain(r, "reading ends here, after %d mistakes", ERRORS_MAX);
        r->pos = r->text.len;
        return NULL;
    }
    l = check_line(r, take_line(r), room);
    memcpy(out, l.p, l.len);
    memcpy(out + l.len, "\n", 2);
    return out;
}

/* ---- the file ---- */

/* All of a file. 0, -1: errno. */
static int
read_all(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    size_t n;
    int error;

    if (f == NULL)
        return -1;
    do {
        buf_reserve(out, BUFSIZ);
        n = fread(out->data + out->len, 1, BUFSIZ, f);
        out->len += n;
    } while (n > 0 && out->len <= FILE_OCTETS_MAX);
    error = ferror(f) != 0 ? errno : out->len > FILE_OCTETS_MAX ? EFBIG : 0;
    fclose(f);
    errno = error;
    return error == 0 ? 0 : -1;
}

int
conf_read_file(struct conf_set *set, const char *path, struct buf *errors)
{
    struct reading r = {.set = set, .path = path, .errors = errors};

    if (read_all(path, &r.text) != 0) {
        buf_addf(errors, "%s: %s. Try: another file, or none: everything has a default\n", path,
                 strerror(errno));
        r.wrong = 1;
    } else if (ini_parse_stream(next_line, &r, on_pair, &r) != 0) {
        buf_addf(errors, "%s: this can't be read\n", path); /* nothing is known that gets here */
        r.wrong++;
    }
    buf_fini(&r.text);
    return r.wrong;
}
