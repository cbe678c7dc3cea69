/*
 * The files of the live page as a browser gets them: every file of server/web, its tag, its
 * compressed form, what a page may load; and web_root, which gives them from a folder.
 */
#include "e2e.h"
#include "suite.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FOLDER "server/web"

static struct server *server;

static void
start(void)
{
    server = server_start(NULL);
}

static void
stop(void)
{
    server_stop(server);
}

static char *
read_file(const char *path, size_t *len)
{
    char *data = calloc(1, 1 << 20);
    FILE *f = fopen(path, "r");

    ck_assert_msg(f != NULL, "%s is missing", path);
    *len = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

static bool
has(const struct reply *r, const char *field, const char *text)
{
    const char *value = reply_field(r, field);

    return value != NULL && strstr(value, text) != NULL;
}

/* The body of a gzip answer; free(). */
static char *
inflated(const struct reply *r, size_t *len)
{
    char *out = calloc(1, 1 << 20);
    z_stream z = {.next_in = (unsigned char *)r->body,
                  .avail_in = (unsigned)r->len,
                  .next_out = (unsigned char *)out,
                  .avail_out = 1 << 20};

    ck_assert_int_eq(inflateInit2(&z, 16 + 15), Z_OK);
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    *len = z.total_out;
    inflateEnd(&z);
    return out;
}

/* Octets over the wire, compressed. */
struct weight {
    size_t bodies; /* of all files */
    size_t page;   /* with their heads, but without those of other pages */
};

/* Plain, compressed and unchanged; adds what it weighs. */
static void
check_file(const char *name, struct weight *weight)
{
    char path[300], target[300], fields[300];
    size_t len, unzipped_len;
    struct reply plain, zipped, same;
    char *wanted, *unzipped;

    snprintf(path, sizeof(path), FOLDER "/%s", name);
    snprintf(target, sizeof(target), "/%s", name);
    wanted = read_file(path, &len);
    plain = http_get(server, target);
    ck_assert_msg(plain.status == 200, "%s: %d", target, plain.status);
    ck_assert_uint_eq(plain.len, len);
    ck_assert_mem_eq(plain.body, wanted, len);
    ck_assert(reply_field(&plain, "content-encoding") == NULL);
    ck_assert(has(&plain, "cache-control", "no-cache"));
    ck_assert(has(&plain, "x-content-type-options", "nosniff"));
    ck_assert(has(&plain, "vary", "Accept-Encoding"));

    zipped = http_ask(server, "GET", target, "Accept-Encoding: br, gzip;q=0.8\r\n", NULL, 0);
    ck_assert_str_eq(reply_field(&zipped, "content-encoding"), "gzip");
    unzipped = inflated(&zipped, &unzipped_len);
    ck_assert_uint_eq(unzipped_len, len);
    ck_assert_mem_eq(unzipped, wanted, len);

    snprintf(fields, sizeof(fields), "Accept-Encoding: gzip\r\nIf-None-Match: \"x\", W/%s\r\n",
             reply_field(&zipped, "etag"));
    same = http_ask(server, "GET", target, fields, NULL, 0);
    ck_assert_int_eq(same.status, 304);
    ck_assert_uint_eq(same.len, 0);
    ck_assert(reply_field(&same, "content-encoding") == NULL);
    ck_assert_ptr_nonnull(strstr(fields, reply_field(&same, "etag")));
    weight->bodies += zipped.len;
    if (strncmp(name, "api.", 4) != 0 && strncmp(name, "status.", 7) != 0)
        weight->page += zipped.len + strlen(zipped.head);
    free(wanted);
    free(unzipped);
    reply_free(&plain);
    reply_free(&zipped);
    reply_free(&same);
}

START_TEST(test_every_file_of_the_page_is_served_plain_compressed_and_unchanged)
{
    DIR *dir = opendir(FOLDER);
    const struct dirent *entry;
    struct weight weight = {0};
    unsigned files = 0;

    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        check_file(entry->d_name, &weight);
        files++;
    }
    closedir(dir);
    ck_assert_uint_ge(files, 1);
    ck_assert_msg(weight.bodies < 60 * 1024, "all files weigh %zu octets", weight.bodies);
    ck_assert_msg(weight.page < 60 * 1024, "the page weighs %zu octets", weight.page);
}
END_TEST

