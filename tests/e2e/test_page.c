/* links: server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The live page in a real Chromium: every button runs and shows what it measured, lanes fill, its
 * counts are those of /status, every lesson can be walked, a reload in the middle and a front end
 * that dies are got over. After each test: no error in the console, nothing asked of another host.
 *
 * Screenshots of all that people see stay in build/tests/screens/.
 */
#include "browser.h"
#include "e2e.h"
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct server *server;
static struct browser *b;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
    b = browser_open();
}

static void
stop(void)
{
    browser_close(b);
    server_stop(server);
}

static void
shot(const char *name)
{
    char path[128];

    (void)mkdir("build/tests", 0777);
    (void)mkdir("build/tests/screens", 0777);
    snprintf(path, sizeof(path), "build/tests/screens/%s.png", name);
    browser_shot(b, path);
}

/* The page is connected: it says what the server is. */
static void
go(const char *path)
{
    browser_look(b, 1280, 900, false);
    browser_go(b, server->port, path);
    browser_until(b, "/2 workers/.test(document.getElementById('facts').textContent)");
}

static void
expect_nothing_wrong(void)
{
    ck_assert_str_eq(browser_wrongs(b), "");
}

/* The colours of a canvas that are neither its ground nor grey, counted roughly. */
static double
coloured(const char *id)
{
    return browser_number(
        b,
        "(() => { const c = document.getElementById('%s'), d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        " for (let i = 0; i < d.length; i += 4)"
        " if (Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 60) n++;"
        " return n; })()",
        id);
}

/* Presses the button and waits for what was measured. */
static void
run_scenario(const char *key)
{
    browser_until(b, "!document.querySelector('[data-key=%s]').disabled", key);
    json_decref(browser_eval(b, "document.querySelector('[data-key=%s]').click()", key));
    browser_until(b,
                  "(() => { const c = document.querySelector('[data-key=%s]');"
                  " return !c.disabled && !c.classList.contains('busy') &&"
                  " /[0-9]/.test(c.querySelector('.measured').textContent); })()",
                  key);
    ck_assert_msg(browser_number(b,
                                 "document.querySelector('[data-key=%s]').classList"
                                 ".contains('failed') ? 1 : 0",
                                 key) == 0,
                  "%s failed: %s", key,
                  browser_text(b, "document.getElementById('result').textContent"));
}

/* ---- tests ---- */

START_TEST(test_the_first_visit_is_never_empty)
{
    browser_look(b, 1280, 900, false);
    browser_go(b, server->port, "/");
    browser_until(b, "[...document.querySelectorAll('.recorded')].some((e) => !e.hidden &&"
                     " /RECORDED 20/.test(e.textContent))");
    browser_until(b, "document.getElementById('four-text').textContent !== ''");
    ck_assert_double_gt(coloured("strips"), 1000);
    expect_nothing_wrong();
}
END_TEST

/* So many requests of that address, newer than that one, are in the page's table; the server knows
 * each by its number. Returns the newest. */
static double
check_requests(const char *path, unsigned count, double newer_than)
{
    double newest = newer_than;

    browser_until(b,
                  "[...document.querySelectorAll('#requests tr[data-id]')].filter((row) =>"
                  " row.textContent.includes('%s') && Number(row.dataset.id) > %.0f).length >= %u",
                  path, newer_than, count);
    for (unsigned i = 0; i < count; i++) {
        const double id = browser_number(
            b,
            "Number([...document.querySelectorAll('#requests tr[data-id]')].filter((row) =>"
            " row.textContent.includes('%s')).map((row) => row.dataset.id)"
            ".sort((x, y) => y - x)[%u])",
            path, i);
        char target[64], name[64];
        json_t *root, *event;
        bool found = false;
        size_t k;

        ck_assert_double_gt(id, newer_than);
        if (id > newest)
            newest = id;
        snprintf(target, sizeof(target), "/trace.json?request=%.0f", id);
        snprintf(name, sizeof(name), "%s #%.0f", path, id);
        root = get_json(server, target, 200);
        json_array_foreach(json_object_get(root, "traceEvents"), k, event)
            found |= strcmp(json_string_value(json_object_get(event, "name")), name) == 0;
        ck_assert_msg(found, "the server knows no %s", name);
        json_decref(root);
    }
    return newest;
}

