/*
 * web: see web.h. Each file is a route of its own, found by its path; steps know by the path which
 * file is meant. Files are small, so that each is one answer; hashing or reading one takes well
 * under a millisecond. What is embedded can't fail; a file of web_root that went away is a 404.
 */
#include "endpoints/web.h"

#include "common/log.h"
#include "request/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_OCTETS = 64, FILE_MAX_OCTETS = 1 << 20, FIELDS_MAX_OCTETS = 640 };

/* A page can load and reach nothing but this server; no inline script or style. */
#define PAGE_FIELDS                                                                                \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; "        \
    "frame-ancestors 'none'\r\n"

static const struct {
    const char *ending, *content_type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
    {".woff2", "font/woff2"},
    {".webmanifest", "application/manifest+json"},
};

static bool
ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);

    return n > m && memcmp(text + n - m, ending, m) == 0;
}

static const char *
type_of(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (ends_with(name, types[i].ending))
            return types[i].content_type;
    return "application/octet-stream";
}

/* ---- routes ---- */

static struct next file_answer(struct req *r);
static struct next page_answer(struct req *r);

struct rows {
    struct route *out;
    unsigned count, max;
    const struct route *taken;
    unsigned ntaken;
};

static bool
is_taken(const struct rows *rows, const char *path)
{
    for (unsigned i = 0; i < rows->ntaken; i++)
        if (strcmp(rows->taken[i].path, path) == 0)
            return true;
    return false;
}

/* Takes the path, which lives as long as the process. */
static void
add_row(struct rows *rows, char *path, req_step *step, bool page)
{
    if (is_taken(rows, path)) {
        free(path);
        return;
    }
    if (rows->count == rows->max)
        fatalx("the page has too many files");
    rows->out[rows->count++] = (struct route){
        .path = path,
        .help = "a file of the live page",
        .methods = METHOD_GET,
        .first = step,
        .flags =
            ROUTE_OPS | ROUTE_LENIENT | ROUTE_TAGGED | ROUTE_UNLISTED | (page ? ROUTE_LINKABLE : 0),
    };
}

/* Rows for one file: its own name and, for a page, that without its ending. */
static void
add_file(struct rows *rows, const char *name)
{
    const bool page = ends_with(name, ".html");
    char path[NAME_MAX_OCTETS + 2];

    snprintf(path, sizeof(path), "/%s", name);
    add_row(rows, xstrdup(path), file_answer, page);
    if (!page || strcmp(name, "index.html") == 0)
        return;
    path[strlen(path) - 5] = '\0';
    add_row(rows, xstrdup(path), page_answer, true);
}

