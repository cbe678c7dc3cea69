/*
 * /events under load: a flood of requests is told by as many spans as a page can draw, and counted
 * exactly; 200 readers, half of which never read, harm nobody; the end of the server is the end of
 * the stream.
 */
#include "sse.h"
#include "steady.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static double
now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static unsigned
rows_of(json_t *batch, const char *name)
{
    ck_assert(json_is_array(json_object_get(batch, name)));
    return (unsigned)json_array_size(json_object_get(batch, name));
}

enum { FLOOD_AT_ONCE = 64 };

/* So many answers of requests sent in one go, read away. */
static void
flood(int fd, unsigned rounds)
{
    static const char ask[] = "GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct reply r;

    for (unsigned i = 0; i < rounds; i++) {
        char text[FLOOD_AT_ONCE * sizeof(ask)] = "";

        for (unsigned k = 0; k < FLOOD_AT_ONCE; k++)
            memcpy(text + k * (sizeof(ask) - 1), ask, sizeof(ask));
        client_send(fd, text);
        for (unsigned k = 0; k < FLOOD_AT_ONCE; k++) {
            ck_assert(client_read_reply(fd, &r, false));
            ck_assert_int_eq(r.status, 200);
            reply_free(&r);
        }
    }
}

/* Reads what has come; adds its spans; the last of counts.answered. */
static void
read_batches(struct sse *s, double *spans, double *answered)
{
    struct sse_event e;

    (void)sse_take(s);
    while (sse_next(s, &e)) {
        if (strcmp(e.name, "batch") == 0) {
            json_t *batch = json_loads(e.text, 0, NULL);

            ck_assert_ptr_nonnull(batch);
            *spans += rows_of(batch, "spans");
            *answered = json_number(batch, "counts.answered");
            ck_assert_uint_le(rows_of(batch, "spans"), 400);
            ck_assert_uint_le(rows_of(batch, "slices"), 400);
            ck_assert_uint_le(rows_of(batch, "open"), 100);
            json_decref(batch);
        } else {
            ck_assert_msg(strcmp(e.name, "gap") != 0, "a gap: %s", e.text);
        }
        sse_event_free(&e);
    }
}

START_TEST(test_of_a_flood_4000_spans_a_second_are_told_and_all_are_counted)
{
    static const struct steady_row rows[] = {
        {.path = "/db", .clients = 24, .limit_ms = E2E_DEADLINE_MS},
        {.path = "/json", .clients = 8, .limit_ms = E2E_DEADLINE_MS},
    };
    struct steady_count counts[2];
    double spans = 0, answered = 0, before, began, took, wanted;
    int fd = client_connect(server);
    struct steady *load;
    unsigned rounds = 0;
    struct sse s;

    before = status_number(server, "requests.answered");
    load = steady_start(server, rows, 2);
    sse_open(&s, server, NULL, 0);
    for (began = now_s(); now_s() - began < 3; rounds++) {
        flood(fd, 1);
        read_batches(&s, &spans, &answered);
    }
    took = now_s() - began;
    steady_end(&load, counts);
    wanted = before + 1 + rounds * FLOOD_AT_ONCE + (double)(counts[0].good + counts[1].good);
    ck_assert(status_number(server, "requests.answered") == wanted);
    while (answered < wanted + 1) { /* and that question itself */
        ck_assert(!s.closed);
        read_batches(&s, &spans, &answered);
    }
    ck_assert(answered == wanted + 1);
    ck_assert_msg(spans <= 4000 * took + 400, "%g spans in %g s", spans, took);
    ck_assert(spans > 0);
    sse_close(&s);
    close(fd);
}
END_TEST

/* Resident memory of a process in KiB. */
static long
resident(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    fclose(f);
    ck_assert_int_gt(kib, 0);
    return kib;
}

enum { EACH = 100 };

