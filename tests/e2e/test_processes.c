/*
 * Processes: what happens when one of them dies, when the config changes, when the server is told
 * to stop. And its command line.
 */
#include "family.h"
#include "suite.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(test_a_killed_front_end_is_replaced_and_no_connection_is_refused)
{
    static const char *const options[] = {"workers=1", NULL};
    struct server *s = server_start(options);
    int waiting[4];
    pid_t front = server_front(s);

    for (int i = 0; i < 4; i++) {
        waiting[i] = client_connect(s);
        client_send_get(waiting[i], "/db/sleep?ms=10000");
    }
    status_wait(s, "requests.in_progress", 4, 4);
    kill(front, SIGKILL);
    /* those in progress see their connection close, never half an answer */
    for (int i = 0; i < 4; i++) {
        struct reply r;

        ck_assert(!client_read_reply(waiting[i], &r, false));
        ck_assert_int_eq(r.status, 0);
        reply_free(&r);
        close(waiting[i]);
    }
    /* new ones wait in the listening socket until the next front end takes them */
    for (int i = 0; i < 20; i++) {
        struct reply r = http_get(s, "/plaintext");

        ck_assert_int_eq(r.status, 200);
        reply_free(&r);
    }
    ck_assert_int_ne(server_front(s), front);
    status_wait(s, "workers.alive", 1, 1);
    server_stop(s);
}
END_TEST

/* A stopped process does not notice that its front end is gone: the supervisor has to. */
START_TEST(test_a_front_end_killed_in_the_middle_of_all_kinds_of_work_leaves_none_of_it)
{
    static const char *const options[] = {"workers=2", NULL};
    static const char *const asks[] = {
        "GET /work?wait_ms=0&cpu_ms=10000&sections=4 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /work?wait_ms=0&cpu_ms=10000&sections=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /db/sleep?ms=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ("POST /burst?path=/db/sleep%3Fms=10000&count=10 HTTP/1.1\r\nHost: localhost\r\n"
         "Content-Length: 0\r\n\r\n"),
    };
    enum { ASKS = sizeof(asks) / sizeof(asks[0]) };
    struct pg_conn *pg = database_connect();
    struct server *s = server_start(options);
    pid_t front = server_front(s), workers[2];
    struct reply r;
    int fds[ASKS];

    for (unsigned i = 0; i < ASKS; i++) {
        fds[i] = client_connect(s);
        client_send(fds[i], asks[i]);
    }
    status_wait(s, "workers.running", 2, 2);
    status_wait(s, "database.slow.running", 11, 11);
    for (unsigned i = 0; i < 2; i++)
        workers[i] = server_worker(s, i);
    ck_assert(front > 1 && workers[0] > 1);
    kill(workers[0], SIGSTOP);
    kill(front, SIGKILL);
    for (unsigned i = 0; i < ASKS; i++) {
        ck_assert_msg(!client_read_reply(fds[i], &r, false), "%d %s", r.status, r.body);
        reply_free(&r);
        close(fds[i]);
    }
    r = http_get(s, "/plaintext");
    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    process_wait_gone(workers[0]);
    process_wait_gone(workers[1]);
    status_wait(s, "workers.alive", 2, 2);
    json_decref(get_json(s, "/cpu/primes?n=1000000", 200));
    family_expect(s, 2);
    while (database_run(pg, "select count(*) from pg_stat_activity where application_name = "
                            "'interleave' and state = 'active' and query like '%pg_sleep%'") > 0)
        ; /* PostgreSQL looks for it twice a second; the test's own time limit ends this */
    database_disconnect(pg);
    server_stop(s);
}
END_TEST

START_TEST(test_a_killed_supervisor_leaves_nothing_behind)
{
    static const char *const options[] = {"workers=2", NULL};
    struct server *s = server_start(options);
    int fd = client_connect(s);

    status_wait(s, "workers.alive", 2, 2);
    client_send_get(fd, "/cpu/primes?n=20000000000&sections=2");
    status_wait(s, "workers.running", 2, 2);
    server_kill(s); /* waits for all of them to go */
    close(fd);
}
END_TEST

START_TEST(test_requests_in_progress_are_finished_before_the_end)
{
    static const char *const options[] = {"workers=1", NULL};
    struct server *s = server_start(options);
    int fd = client_connect(s), idle = client_connect(s), status;
    struct reply r;

    client_send_get(idle, "/json");
    ck_assert(client_read_reply(idle, &r, false));
    reply_free(&r);
    client_send_get(fd, "/db/sleep?ms=400");
    status_wait(s, "requests.in_progress", 1, 1);
    kill(s->pid, SIGTERM);
    ck_assert(client_is_closed(idle));
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_int_eq(r.status, 200);
    ck_assert(r.closed);
    reply_free(&r);
    ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fd);
    close(idle);
}
END_TEST

START_TEST(test_a_second_term_ends_it_at_once)
{
    static const char *const options[] = {"workers=1", NULL};
    struct server *s = server_start(options);
    int fd = client_connect(s), idle = client_connect(s), status;
    struct reply r;

    client_send_get(idle, "/json");
    ck_assert(client_read_reply(idle, &r, false));
    reply_free(&r);
    client_send_get(fd, "/db/sleep?ms=10000");
    status_wait(s, "requests.in_progress", 1, 1);
    kill(s->pid, SIGTERM);
    ck_assert(client_is_closed(idle)); /* it has begun to drain */
    kill(s->pid, SIGTERM);
    ck_assert(!client_read_reply(fd, &r, false));
    reply_free(&r);
    ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fd);
    close(idle);
}
END_TEST

