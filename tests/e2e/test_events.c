/*
 * /events: what a reader is told is what happened, and who comes back gets what followed. Many
 * readers and much to tell: test_events_load.c.
 */
#include "sse.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KIND_REQUEST = 0, KIND_QUERY = 5, KIND_TASK = 8 };

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
}

static void
stop(void)
{
    server_stop(server);
}

/* Number of a row's column. */
static double
cell(json_t *row, size_t column)
{
    return json_number_value(json_array_get(row, column));
}

static unsigned
rows_of(json_t *batch, const char *name)
{
    ck_assert(json_is_array(json_object_get(batch, name)));
    return (unsigned)json_array_size(json_object_get(batch, name));
}

START_TEST(test_the_first_event_says_what_the_numbers_mean)
{
    struct reply r = http_get(server, "/version");
    struct sse_event e;
    struct sse s;
    json_t *hello;
    char start_of_id[64];

    sse_open(&s, server, NULL, 0);
    hello = sse_wait_for(&s, "hello", &e);
    snprintf(start_of_id, sizeof(start_of_id), "%s-", json_text(hello, "start"));
    ck_assert(strncmp(reply_field(&r, "x-request-id"), start_of_id, strlen(start_of_id)) == 0);
    ck_assert(strncmp(e.id, start_of_id, strlen(start_of_id)) == 0);
    ck_assert_str_eq(json_text(hello, "kinds.0"), "request");
    ck_assert_str_eq(json_text(hello, "kinds.8"), "task");
    ck_assert_uint_eq(json_array_size(json_object_get(hello, "kinds")), 10);
    ck_assert_str_eq(json_text(hello, "routes.0"), "/");
    ck_assert_str_eq(json_text(hello, "config"), "(defaults)");
    ck_assert(json_number(hello, "workers") == 2);
    ck_assert(json_number(hello, "cpus") == usable_cpus());
    ck_assert(json_number(hello, "limits.db_slow") == 64);
    ck_assert(json_number(hello, "now") > 0);
    ck_assert_uint_eq(strlen(json_text(hello, "date")), 20);
    json_decref(hello);
    sse_event_free(&e);
    sse_close(&s);
    reply_free(&r);
}
END_TEST

/* What a row of batches has said of one request. */
struct told {
    bool open_db, open_cpu;
    unsigned requests, queries, tasks;
    double start, duration, cpu_time;
    double most_queries, most_tasks;
};

static void
note(struct told *t, json_t *batch, double request)
{
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(batch, "spans"), i, row) {
        if (cell(row, 2) != request)
            continue;
        t->queries += cell(row, 0) == KIND_QUERY;
        if (cell(row, 0) == KIND_TASK) {
            t->tasks++;
            t->cpu_time += cell(row, 5);
        }
        if (cell(row, 0) == KIND_REQUEST) {
            t->requests++;
            t->start = cell(row, 4);
            t->duration = cell(row, 5);
        }
    }
    json_array_foreach(json_object_get(batch, "open"), i, row) {
        const char *waits = json_string_value(json_array_get(row, 3));

        if (cell(row, 0) != request)
            continue;
        t->open_db |= strcmp(waits, "db") == 0;
        t->open_cpu |= strcmp(waits, "cpu") == 0;
    }
    json_array_foreach(json_object_get(batch, "queries"), i, row)
        if (cell(row, 1) > t->most_queries)
            t->most_queries = cell(row, 1);
    json_array_foreach(json_object_get(batch, "tasks"), i, row)
        if (cell(row, 1) > t->most_tasks)
            t->most_tasks = cell(row, 1);
}