START_TEST(test_the_root_is_the_page_for_browsers_and_text_for_others)
{
    struct reply page = http_ask(server, "GET", "/?lesson=2&big=1",
                                 "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n", NULL, 0);
    struct reply file = http_get(server, "/index.html"), text = http_get(server, "/");
    struct reply help = http_get(server, "/help");

    ck_assert_uint_eq(page.len, file.len);
    ck_assert_mem_eq(page.body, file.body, file.len);
    ck_assert(has(&page, "content-type", "text/html"));
    ck_assert(has(&page, "vary", "Accept, Accept-Encoding"));
    ck_assert(has(&text, "content-type", "text/plain"));
    ck_assert_str_eq(text.body, help.body);
    ck_assert(has(&text, "cache-control", "no-store"));
    reply_free(&page);
    reply_free(&file);
    reply_free(&text);
    reply_free(&help);
}
END_TEST

START_TEST(test_a_page_may_load_and_reach_this_server_only)
{
    static const char *const rules[] = {
        "default-src 'none'", "script-src 'self';", "style-src 'self';",     "connect-src 'self'",
        "base-uri 'none'",    "form-action 'self'", "frame-ancestors 'none'"};
    struct reply r = http_get(server, "/index.html");

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        ck_assert_msg(has(&r, "content-security-policy", rules[i]), "no %s", rules[i]);
    ck_assert(!has(&r, "content-security-policy", "unsafe"));
    ck_assert(has(&r, "referrer-policy", "no-referrer"));
    reply_free(&r);
}
END_TEST

START_TEST(test_head_has_the_fields_of_get_and_no_body)
{
    struct reply get = http_get(server, "/index.html");
    struct reply head = http_ask(server, "HEAD", "/index.html", NULL, NULL, 0);
    char tag[64];

    snprintf(tag, sizeof(tag), "%s", reply_field(&get, "etag"));
    ck_assert_int_eq(head.status, 200);
    ck_assert_str_eq(reply_field(&head, "etag"), tag);
    ck_assert_uint_eq(strtoul(reply_field(&head, "content-length"), NULL, 10), get.len);
    ck_assert_uint_eq(head.len, 0);
    reply_free(&get);
    reply_free(&head);
}
END_TEST

static int
status_with(const char *method, const char *target, const char *fields)
{
    struct reply r = http_ask(server, method, target, fields, NULL, 0);
    int status = r.status;

    reply_free(&r);
    return status;
}

START_TEST(test_who_takes_html_is_asked_as_rfc_9110_says)
{
    static const struct {
        const char *accept;
        bool html;
    } cases[] = {
        {"Accept: text/html\r\n", true},
        {"Accept: TEXT/HTML;q=0.1\r\n", true},
        {"Accept: application/json, text/html ;charset=utf-8\r\n", true},
        {"Accept: text/html;q=0\r\n", false},
        {"Accept: text/html5\r\n", false},
        {"Accept: */*\r\n", false},
        {"", false},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply r = http_ask(server, "GET", "/", cases[i].accept, NULL, 0);
        const char *type = reply_field(&r, "content-type");

        ck_assert_msg(strstr(type, cases[i].html ? "text/html" : "text/plain") != NULL, "%s: %s",
                      cases[i].accept, type);
        ck_assert(strstr(reply_field(&r, "vary"), "Accept") != NULL);
        reply_free(&r);
    }
}
END_TEST

START_TEST(test_conditions_are_those_of_rfc_9110)
{
    struct reply r = http_get(server, "/index.html");
    char match[100], none[100], weak[100], weak_none[100], lines[200];

    snprintf(match, sizeof(match), "If-Match: %s\r\n", reply_field(&r, "etag"));
    snprintf(weak, sizeof(weak), "If-Match: W/%s\r\n", reply_field(&r, "etag"));
    snprintf(weak_none, sizeof(weak_none), "If-None-Match: W/%s\r\n", reply_field(&r, "etag"));
    snprintf(none, sizeof(none), "If-None-Match: %s\r\n", reply_field(&r, "etag"));
    ck_assert_int_eq(status_with("GET", "/index.html", match), 200);
    ck_assert_int_eq(status_with("GET", "/index.html", "If-Match: *\r\n"), 200);
    ck_assert_int_eq(status_with("GET", "/index.html", "If-Match: \"other\"\r\n"), 412);
    ck_assert_int_eq(status_with("HEAD", "/index.html", none), 304);
    /* a list may be spread over several lines */
    snprintf(lines, sizeof(lines), "If-None-Match: \"other\"\r\n%s", none);
    ck_assert_int_eq(status_with("GET", "/index.html", lines), 304);
    snprintf(lines, sizeof(lines), "If-Match: \"other\"\r\n%s", match);
    ck_assert_int_eq(status_with("GET", "/index.html", lines), 200);
    /* section 8.8.3.2: compared strongly in If-Match, weakly in If-None-Match */
    ck_assert_int_eq(status_with("GET", "/index.html", weak), 412);
    ck_assert_int_eq(status_with("GET", "/index.html", weak_none), 304);
    ck_assert_int_eq(status_with("GET", "/index.html", "If-None-Match: *\r\n"), 304);
    ck_assert_int_eq(status_with("GET", "/index.html", "If-None-Match: \"other\", , \"\"\r\n"),
                     200);
    /* the text of / has no tag */
    ck_assert_int_eq(status_with("GET", "/", none), 200);
    ck_assert_int_eq(status_with("GET", "/", match), 412);
    reply_free(&r);
}
END_TEST