/* A name that can be an address as it is; hidden files and editors' copies are none. */
static int
is_name(const struct dirent *entry)
{
    const char *name = entry->d_name;

    return name[0] != '.' && strlen(name) <= NAME_MAX_OCTETS &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

static void
add_folder(struct rows *rows, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_name, alphasort);

    if (n < 0) {
        log_warn("can't read the folder %s (web_root)", folder);
        return;
    }
    for (int i = 0; i < n; i++) {
        add_file(rows, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

unsigned
web_routes(const char *web_root, struct route *out, unsigned max, const struct route *taken,
           unsigned ntaken)
{
    struct rows rows = {.out = out, .max = max, .taken = taken, .ntaken = ntaken};

    if (web_root[0] != '\0')
        add_folder(&rows, web_root);
    else
        for (const struct web_file *f = web_files; f->name != NULL; f++)
            add_file(&rows, f->name);
    return rows.count;
}

/* ---- what a file has in it ---- */

struct content {
    const char *plain, *gzip; /* gzip: NULL, if there is no such form */
    size_t plain_len, gzip_len;
};

/* All of a regular file; errno says why not. */
static int
read_whole(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = -1;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX_OCTETS) {
        buf_reserve(out, FILE_MAX_OCTETS);
        n = read(fd, out->data, FILE_MAX_OCTETS);
    } else {
        errno = EFBIG;
    }
    close(fd);
    if (n < 0)
        return -1;
    out->len = (size_t)n;
    return 0;
}

static int
find_embedded(const char *name, struct content *c)
{
    for (const struct web_file *f = web_files; f->name != NULL; f++) {
        if (strcmp(f->name, name) != 0)
            continue;
        *c = (struct content){
            .plain = f->plain,
            .plain_len = (size_t)(f->plain_end - f->plain),
            .gzip = f->gzip,
            .gzip_len = (size_t)(f->gzip_end - f->gzip),
        };
        return 0;
    }
    return -1;
}

/* 0, or -1: there is none. Valid until the step returns. */
static int
find(struct req *r, const char *name, struct content *c)
{
    const char *folder = r->runner->conf->web_root;
    struct buf *b = req_scratch(r);
    char path[CONF_TEXT_MAX + NAME_MAX_OCTETS + 2];

    if (folder[0] == '\0')
        return find_embedded(name, c);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (read_whole(path, b) != 0)
        return -1;
    *c = (struct content){.plain = b->data, .plain_len = b->len};
    return 0;
}

bool
web_has(const struct req *r, const char *name)
{
    const char *folder = r->runner->conf->web_root;
    char path[CONF_TEXT_MAX + NAME_MAX_OCTETS + 2];
    struct content c;

    if (folder[0] == '\0')
        return find_embedded(name, &c) == 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, R_OK) == 0;
}

/* Eight octets at a time: two contents that differ have, by all odds, two hashes. */
static uint64_t
hash_of(const char *data, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325ULL ^ len, word;

    for (; len > 0; data += sizeof(word)) {
        size_t n = len < sizeof(word) ? len : sizeof(word);

        word = 0;
        memcpy(&word, data, n);
        hash = (hash ^ word) * 0x100000001b3ULL;
        hash ^= hash >> 29;
        len -= n;
    }
    return hash;
}

/* ---- what the client takes ---- */

/* Is this tag among those of the fields? "*" is any there is; "" none. `weak`: whether weak ones
 * count (RFC 9110 section 8.8.3.2: in If-None-Match they do, in If-Match they never match). */
static bool
names_tag(const struct req *r, const char *field, const char *tag, bool weak)
{
    struct slice_text list, member;
    unsigned i = 0;

    while (http_head_next(r->head, field, &i, &list)) {
        while (http_list_next(&list, &member)) {
            if (member.len == 1 && member.p[0] == '*')
                return true;
            if (weak && member.len > 2 && memcmp(member.p, "W/", 2) == 0) {
                member.p += 2;
                member.len -= 2;
            }
            if (member.len > 0 && member.len == strlen(tag) &&
                memcmp(member.p, tag, member.len) == 0)
                return true;
        }
    }
    return false;
}

/* RFC 9110 section 13 for GET and HEAD: 200, 304 or 412. */
static int
check_conditions(const struct req *r, const char *tag)
{
    if (!r->head->conditional)
        return 200;
    if (http_head_field(r->head, "if-match").p != NULL && !names_tag(r, "if-match", tag, false))
        return 412;
    return names_tag(r, "if-none-match", tag, true) ? 304 : 200;
}

/* ---- answers ---- */

static struct next
refuse_condition(struct req *r)
{
    return reply_fail(r, FAIL_PRECONDITION, "nothing here has the tag that If-Match names");
}

struct next
web_untagged(struct req *r, req_step *step)
{
    switch (check_conditions(r, "")) {
    case 304:
        return reply_text(r, 304, NULL, NULL, 0);
    case 412:
        return refuse_condition(r);
    }
    return next_step(step);
}

struct next
web_answer(struct req *r, const char *name, const char *vary)
{
    struct content c;
    char tag[32], fields[FIELDS_MAX_OCTETS];
    bool gzip;
    int status;

    if (find(r, name, &c) != 0)
        return reply_fail(r, FAIL_NOT_FOUND, "there is no %s of at most %d octets in web_root",
                          name, FILE_MAX_OCTETS);
    gzip = c.gzip != NULL && http_head_wants(r->head, "accept-encoding", "gzip");
    snprintf(tag, sizeof(tag), "\"%016llx%s\"", (unsigned long long)hash_of(c.plain, c.plain_len),
             gzip ? "-gzip" : "");
    status = check_conditions(r, tag);
    if (status == 412)
        return refuse_condition(r);
    snprintf(fields, sizeof(fields),
             "Cache-Control: no-cache\r\nETag: %s\r\nVary: %sAccept-Encoding\r\n%s%s"
             "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n",
             tag, vary, gzip && status == 200 ? "Content-Encoding: gzip\r\n" : "",
             ends_with(name, ".html") ? PAGE_FIELDS : "");
    r->fields = arena_copy(&r->arena, fields, strlen(fields));
    if (status == 304)
        return reply_text(r, 304, NULL, NULL, 0);
    return reply_text(r, 200, type_of(name), gzip ? c.gzip : c.plain,
                      gzip ? c.gzip_len : c.plain_len);
}

static struct next
file_answer(struct req *r)
{
    return web_answer(r, r->route->path + 1, "");
}

static struct next
page_answer(struct req *r)
{
    char name[NAME_MAX_OCTETS + 1];

    snprintf(name, sizeof(name), "%s.html", r->route->path + 1);
    return web_answer(r, name, "");
}