START_TEST(test_every_button_runs_and_shows_what_it_measured)
{
    static const struct {
        const char *key, *path;
        unsigned requests;
    } buttons[] = {
        {"db", "/db/sleep", 6},    {"cpu", "/work", 6},
        {"lock", "/db/lock", 6},   {"picture", "/image/mandelbrot", 1},
        {"block", "/db/sleep", 5},
    };
    double newest = 0;

    go("/?recorded=0");
    for (unsigned i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++) {
        const char *key = buttons[i].key;
        char *result;

        run_scenario(key);
        newest = check_requests(buttons[i].path, buttons[i].requests, newest);
        result = browser_text(b, "document.getElementById('result').textContent");
        ck_assert_ptr_nonnull(strstr(result, "expected"));
        free(result);
        shot(key);
    }
    ck_assert_double_gt(coloured("lanes"), 1000);
    expect_nothing_wrong();
}
END_TEST

START_TEST(test_four_strips_show_the_four_ways)
{
    char *text;

    go("/?recorded=0");
    run_scenario("four");
    ck_assert_double_gt(coloured("strips"), 2000);
    text = browser_text(b, "document.getElementById('four-text').textContent");
    ck_assert_ptr_nonnull(strstr(text, "Concurrency"));
    free(text);
    browser_look(b, 1280, 900, true);
    shot("four-1280-dark");
    browser_look(b, 1024, 768, false);
    shot("four-1024");
    browser_look(b, 390, 844, false);
    shot("four-390");
    browser_look(b, 390, 844, true);
    shot("four-390-dark");
    browser_look(b, 1280, 900, false);
    shot("four-1280");
    expect_nothing_wrong();
}
END_TEST

/* The one that waits is in the table, by its number, as long as it waits. */
START_TEST(test_a_request_that_waits_is_in_the_table)
{
    const int first = client_connect(server), second = client_connect(server);
    struct reply r;

    go("/?recorded=0");
    client_send_get(first, "/db/lock?key=7&ms=3000");
    client_send_get(second, "/db/lock?key=7&ms=0");
    browser_until(b, "[...document.querySelectorAll('#requests tbody tr')].filter((row) =>"
                     " /db.lock/.test(row.textContent)).length === 2");
    for (unsigned i = 0; i < 2; i++) {
        const char *id;

        ck_assert(client_read_reply(i == 0 ? first : second, &r, false));
        ck_assert_int_eq(r.status, 200);
        id = strrchr(reply_field(&r, "X-Request-Id"), '-') + 1;
        browser_until(b,
                      "[...document.querySelectorAll('#requests tbody tr')].some((row) =>"
                      " row.textContent.includes('%s'))",
                      id);
        reply_free(&r);
    }
    close(first);
    close(second);
    expect_nothing_wrong();
}
END_TEST

START_TEST(test_its_counts_are_those_of_status)
{
    static const char answered[] =
        "Number(/([0-9]+) answered/.exec(document.getElementById('lanes-text').textContent)?.[1]"
        " ?? -1)";
    double least, shown;

    go("/?recorded=0");
    for (unsigned i = 0; i < 50; i++) {
        struct reply r = http_get(server, "/plaintext");

        reply_free(&r);
    }
    least = status_number(server, "requests.answered");
    browser_until(b, "%s >= %.0f", answered, least);
    shown = browser_number(b, "%s", answered);
    ck_assert_double_le(shown, status_number(server, "requests.answered"));
    expect_nothing_wrong();
}
END_TEST

