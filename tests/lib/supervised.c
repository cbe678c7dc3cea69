/*
 * supervised: see supervised.h. This file is the test's side; the fakes are in fake_front.c.
 *
 *   test program ─── supervisor (forked) ─┬─ fake front end (forked)
 *        └─ subreaper: inherits orphans   └─ fake workers (this program, executed)
 *
 * The test is the subreaper of all of them: whoever outlives the supervisor becomes its child, so
 * that "nobody is left" is a fact that waitpid() tells.
 */
#include "supervised.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "fake_conf.h"
#include "fake_front.h"
#include "supervisor/supervisor.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_MAX = 1 << 18, FOREIGN_FD = 60 };

static const char *
log_text(struct supervised *s)
{
    static char text[LOG_MAX];
    ssize_t n = pread(s->log_fd, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static uint64_t
deadline(void)
{
    return clock_ns() + SUPERVISED_DEADLINE_MS * NS_PER_MS;
}

/* Lets the others run for a moment; fails the test when the deadline has passed. */
static void
breathe(struct supervised *s, uint64_t until, const char *what)
{
    if (clock_ns() > until)
        ck_abort_msg("waited in vain for: %s. The log:\n%s", what, log_text(s));
    poll(NULL, 0, 1);
}

void
supervised_open(struct supervised *s)
{
    void *world =
        mmap(NULL, sizeof(*s->world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(world, MAP_FAILED);
    *s = (struct supervised){.world = world, .pid = -1, .out_fd = -1};
    s->log_fd = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_ge(s->log_fd, 0);
    strcpy(s->config_path, "/tmp/interleave-test-XXXXXX");
    close(mkstemp(s->config_path));
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

void
supervised_rewrite(struct supervised *s, const char *conf)
{
    FILE *f = fopen(s->config_path, "we");

    ck_assert_ptr_nonnull(f);
    fputs(conf, f);
    ck_assert_int_eq(fclose(f), 0);
}

static NO_RETURN void
run_supervisor(struct supervised *s, const char *conf, const char *worker_path, int out)
{
    struct supervisor_setup setup = {
        .source = {.path = s->config_path},
        .settings = fake_conf(conf),
        .front = fake_front_main,
        .worker_path = worker_path != NULL ? worker_path : "/proc/self/exe",
        .started_ns = clock_ns(),
    };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* What a careless parent may hand down: ignored signals, and a descriptor without CLOEXEC. */
    signal(SIGCHLD, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    dup2(out, FOREIGN_FD);
    dup2(out, STDOUT_FILENO);
    dup2(s->log_fd, STDERR_FILENO);
    log_init("supervisor", LOG_DEBUG);
    fake_front_init(s->world);
    exit(supervisor_run(&setup));
}

void
supervised_start(struct supervised *s, const char *conf, const char *worker_path)
{
    int out[2];

    supervised_rewrite(s, conf);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    s->pid = fork();
    ck_assert_int_ge(s->pid, 0);
    if (s->pid == 0)
        run_supervisor(s, conf, worker_path, out[1]);
    close(out[1]);
    s->out_fd = out[0];
}

void
supervised_wait_ready(struct supervised *s)
{
    struct pollfd out = {.fd = s->out_fd, .events = POLLIN};
    char line[512];
    const char *url;
    ssize_t n;

    if (poll(&out, 1, SUPERVISED_DEADLINE_MS) != 1)
        ck_abort_msg("nothing was printed. The log:\n%s", log_text(s));
    n = read(s->out_fd, line, sizeof(line) - 1);
    ck_assert_int_ge(n, 0);
    line[n] = '\0';
    url = strstr(line, "http://127.0.0.1:");
    if (url == NULL || sscanf(url, "http://127.0.0.1:%u/", &s->port) != 1)
        ck_abort_msg("no address in \"%s\". The log:\n%s", line, log_text(s));
}

int
supervised_wait_end(struct supervised *s)
{
    const uint64_t until = deadline();
    int status;

    while (waitpid(s->pid, &status, WNOHANG) != s->pid)
        breathe(s, until, "the end of the supervisor");
    s->pid = -1;
    supervised_expect_nobody(s);
    return status;
}

void
supervised_expect_nobody(struct supervised *s)
{
    const uint64_t until = deadline();

    while (waitpid(-1, NULL, WNOHANG) >= 0)
        breathe(s, until, "the end of all processes");
    ck_assert_int_eq(errno, ECHILD);
}

void
supervised_close(struct supervised *s)
{
    if (s->pid > 0)
        kill(s->pid, SIGKILL);
    supervised_expect_nobody(s);
    unlink(s->config_path);
    close(s->out_fd);
    close(s->log_fd);
    munmap(s->world, sizeof(*s->world));
}

void
supervised_wait(struct supervised *s, const _Atomic int *counter, int least, const char *what)
{
    const uint64_t until = deadline();

    while (atomic_load(counter) < least)
        breathe(s, until, what);
}

void
supervised_wait_gone(struct supervised *s, pid_t pid)
{
    const uint64_t until = deadline();

    while (kill(pid, 0) == 0)
        breathe(s, until, "the end of a process");
}

bool
supervised_has_logged(struct supervised *s, const char *text)
{
    return strstr(log_text(s), text) != NULL;
}

void
supervised_wait_log(struct supervised *s, const char *text)
{
    const uint64_t until = deadline();

    while (!supervised_has_logged(s, text))
        breathe(s, until, text);
}

void
supervised_ask(struct supervised *s, int generation, enum fake_ask ask, int index, int pid, int job)
{
    const uint64_t until = deadline();
    struct fake_world *w = s->world;

    atomic_store(&w->ask_generation, generation);
    atomic_store(&w->ask_index, index);
    atomic_store(&w->ask_pid, pid);
    atomic_store(&w->ask_job, job);
    atomic_store(&w->ask, (int)ask);
    while (atomic_load(&w->ask) != ASK_NOTHING)
        breathe(s, until, "a front end that does as it is asked");
}

int
supervised_connect(struct supervised *s)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)s->port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    ck_assert_int_eq(errno, ECONNREFUSED);
    close(fd);
    return -1;
}

int
supervised_answer(struct supervised *s, int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char number[16] = "";

    ck_assert_int_ge(fd, 0);
    if (poll(&readable, 1, SUPERVISED_DEADLINE_MS) != 1 ||
        read(fd, number, sizeof(number) - 1) <= 0)
        ck_abort_msg("a connection was not answered. The log:\n%s", log_text(s));
    close(fd);
    return atoi(number);
}