START_TEST(test_who_does_not_take_gzip_gets_it_plain)
{
    static const char *const fields[] = {"Accept-Encoding: identity\r\n",
                                         "Accept-Encoding: gzip;q=0\r\n",
                                         "Accept-Encoding: br, gzip; q=0.000\r\n",
                                         "Accept-Encoding: gzipped\r\n", "Accept-Encoding: \r\n"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct reply r = http_ask(server, "GET", "/index.html", fields[i], NULL, 0);

        ck_assert_msg(reply_field(&r, "content-encoding") == NULL, "%s", fields[i]);
        reply_free(&r);
    }
}
END_TEST

START_TEST(test_files_are_for_reading_and_for_pages_of_this_server)
{
    ck_assert_int_eq(status_with("POST", "/index.html", NULL), 405);
    ck_assert_int_eq(status_with("GET", "/index.html", "Origin: http://example.org\r\n"), 403);
    ck_assert_int_eq(status_with("GET", "/index.html",
                                 "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"),
                     200);
    ck_assert_int_eq(status_with("GET", "/index.html",
                                 "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"),
                     403);
    ck_assert_int_eq(status_with("GET", "/no-such.js", NULL), 404);
    ck_assert_int_eq(status_with("GET", "/../server/web/index.html", NULL), 404);
    ck_assert_int_eq(status_with("GET", "/.index.html", NULL), 404);
}
END_TEST

static void
write_file(const char *folder, const char *name, const char *text)
{
    char path[200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void
expect_body(const struct server *s, const char *target, const char *wanted)
{
    struct reply r = http_ask(s, "GET", target, "Accept-Encoding: gzip\r\n", NULL, 0);

    ck_assert_msg(r.status == 200, "%s: %d", target, r.status);
    ck_assert_str_eq(r.body, wanted);
    reply_free(&r);
}

START_TEST(test_web_root_serves_a_folder_and_reads_it_each_time)
{
    static const char *const names[] = {"index.html", "about.html", "new.js", ".hidden.js",
                                        "Copy of new.js"};
    char folder[] = "/tmp/interleave-test-XXXXXX", option[100], path[200];
    struct server *s;
    struct reply r, again;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        write_file(folder, names[i], "first");
    snprintf(option, sizeof(option), "web_root=%s", folder);
    s = server_start((const char *const[]){option, NULL});
    expect_body(s, "/index.html", "first");
    expect_body(s, "/about", "first");
    expect_body(s, "/new.js", "first");
    r = http_get(s, "/new.js");
    write_file(folder, "new.js", "second");
    again = http_get(s, "/new.js");
    ck_assert_str_eq(again.body, "second");
    ck_assert(strcmp(strstr(r.head, "ETag"), strstr(again.head, "ETag")) != 0);
    reply_free(&r);
    reply_free(&again);
    r = http_get(s, "/.hidden.js");
    ck_assert_int_eq(r.status, 404);
    reply_free(&r);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    r = http_get(s, "/new.js"); /* it went away */
    ck_assert_int_eq(r.status, 404);
    reply_free(&r);
    server_stop(s);
    rmdir(folder);
}
END_TEST

START_TEST(test_a_web_root_that_is_not_there_is_a_mistake_in_the_config)
{
    char out[4096];
    int status = server_run((const char *const[]){"-t", "-o", "web_root=/nowhere/at/all", NULL},
                            out, sizeof(out));

    ck_assert_int_eq(status, 78);
    ck_assert_ptr_nonnull(strstr(out, "web_root must be the path of a folder"));
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_every_file_of_the_page_is_served_plain_compressed_and_unchanged,
        test_the_root_is_the_page_for_browsers_and_text_for_others,
        test_a_page_may_load_and_reach_this_server_only,
        test_head_has_the_fields_of_get_and_no_body,
        test_who_takes_html_is_asked_as_rfc_9110_says,
        test_conditions_are_those_of_rfc_9110,
        test_who_does_not_take_gzip_gets_it_plain,
        test_files_are_for_reading_and_for_pages_of_this_server,
        test_web_root_serves_a_folder_and_reads_it_each_time,
        test_a_web_root_that_is_not_there_is_a_mistake_in_the_config,
    };

    return suite_run_mode(suite_of("web", start, stop, tests, sizeof(tests) / sizeof(tests[0])),
                          CK_NOFORK);
}