/* Three requests that wait for a lock, held from outside: in the page as in /status. */
START_TEST(test_what_is_in_progress_is_what_status_says)
{
    enum { WAITING = 3 };
    struct pg_conn *pg = database_connect();
    int fds[WAITING];

    go("/?recorded=0");
    database_run(pg, "select pg_advisory_lock(7203, 9)");
    for (unsigned i = 0; i < WAITING; i++) {
        fds[i] = client_connect(server);
        client_send_get(fds[i], "/db/lock?key=9&ms=0");
    }
    status_wait(server, "tasks.in_progress", WAITING, WAITING);
    browser_until(b, "/^3 requests, 3 tasks in progress, 0 running .* 3 in PostgreSQL/"
                     ".test(document.getElementById('lanes-text').textContent)");
    browser_until(b, "document.getElementById('n-tasks').textContent === '3'");
    ck_assert(status_number(server, "database.slow.running") == WAITING);
    database_run(pg, "select pg_advisory_unlock(7203, 9)");
    for (unsigned i = 0; i < WAITING; i++) {
        struct reply r;

        ck_assert(client_read_reply(fds[i], &r, false));
        reply_free(&r);
        close(fds[i]);
    }
    browser_until(b, "document.getElementById('n-tasks').textContent === '0'");
    database_disconnect(pg);
    expect_nothing_wrong();
}
END_TEST

static void
press(const char *key)
{
    json_decref(browser_eval(b,
                             "document.dispatchEvent(new KeyboardEvent('keydown',"
                             " {key: '%s', bubbles: true, cancelable: true}))",
                             key));
}

START_TEST(test_hands_pause_zoom_and_pin)
{
    static const char span[] = "Number(document.getElementById('window').value)";
    double before;

    go("/?recorded=0");
    press("2"); /* the second button */
    browser_until(b, "/[0-9]/.test(document.querySelector('[data-key=db] .measured').textContent)");
    press(" ");
    browser_until(b, "document.getElementById('pause').getAttribute('aria-pressed') === 'true'");
    before = browser_number(b, "%s", span);
    json_decref(browser_eval(b, "document.getElementById('lanes').dispatchEvent(new WheelEvent("
                                "'wheel', {deltaY: 100, cancelable: true}))"));
    ck_assert_double_gt(browser_number(b, "%s", span), before);
    press("+");
    press("+");
    ck_assert_double_lt(browser_number(b, "%s", span), before);
    json_decref(browser_eval(b, "document.querySelector('#requests tr[data-id]').click()"));
    browser_until(b, "document.querySelector('#requests tr.pinned') !== null &&"
                     " /database/.test(document.getElementById('detail').textContent)");
    shot("pinned");
    press("Escape");
    browser_until(b, "document.querySelector('#requests tr.pinned') === null");
    press(" ");
    browser_until(b, "document.getElementById('pause').getAttribute('aria-pressed') === 'false'");
    go("/?lesson=2");
    press("2"); /* in a lesson it would tell the answer */
    ck_assert(browser_number(b, "document.querySelectorAll('.busy').length") == 0);
    expect_nothing_wrong();
}
END_TEST

START_TEST(test_every_lesson_can_be_walked)
{
    char path[32], name[32];

    snprintf(path, sizeof(path), "/?lesson=%d", _i);
    go(path);
    browser_until(b, "document.querySelectorAll('[data-guess]').length === 3");
    json_decref(browser_eval(b, "document.querySelectorAll('[data-guess]')[2].click()"));
    browser_until(b, "document.querySelectorAll('.verdict .value').length === 2");
    snprintf(name, sizeof(name), "lesson-%d", _i);
    shot(name);
    expect_nothing_wrong();
}
END_TEST