START_TEST(test_a_request_is_seen_while_it_waits_and_when_it_is_over)
{
    struct told t = {0};
    double request, to = -1;
    struct sse_event e;
    struct reply r;
    struct sse s;
    int fd = client_connect(server);

    sse_open(&s, server, NULL, 0);
    json_decref(sse_wait_for(&s, "batch", &e));
    sse_event_free(&e);
    r = http_get(server, "/version");
    request = atof(strchr(reply_field(&r, "x-request-id"), '-') + 1) + 1; /* the next one */
    reply_free(&r);
    client_send_get(fd, "/work?wait_ms=300&cpu_ms=300&sections=2");
    while (t.requests == 0) {
        json_t *batch = sse_wait_for(&s, "batch", &e);

        ck_assert(to < 0 || json_number(batch, "from") == to);
        to = json_number(batch, "to");
        note(&t, batch, request);
        json_decref(batch);
        sse_event_free(&e);
    }
    ck_assert(t.open_db && t.open_cpu);
    ck_assert_uint_eq(t.queries, 1);
    ck_assert_uint_eq(t.tasks, 2);
    ck_assert(t.duration > 400e3 && t.start > 0);
    ck_assert(t.most_queries >= 1 && t.most_tasks >= 2);
    sse_close(&s);
    close(fd);
}
END_TEST

START_TEST(test_who_comes_back_gets_exactly_what_followed)
{
    struct sse first, steady, again;
    struct sse_event e, wanted;
    unsigned long long seen;
    char fields[100];

    sse_open(&steady, server, NULL, 0);
    sse_open(&first, server, NULL, 0);
    json_decref(sse_wait_for(&first, "batch", &e));
    sse_close(&first);
    seen = e.number;
    snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", e.id);
    sse_event_free(&e);
    do {
        json_decref(sse_wait_for(&steady, "batch", &wanted));
        sse_event_free(&wanted);
    } while (wanted.number < seen + 3);

    sse_close(&steady);
    sse_open(&steady, server, fields, 0); /* two who come back get the same octets */
    sse_open(&again, server, fields, 0);
    json_decref(sse_wait_for(&again, "hello", &e));
    ck_assert_uint_eq(e.number, seen);
    sse_event_free(&e);
    json_decref(sse_wait_for(&steady, "hello", &wanted));
    sse_event_free(&wanted);
    for (unsigned i = 1; i <= 6; i++) {
        ck_assert(sse_wait(&again, &e) && sse_wait(&steady, &wanted));
        ck_assert_str_eq(e.name, "batch");
        ck_assert_uint_eq(e.number, seen + i);
        ck_assert_str_eq(e.id, wanted.id);
        ck_assert_str_eq(e.text, wanted.text);
        sse_event_free(&e);
        sse_event_free(&wanted);
    }
    sse_close(&again);
    sse_close(&steady);
}
END_TEST

static void
expect_batches(struct sse *s, unsigned count)
{
    struct sse_event e;

    while (count-- > 0) {
        json_decref(sse_wait_for(s, "batch", &e));
        sse_event_free(&e);
    }
}

/* One of them is the clock of all, without knowing it. */
START_TEST(test_whoever_leaves_the_others_go_on)
{
    struct sse readers[4];

    for (unsigned i = 0; i < 4; i++) {
        sse_open(&readers[i], server, NULL, 0);
        expect_batches(&readers[i], 1);
    }
    for (unsigned gone = 0; gone < 4; gone++) {
        for (unsigned i = gone; i < 4; i++)
            expect_batches(&readers[i], 2);
        sse_close(&readers[gone]);
    }
}
END_TEST

/* Something that is not an id of this start, or one that was never given. */
START_TEST(test_an_id_that_is_not_known_is_told_as_a_gap)
{
    static const char *const ids[] = {
        "1-5", "x", "-", "-3", "5-", "1-99999999999999999999999", "\"", "00000000000000000000-0"};
    struct reply r = http_get(server, "/version");
    char fields[200];

    for (size_t i = 0; i <= sizeof(ids) / sizeof(ids[0]); i++) {
        struct sse_event e, batch;
        struct sse s;
        json_t *gap;

        if (i < sizeof(ids) / sizeof(ids[0]))
            snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", ids[i]);
        else
            snprintf(fields, sizeof(fields), "Last-Event-ID: %.*s-999999999\r\n",
                     (int)strcspn(reply_field(&r, "x-request-id"), "-"),
                     reply_field(&r, "x-request-id"));
        sse_open(&s, server, fields, 0);
        json_decref(sse_wait_for(&s, "hello", &e));
        sse_event_free(&e);
        ck_assert(sse_wait(&s, &e));
        ck_assert_msg(strcmp(e.name, "gap") == 0, "%s gives %s", fields, e.name);
        gap = json_loads(e.text, 0, NULL);
        ck_assert(json_number(gap, "missed") == -1);
        ck_assert(json_number(gap, "from") <= json_number(gap, "to"));
        ck_assert(sse_wait(&s, &batch));
        ck_assert_str_eq(batch.name, "batch");
        ck_assert_uint_eq(batch.number, e.number + 1);
        json_decref(gap);
        sse_event_free(&e);
        sse_event_free(&batch);
        sse_close(&s);
    }
    reply_free(&r);
}
END_TEST