START_TEST(test_hup_starts_a_new_front_end_while_the_old_one_finishes)
{
    static const char *const options[] = {"workers=1", NULL};
    struct server *s = server_start(options);
    int fd = client_connect(s);
    double generation = status_number(s, "server.generation");
    struct reply r;

    client_send_get(fd, "/db/sleep?ms=500");
    status_wait(s, "requests.in_progress", 1, 1);
    kill(s->pid, SIGHUP);
    status_wait(s, "server.generation", generation + 1, generation + 1);
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    close(fd);
    server_stop(s);
}
END_TEST

/* Writes `text` to a file of its own; the path is in out. */
static void
write_file(char *out, size_t size, const char *text)
{
    FILE *f;

    snprintf(out, size, "/tmp/interleave-conf-%d-XXXXXX", (int)getpid());
    close(mkstemp(out));
    f = fopen(out, "w");
    fputs(text, f);
    fclose(f);
}

START_TEST(test_ten_mistakes_in_a_config_are_all_named_in_one_run)
{
    static const char text[] = "port = 99999\n"
                               "prot = 80\n"
                               "workers = many\n"
                               "head_timeout = 10 parsecs\n"
                               "max_body = 1XiB\n"
                               "run = gpu\n"
                               "db_slow = 65\n"
                               "db_sync = never\n"
                               "trace = maybe\n"
                               "max_in_progress = -1\n";
    static const char *const expected[] = {
        ":1:", ":2:", ":3:", ":4:", ":5:", ":6:", ":7:", ":8:", ":9:", ":10:", "did you mean port"};
    char path[128], out[16384];
    const char *args[] = {"-c", path, "-t", NULL};

    write_file(path, sizeof(path), text);
    ck_assert_int_eq(server_run(args, out, sizeof(out)), 78);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ck_assert_msg(strstr(out, expected[i]) != NULL, "%s is missing in:\n%s", expected[i], out);
    unlink(path);
}
END_TEST

START_TEST(test_the_command_line_says_what_it_can_and_what_was_wrong)
{
    static const struct {
        const char *args[4];
        int status;
        const char *text;
    } cases[] = {
        {{"--help", NULL}, 0, "-o KEY=VALUE"},
        {{"--version", NULL}, 0, "interleave"},
        {{"--nonsense", NULL}, 2, "--help"},
        {{"extra", NULL}, 2, "--help"},
        {{"-T", NULL}, 0, "max_in_progress"},
        {{"-T", "-o", "workers=3", NULL}, 0, "-o"},
        {{"-o", "wrokers=3", "-t", NULL}, 78, "did you mean workers"},
        {{"-c", "/no/such/file", "-t", NULL}, 78, "/no/such/file"},
        {{"-t", NULL}, 0, ""},
        {{"-c", "config/multi-worker.conf", "-t", NULL}, 0, ""},
    };
    char out[65536];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status = server_run(cases[i].args, out, sizeof(out));

        ck_assert_msg(status == cases[i].status, "%s: exit %d: %s", cases[i].args[0], status, out);
        ck_assert_msg(strstr(out, cases[i].text) != NULL, "%s: %s", cases[i].args[0], out);
    }
}
END_TEST

START_TEST(test_a_port_in_use_is_an_error_that_names_the_cure)
{
    struct server *s = server_start(NULL);
    char port[32], out[4096];
    const char *args[] = {"-o", port, NULL};

    snprintf(port, sizeof(port), "port=%d", s->port);
    ck_assert_int_eq(server_run(args, out, sizeof(out)), 1);
    ck_assert_msg(strstr(out, "in use") != NULL, "%s", out);
    server_stop(s);
}
END_TEST

START_TEST(test_the_top_level_has_only_what_the_user_gave)
{
    static const char *const allowed[] = {"Makefile", "README.md", "LICENSE", "server",
                                          "workers",  "sql",       "config",  "tests",
                                          "loadtest", "images",    "build"};
    DIR *dir = opendir(".");
    const struct dirent *entry;

    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL) {
        bool known = entry->d_name[0] == '.';

        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
            known |= strcmp(entry->d_name, allowed[i]) == 0;
        ck_assert_msg(known, "%s has no place at the top level", entry->d_name);
    }
    closedir(dir);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_killed_front_end_is_replaced_and_no_connection_is_refused,
        test_a_front_end_killed_in_the_middle_of_all_kinds_of_work_leaves_none_of_it,
        test_a_killed_supervisor_leaves_nothing_behind,
        test_requests_in_progress_are_finished_before_the_end,
        test_a_second_term_ends_it_at_once,
        test_hup_starts_a_new_front_end_while_the_old_one_finishes,
        test_ten_mistakes_in_a_config_are_all_named_in_one_run,
        test_the_command_line_says_what_it_can_and_what_was_wrong,
        test_a_port_in_use_is_an_error_that_names_the_cure,
        test_the_top_level_has_only_what_the_user_gave,
    };

    return suite_run_mode(
        suite_of("processes", family_adopt_orphans, NULL, tests, sizeof(tests) / sizeof(tests[0])),
        CK_NOFORK);
}