/* Takes what has come to these readers: every number, without a gap. */
static void
read_all(struct sse *good, unsigned long long *last)
{
    struct sse_event e;

    for (unsigned i = 0; i < EACH; i++) {
        ck_assert_msg(sse_take(&good[i]), "reader %u was cut", i);
        while (sse_next(&good[i], &e)) {
            ck_assert_str_ne(e.name, "gap");
            ck_assert(last[i] == 0 || e.number == last[i] + 1);
            last[i] = e.number;
            sse_event_free(&e);
        }
    }
}

/* Load for some seconds, and what a request takes meanwhile at most. */
static double
load_and_read(const struct server *s, struct sse *good, unsigned long long *last)
{
    double longest = 0, began = now_s();
    int fd = client_connect(s);

    while (now_s() - began < 6) {
        double asked;
        struct reply r;

        flood(fd, 4);
        asked = now_s();
        r = http_get(s, "/db/sleep?ms=1");
        ck_assert_int_eq(r.status, 200);
        if (now_s() - asked > longest)
            longest = now_s() - asked;
        reply_free(&r);
        read_all(good, last);
    }
    close(fd);
    return longest;
}

/* One who did not read for long: what comes is in order, and what does not come is told. */
static void
read_late(struct sse *late, unsigned long long until)
{
    unsigned long long last = 0;
    struct sse_event e;

    while (last < until) {
        ck_assert(sse_wait(late, &e));
        if (strcmp(e.name, "gap") == 0) {
            json_t *gap = json_loads(e.text, 0, NULL);

            ck_assert(json_number(gap, "missed") == (double)(e.number - last));
            json_decref(gap);
        } else {
            ck_assert(last == 0 || e.number == last + 1);
        }
        last = e.number;
        sse_event_free(&e);
    }
}

START_TEST(test_200_readers_of_which_half_never_read_harm_nobody)
{
    static const char *const options[] = {"workers=2", NULL};
    static struct sse good[EACH], bad[EACH];
    static unsigned long long last[EACH];
    struct server *s = server_start(options);
    long before = resident(server_front(s)), after;
    double longest, began;

    memset(last, 0, sizeof(last));
    for (unsigned i = 0; i < EACH; i++) {
        sse_open_silently(&bad[i], s, 4096);
        sse_open(&good[i], s, NULL, 0);
    }
    longest = load_and_read(s, good, last);
    for (unsigned i = 0; i < EACH; i++)
        ck_assert_msg(last[i] > 20 && last[i] + 20 > last[0], "reader %u has %llu of %llu", i,
                      last[i], last[0]);
    after = resident(server_front(s));
    /* each that never reads may hold 128 KiB and a batch in http/ */
    ck_assert_msg(after - before < EACH * 256 + 16 * 1024, "%ld KiB, then %ld", before, after);
    ck_assert_msg(longest < 1, "a request took %g s", longest);
    read_late(&bad[0], last[0]);
    for (unsigned i = 0; i < EACH; i++)
        sse_close(&good[i]);
    status_wait(s, "connections.open", EACH + 1, EACH + 1);
    began = now_s();
    server_stop(s); /* nor do they hold up its end */
    ck_assert_msg(now_s() - began < 10, "it took %g s", now_s() - began);
    for (unsigned i = 0; i < EACH; i++)
        sse_close(&bad[i]);
}
END_TEST

START_TEST(test_the_end_of_the_server_is_the_end_of_the_stream)
{
    struct server *s = server_start(NULL);
    int fd = client_connect(s);
    struct reply r;
    double began;

    client_send_get(fd, "/events");
    status_wait(s, "connections.open", 2, 2);
    began = now_s();
    server_stop(s);
    ck_assert_msg(now_s() - began < 5, "it took %g s", now_s() - began);
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_ptr_nonnull(strstr(r.body, "\nevent: hello\n"));
    ck_assert_ptr_nonnull(strstr(r.body, "event: bye\n"));
    reply_free(&r);
    close(fd);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_of_a_flood_4000_spans_a_second_are_told_and_all_are_counted,
        test_200_readers_of_which_half_never_read_harm_nobody,
        test_the_end_of_the_server_is_the_end_of_the_stream,
    };

    return suite_run_mode(
        suite_of("events-load", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