START_TEST(test_requests_that_can_not_be_served_are_told_why)
{
    json_t *root = get_json(server, "/events?since=yesterday", 400);
    struct reply r;

    ck_assert_ptr_nonnull(strstr(json_text(root, "detail"), "since must be the id of an event"));
    json_decref(root);
    root = get_json(server, "/events?sinc=1-1", 400);
    json_decref(root);
    r = http_ask(server, "GET", "/events", "Origin: http://example.org\r\n", NULL, 0);
    ck_assert_int_eq(r.status, 403);
    reply_free(&r);
    r = http_ask(server, "POST", "/events", NULL, NULL, 0);
    ck_assert_int_eq(r.status, 405);
    reply_free(&r);
    r = http_ask(server, "HEAD", "/events", NULL, NULL, 0);
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(reply_field(&r, "content-type"), "text/event-stream");
    reply_free(&r);
}
END_TEST

START_TEST(test_watching_is_no_part_of_what_is_watched)
{
    double began, switches = 0, busy = 0;
    unsigned seen = 0;
    struct sse_event e;
    struct sse s;
    json_t *root;

    sse_open(&s, server, NULL, 0);
    root = sse_wait_for(&s, "hello", &e);
    began = json_number(root, "now");
    json_decref(root);
    sse_event_free(&e);
    while (seen < 5) {
        root = sse_wait_for(&s, "batch", &e);
        sse_event_free(&e);
        if (json_number(root, "from") >
            began) { /* what is told from here on, happened from here on */
            ck_assert_msg(rows_of(root, "spans") == 0, "%s",
                          json_dumps(json_object_get(root, "spans"), 0));
            ck_assert_uint_eq(rows_of(root, "open"), 0);
            ck_assert(json_number(root, "counts.requests") == 0);
            ck_assert(json_number(root, "counts.tasks") == 0);
            ck_assert(seen == 0 || json_number(root, "counts.loop_switches") == switches);
            ck_assert(json_number(root, "counts.loop_busy") > busy);
            switches = json_number(root, "counts.loop_switches");
            busy = json_number(root, "counts.loop_busy");
            seen++;
        }
        json_decref(root);
    }
    sse_close(&s);
}
END_TEST

START_TEST(test_nothing_is_made_while_nobody_reads)
{
    struct sse_event e;
    struct sse s;
    unsigned long long last;
    char fields[100];

    sse_open(&s, server, NULL, 0);
    json_decref(sse_wait_for(&s, "batch", &e));
    last = e.number;
    snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", e.id);
    sse_event_free(&e);
    sse_close(&s);
    for (unsigned i = 0; i < 10; i++) { /* more than a second of something to tell */
        struct reply r = http_get(server, "/db/sleep?ms=100");

        reply_free(&r);
    }
    sse_open(&s, server, fields, 0);
    json_decref(sse_wait_for(&s, "hello", &e));
    ck_assert_uint_le(e.number, last + 1); /* one may have been on its way */
    sse_event_free(&e);
    sse_close(&s);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_the_first_event_says_what_the_numbers_mean,
        test_a_request_is_seen_while_it_waits_and_when_it_is_over,
        test_who_comes_back_gets_exactly_what_followed,
        test_whoever_leaves_the_others_go_on,
        test_an_id_that_is_not_known_is_told_as_a_gap,
        test_requests_that_can_not_be_served_are_told_why,
        test_watching_is_no_part_of_what_is_watched,
        test_nothing_is_made_while_nobody_reads,
    };

    return suite_run_mode(suite_of("events", start, stop, tests, sizeof(tests) / sizeof(tests[0])),
                          CK_NOFORK);
}