START_TEST(test_a_reload_in_the_middle_is_got_over)
{
    go("/?recorded=0");
    json_decref(browser_eval(b, "document.querySelector('[data-key=four]').click()"));
    browser_until(b, "document.querySelector('[data-key=four]').classList.contains('busy')");
    go("/?recorded=0&again=1");
    /* who left takes his work with him */
    status_wait(server, "tasks.in_progress", 0, 0);
    run_scenario("db");
    expect_nothing_wrong();
}
END_TEST

START_TEST(test_a_front_end_that_dies_is_got_over)
{
    go("/?recorded=0");
    ck_assert_int_eq(kill(server_front(server), SIGKILL), 0);
    status_wait(server, "workers.alive", 2, 2);
    browser_until(b, "document.getElementById('marks').textContent !== ''");
    browser_until(b, "document.getElementById('marks').textContent === ''");
    (void)browser_wrongs(b); /* a connection that breaks is an error to the console */
    run_scenario("db");
    expect_nothing_wrong();
}
END_TEST

/* A refusal is no measurement. */
START_TEST(test_what_fails_is_not_measured)
{
    static const char *const options[] = {"workers=0", NULL};
    struct server *lonely = server_start(options);

    browser_look(b, 1280, 900, false);
    browser_go(b, lonely->port, "/?lesson=4");
    browser_until(b, "document.querySelectorAll('[data-guess]').length === 3");
    json_decref(browser_eval(b, "document.querySelectorAll('[data-guess]')[0].click()"));
    browser_until(b, "/could not be run/.test(document.getElementById('lesson').textContent)");
    browser_until(b, "/2 of 2 requests failed.*worker/"
                     ".test(document.getElementById('result').textContent)");
    expect_nothing_wrong();
    browser_go(b, server->port, "/?recorded=0");
    server_stop(lonely);
}
END_TEST

START_TEST(test_the_other_pages)
{
    browser_look(b, 1280, 900, false);
    browser_go(b, server->port, "/api");
    browser_until(b, "document.querySelectorAll('form.op').length > 20");
    json_decref(browser_eval(b, "document.querySelector('#db-sleep-get').requestSubmit()"));
    browser_until(b,
                  "/^200/.test(document.querySelector('#db-sleep-get .answer pre')?.textContent)");
    shot("api");
    browser_go(b, server->port, "/status");
    browser_until(b, "document.querySelectorAll('#routes tr').length > 10");
    shot("status");
    browser_go(b, server->port, "/compare");
    browser_until(b, "document.querySelectorAll('#story tr').length > 8");
    shot("compare");
    browser_go(b, server->port, "/?big=1");
    browser_until(b, "document.documentElement.classList.contains('big')");
    shot("big");
    expect_nothing_wrong();
}
END_TEST

START_TEST(test_without_a_browser_nothing_is_seen)
{
    printf("SKIP: the live page: there is no Chromium here\n");
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_the_first_visit_is_never_empty,
        test_every_button_runs_and_shows_what_it_measured,
        test_four_strips_show_the_four_ways,
        test_a_request_that_waits_is_in_the_table,
        test_its_counts_are_those_of_status,
        test_what_is_in_progress_is_what_status_says,
        test_hands_pause_zoom_and_pin,
        test_what_fails_is_not_measured,
        test_a_reload_in_the_middle_is_got_over,
        test_a_front_end_that_dies_is_got_over,
        test_the_other_pages,
    };
    const bool there = browser_is_there();
    Suite *suite = suite_create("page");
    TCase *tc = tcase_create("page");

    if (!there) {
        tcase_add_test(tc, test_without_a_browser_nothing_is_seen);
    } else {
        tcase_add_unchecked_fixture(tc, start, stop);
        tcase_set_timeout(tc, 120);
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
            tcase_add_test(tc, tests[i]);
        tcase_add_loop_test(tc, test_every_lesson_can_be_walked, 1, 8);
    }
    suite_add_tcase(suite, tc);
    return suite_run_mode(suite, CK_NOFORK);
}
