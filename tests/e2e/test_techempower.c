/*
 * The seven addresses of the TechEmpower set, looked at as their public verifier looks at answers,
 * and more strictly: where it forgives (another case, further members, other entities), these tests
 * do not, and every row is compared with the table. How often PostgreSQL was asked:
 * test_techempower_load.c.
 */
#include "suite.h"
#include "worlds.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct server *server;
static struct pg_conn *pg;

static void
start(void)
{
    server = server_start(NULL);
    pg = database_connect();
}

static void
stop(void)
{
    database_disconnect(pg);
    server_stop(server);
}

/* ---- an answer, with the fields that every one of them must have ---- */

/* What the verifier accepts, and the type that must come. */
struct kind {
    const char *accept;
    const char *type;
};

static const struct kind plain = {"text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,"
                                  "application/xml;q=0.8,*/*;q=0.7",
                                  "text/plain"};
static const struct kind json = {"application/json,text/html;q=0.9,application/xhtml+xml;q=0.9,"
                                 "application/xml;q=0.8,*/*;q=0.7",
                                 "application/json"};
static const struct kind html = {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                                 "text/html; charset=utf-8"};

/* IMF-fixdate (RFC 9110, 5.6.7), not more than two seconds from now. */
static void
check_date(const char *date)
{
    struct tm tm = {0};
    const char *end;

    ck_assert_ptr_nonnull(date);
    end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    ck_assert_msg(end != NULL && *end == '\0' && strlen(date) == 29, "Date: %s", date);
    ck_assert_msg(labs(timegm(&tm) - time(NULL)) <= 2, "Date: %s, but now is %ld", date,
                  (long)time(NULL));
}

static struct reply
ask(const char *target, const struct kind *kind)
{
    char fields[256], length[32];
    struct reply r;

    snprintf(fields, sizeof(fields), "Accept: %s\r\n", kind->accept);
    r = http_ask(server, "GET", target, fields, NULL, 0);
    ck_assert_msg(r.status == 200, "%s: %d %s", target, r.status, r.body);
    ck_assert_str_eq(reply_field(&r, "content-type"), kind->type);
    ck_assert_ptr_nonnull(reply_field(&r, "server"));
    ck_assert_str_ne(reply_field(&r, "server"), "");
    snprintf(length, sizeof(length), "%zu", r.len);
    ck_assert_str_eq(reply_field(&r, "content-length"), length);
    check_date(reply_field(&r, "date"));
    ck_assert_ptr_null(reply_field(&r, "x-request-id"));
    return r;
}

static json_t *
ask_json(const char *target)
{
    struct reply r = ask(target, &json);
    json_t *root = reply_json_body(&r);

    reply_free(&r);
    return root;
}

/* ---- /plaintext, /json, /db ---- */

START_TEST(test_plaintext_is_thirteen_octets)
{
    struct reply r = ask("/plaintext", &plain);

    ck_assert_str_eq(r.body, "Hello, World!");
    reply_free(&r);
}
END_TEST

START_TEST(test_json_is_one_member_without_a_needless_octet)
{
    struct reply r = ask("/json", &json);

    ck_assert_str_eq(r.body, "{\"message\":\"Hello, World!\"}");
    reply_free(&r);
}
END_TEST

START_TEST(test_the_date_moves_on)
{
    struct reply first = http_get(server, "/plaintext");
    time_t asked = time(NULL);
    char date[64];
    bool moved = false;

    snprintf(date, sizeof(date), "%s", reply_field(&first, "date"));
    while (!moved && time(NULL) <= asked + 3) {
        struct reply r = http_get(server, "/plaintext");

        check_date(reply_field(&r, "date"));
        moved = strcmp(reply_field(&r, "date"), date) != 0;
        reply_free(&r);
    }
    ck_assert_msg(moved, "after 3 s it is still %s", date);
    reply_free(&first);
}
END_TEST

START_TEST(test_db_is_one_row_of_the_table_and_not_always_the_same)
{
    static struct worlds table;
    bool seen[WORLDS + 1] = {false};
    unsigned different = 0;

    worlds_read(pg, "world", &table);
    for (unsigned i = 0; i < 20; i++) {
        json_t *root = ask_json("/db");
        int number, id = worlds_row(root, &number);

        ck_assert_int_eq(number, table.number[id]);
        different += !seen[id];
        seen[id] = true;
        json_decref(root);
    }
    /* one in 10^15 runs has fewer */
    ck_assert_uint_ge(different, 15);
}
END_TEST

/* ---- lists: /queries, /cached-queries, /updates ---- */

static const struct {
    const char *query;
    size_t rows;
} counts[] = {
    {"", 1},
    {"?queries=", 1},
    {"?queries=foo", 1},
    {"?queries=2foo", 1},
    {"?queries=1.5", 1},
    {"?queries=-3", 1},
    {"?queries=0", 1},
    {"?queries=1", 1},
    {"?queries=2", 2},
    {"?queries=20", 20},
    {"?queries=500", 500},
    {"?queries=501", 500},
    {"?queries=99999999999999999999", 500},
    {"?other=7&queries=3", 3},
};

enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };

static void
check_lists(const char *path, const char *table_name)
{
    static struct worlds table;
    char target[128];

    worlds_read(pg, table_name, &table);
    for (size_t i = 0; i < COUNTS; i++) {
        json_t *list;

        snprintf(target, sizeof(target), "%s%s", path, counts[i].query);
        list = ask_json(target);
        ck_assert_msg(json_is_array(list) && json_array_size(list) == counts[i].rows,
                      "%s: %zu rows instead of %zu", target, json_array_size(list), counts[i].rows);
        worlds_check_list(list, counts[i].rows, &table);
        json_decref(list);
    }
}

