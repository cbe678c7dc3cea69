/*
 * The server under test: started as a user would, its log kept in a file that is shown when a test
 * fails.
 */
#include "e2e.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 64 };

/* A failed check leaves its memory behind: only the server's own leaks are of interest. */
int __lsan_is_turned_off(void); // NOLINT: LeakSanitizer chose the name

int
__lsan_is_turned_off(void)
{
    return 1;
}

const char *
server_binary(void)
{
    const char *path = getenv("INTERLEAVE_BIN");

    return path != NULL ? path : "build/san/interleave";
}

const char *
database_url(void)
{
    const char *url = getenv("TEST_DB_URL");

    ck_assert_msg(url != NULL, "TEST_DB_URL is not set; run the tests by make test");
    return url;
}

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
dump_log(const struct server *s)
{
    char *text = server_log(s);

    fprintf(stderr, "---- log of the server ----\n%s---- end of log ----\n", text);
    free(text);
}

/* The child: descriptors in place, then the server. */
static void
exec_server(const struct server *s, char *const *args, int out)
{
    int log = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    dup2(out, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(args[0], args);
    fprintf(stderr, "%s: %s\n", args[0], strerror(errno));
    _exit(127);
}

/* Reads the line with the address; false: the server ended without. */
static bool
wait_for_address(struct server *s)
{
    char text[4096];
    size_t len = 0;
    int64_t deadline = now_ms() + E2E_DEADLINE_MS;

    while (now_ms() < deadline && len < sizeof(text) - 1) {
        struct pollfd p = {.fd = s->out_fd, .events = POLLIN};
        ssize_t n;
        char *found;

        if (poll(&p, 1, 100) <= 0)
            continue;
        n = read(s->out_fd, text + len, sizeof(text) - 1 - len);
        if (n <= 0)
            return false;
        len += (size_t)n;
        text[len] = '\0';
        found = strstr(text, "http://127.0.0.1:");
        if (found == NULL || sscanf(found, "http://127.0.0.1:%d/", &s->port) != 1)
            continue;
        found = strstr(text, "https://127.0.0.1:");
        if (found != NULL)
            (void)sscanf(found, "https://127.0.0.1:%d/", &s->tls_port);
        return true;
    }
    return false;
}

struct server *
server_start(const char *const *options)
{
    struct server *s = calloc(1, sizeof(*s));
    char *args[ARGS_MAX], url[1200];
    int n = 0, out[2];

    snprintf(s->log_path, sizeof(s->log_path), "/tmp/interleave-test-%d-XXXXXX", (int)getpid());
    close(mkstemp(s->log_path));
    snprintf(url, sizeof(url), "db_url=%s", database_url());
    args[n++] = (char *)(uintptr_t)server_binary();
    args[n++] = "-o";
    args[n++] = "port=0";
    args[n++] = "-o";
    args[n++] = url;
    for (; options != NULL && *options != NULL && n < ARGS_MAX - 3; options++) {
        args[n++] = "-o";
        args[n++] = (char *)(uintptr_t)*options;
    }
    args[n] = NULL;
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    s->pid = fork();
    if (s->pid == 0)
        exec_server(s, args, out[1]);
    close(out[1]);
    s->out_fd = out[0];
    if (!wait_for_address(s)) {
        dump_log(s);
        ck_abort_msg("the server did not start");
    }
    return s;
}

int
server_run(const char *const *args, char *out, size_t size)
{
    int fds[2], status, n = 0;
    size_t len = 0;
    ssize_t got;
    char *argv[ARGS_MAX];
    pid_t pid;

    argv[n++] = (char *)(uintptr_t)server_binary();
    for (; *args != NULL && n < ARGS_MAX - 1; args++)
        argv[n++] = (char *)(uintptr_t)*args;
    argv[n] = NULL;
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    close(fds[1]);
    while (len < size - 1 && (got = read(fds[0], out + len, size - 1 - len)) > 0)
        len += (size_t)got;
    out[len] = '\0';
    close(fds[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *
server_log(const struct server *s)
{
    FILE *f = fopen(s->log_path, "r");
    char *text = calloc(1, 1 << 20);

    if (f != NULL) {
        size_t n = fread(text, 1, (1 << 20) - 1, f);

        text[n] = '\0';
        fclose(f);
    }
    return text;
}

unsigned
process_children(pid_t pid, pid_t *out, unsigned max)
{
    char path[64];
    unsigned n = 0;
    int child;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    while (n < max && fscanf(f, "%d", &child) == 1)
        out[n++] = child;
    fclose(f);
    return n;
}

static void
free_server(struct server *s)
{
    close(s->out_fd);
    unlink(s->log_path);
    free(s);
}

static void
wait_children_gone(const pid_t *pids, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        process_wait_gone(pids[i]);
}

/* What is found out in a tear-down would be no test's failure: it ends the program as failed. */
static void
give_up(const struct server *s, const char *why)
{
    dump_log(s);
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

void
server_stop(struct server *s)
{
    pid_t children[64];
    unsigned n = process_children(s->pid, children, 64);
    int status;
    char *log;

    kill(s->pid, SIGTERM);
    ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up(s, "the server did not end with exit status 0");
    log = server_log(s);
    if (s->crashes_wanted)
        log[0] = '\0';
    if (strstr(log, "ERROR: AddressSanitizer") != NULL || strstr(log, "runtime error:") != NULL ||
        strstr(log, "ERROR: LeakSanitizer") != NULL)
        give_up(s, "a sanitizer complained");
    free(log);
    wait_children_gone(children, n);
    free_server(s);
}

void
server_kill(struct server *s)
{
    pid_t children[64];
    unsigned n = process_children(s->pid, children, 64);
    int status;

    kill(s->pid, SIGKILL);
    ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
    wait_children_gone(children, n);
    free_server(s);
}

pid_t
server_front(const struct server *s)
{
    return (pid_t)status_number(s, "server.pid");
}

pid_t
server_worker(const struct server *s, unsigned index)
{
    char path[64];

    snprintf(path, sizeof(path), "workers.list.%u.pid", index);
    return (pid_t)status_number(s, path);
}

char
process_state(pid_t pid)
{
    char path[64], text[512];
    const char *paren;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (f == NULL)
        return '\0';
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    paren = strrchr(text, ')');
    return paren != NULL && paren[1] != '\0' ? paren[2] : '\0';
}

bool
process_exists(pid_t pid)
{
    const char state = process_state(pid);

    return state != '\0' && state != 'Z' && state != 'X';
}

void
process_wait_gone(pid_t pid)
{
    int64_t deadline = now_ms() + E2E_DEADLINE_MS;

    while (process_exists(pid)) {
        ck_assert_msg(now_ms() < deadline, "process %d is still there", (int)pid);
        sched_yield();
    }
}

unsigned
usable_cpus(void)
{
    cpu_set_t set;

    sched_getaffinity(0, sizeof(set), &set);
    return (unsigned)CPU_COUNT(&set);
}