/* Two lists of 20 out of 10,000 are never the same by chance. */
static void
check_chance(const char *target)
{
    json_t *a = ask_json(target), *b = ask_json(target);

    ck_assert_msg(!json_equal(a, b), "%s is always the same", target);
    json_decref(a);
    json_decref(b);
}

START_TEST(test_queries_is_a_list_as_long_as_asked_between_1_and_500)
{
    check_lists("/queries", "world");
    check_chance("/queries?queries=20");
}
END_TEST

START_TEST(test_cached_queries_is_a_list_as_long_as_asked_between_1_and_500)
{
    json_t *by_count;

    check_lists("/cached-queries", "cached_world");
    check_chance("/cached-queries?queries=20");
    by_count = ask_json("/cached-queries?count=20");
    ck_assert_uint_eq(json_array_size(by_count), 20);
    json_decref(by_count);
}
END_TEST

/* Every row of the answer stands in the table with its new number, every other row as before.
 * Returns how many rows of the answer have another number than before. */
static size_t
check_written(json_t *list, const struct worlds *before, const struct worlds *after)
{
    bool answered[WORLDS + 1] = {false};
    size_t changed = 0, i;
    json_t *row;

    json_array_foreach(list, i, row) {
        int number, id = worlds_row(row, &number);

        ck_assert_msg(!answered[id], "row %d is there twice", id);
        answered[id] = true;
        ck_assert_int_eq(after->number[id], number);
        changed += number != before->number[id];
    }
    for (int id = 1; id <= WORLDS; id++)
        ck_assert(answered[id] || after->number[id] == before->number[id]);
    return changed;
}

START_TEST(test_updates_answers_what_then_stands_in_the_table)
{
    static struct worlds before, after;
    size_t rows = 0, changed = 0;
    char target[128];

    worlds_read(pg, "world", &before);
    for (size_t i = 0; i < COUNTS; i++) {
        json_t *list;

        snprintf(target, sizeof(target), "/updates%s", counts[i].query);
        list = ask_json(target);
        ck_assert_msg(json_is_array(list) && json_array_size(list) == counts[i].rows,
                      "%s: %zu rows instead of %zu", target, json_array_size(list), counts[i].rows);
        worlds_read(pg, "world", &after);
        changed += check_written(list, &before, &after);
        rows += counts[i].rows;
        before = after;
        json_decref(list);
    }
    /* a new number is the old one once in 10,000 times */
    ck_assert_uint_ge(changed, rows - rows / 50);
}
END_TEST

/* ---- /fortunes ---- */

static const char fortunes_page[] =
    "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table>"
    "<tr><th>id</th><th>message</th></tr>"
    "<tr><td>11</td><td>&lt;script&gt;alert(&quot;This should not be displayed in a browser alert "
    "box.&quot;);&lt;/script&gt;</td></tr>"
    "<tr><td>4</td><td>A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1</td></tr>"
    "<tr><td>5</td><td>A computer program does what you tell it to do, not what you want it to "
    "do.</td></tr>"
    "<tr><td>2</td><td>A computer scientist is someone who fixes things that aren&#39;t broken."
    "</td></tr>"
    "<tr><td>8</td><td>A list is only as strong as its weakest link. \u2014 Donald Knuth</td></tr>"
    "<tr><td>0</td><td>Additional fortune added at request time.</td></tr>"
    "<tr><td>3</td><td>After enough decimal places, nobody gives a damn.</td></tr>"
    "<tr><td>7</td><td>Any program that runs right is obsolete.</td></tr>"
    "<tr><td>10</td><td>Computers make very fast, very accurate mistakes.</td></tr>"
    "<tr><td>6</td><td>Emacs is a nice operating system, but I prefer UNIX. \u2014 Tom Christaensen"
    "</td></tr>"
    "<tr><td>9</td><td>Feature: A bug with seniority.</td></tr>"
    "<tr><td>1</td><td>fortune: No such file or directory</td></tr>"
    "<tr><td>12</td><td>フレームワークのベンチマーク</td></tr>"
    "</table></body></html>";

START_TEST(test_fortunes_is_the_page_sorted_and_escaped)
{
    struct reply r = ask("/fortunes", &html);

    ck_assert_str_eq(r.body, fortunes_page);
    reply_free(&r);
}
END_TEST

START_TEST(test_fortunes_reads_the_table_each_time)
{
    struct reply r;
    bool there;

    database_run(pg, "begin; insert into interleave.fortune values (13, 'B & <b>'); commit");
    r = ask("/fortunes", &html);
    there = strstr(r.body, "<tr><td>13</td><td>B &amp; &lt;b&gt;</td></tr><tr><td>10</td>") != NULL;
    database_run(pg, "delete from interleave.fortune where id = 13");
    ck_assert_msg(there, "%s", r.body);
    reply_free(&r);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_plaintext_is_thirteen_octets,
        test_json_is_one_member_without_a_needless_octet,
        test_the_date_moves_on,
        test_db_is_one_row_of_the_table_and_not_always_the_same,
        test_queries_is_a_list_as_long_as_asked_between_1_and_500,
        test_cached_queries_is_a_list_as_long_as_asked_between_1_and_500,
        test_updates_answers_what_then_stands_in_the_table,
        test_fortunes_is_the_page_sorted_and_escaped,
        test_fortunes_reads_the_table_each_time,
    };

    return suite_run_mode(
        suite_of("techempower", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
