/*
 * children: see children.h. Runs in the supervisor, and in each child up to its own program.
 *
 *   fork -> PR_SET_PDEATHSIG -> still the same parent? -> signals -> descriptors -> CPU
 *        -> front end: front()      worker: SCHED_BATCH, nice 5 -> exec
 *
 * Children ignore SIGINT, SIGTERM and SIGHUP: these reach the whole group (Ctrl-C, timeout(1), a
 * terminal that closes), and only the supervisor acts on them, or it could finish nothing. A child
 * is ended by its socket, by SIGKILL, or with its parent.
 *
 * The front end is not executed, so it would inherit all descriptors of the supervisor: among them
 * the far ends of control and task sockets of other generations, which then would never see EOF. It
 * closes all but its own.
 */
#include "supervisor/children.h"

#include "common/conf.h"
#include "common/cpus.h"
#include "common/log.h"
#include "common/proctitle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKER_NICE = 5, EXIT_NO_PROGRAM = 127, FIRST_INHERITED = STDERR_FILENO + 1 };

/* First thing in every child. The parent may have died before prctl(): then nobody would tell us.
 */
static void
bind_to_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        fatal("prctl(PR_SET_PDEATHSIG)");
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}

/* The supervisor blocks the signals that it reads by signalfd; exec keeps mask and SIG_IGN. */
static void
reset_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    sigset_t none;

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
close_range_of(unsigned first, unsigned last)
{
    if (first > last || close_range(first, last, 0) == 0)
        return;
    /* Forbidden or unknown here (old kernels, some containers): one by one. */
    if (last > (unsigned)sysconf(_SC_OPEN_MAX))
        last = (unsigned)sysconf(_SC_OPEN_MAX);
    for (unsigned fd = first; fd <= last; fd++)
        close((int)fd);
}

static int
compare_int(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static void
close_all_but(int one, const int *others, unsigned nothers)
{
    int *keep = xcalloc(nothers + 1, sizeof(*keep));
    unsigned next = FIRST_INHERITED;

    if (nothers > 0)
        memcpy(keep, others, nothers * sizeof(*keep));
    keep[nothers] = one;
    qsort(keep, nothers + 1, sizeof(*keep), compare_int);
    for (unsigned i = 0; i <= nothers; i++) {
        if (keep[i] > (int)next)
            close_range_of(next, (unsigned)keep[i] - 1);
        next = (unsigned)keep[i] + 1;
    }
    close_range_of(next, UINT_MAX);
    free(keep);
}

static void
pin(const char *who, int cpu)
{
    if (cpu != CPU_ANY && cpus_pin((unsigned)cpu) != 0)
        log_warn("%s is not pinned to CPU %d", who, cpu);
}

pid_t
children_start_front(front_function front, const struct front_args *args, int cpu)
{
    pid_t parent = getpid(), pid;

    fflush(NULL); /* or the child would write it again when it exits */
    pid = fork();
    if (pid != 0)
        return pid;
    bind_to_parent(parent);
    reset_signals();
    close_all_but(args->control_fd, args->listen_fds, args->nlisten);
    log_init("front", (enum log_level)args->conf->log_level);
    proctitle_set("interleave: front");
    pin("the front end", cpu);
    exit(front(args));
}

/* Puts the two descriptors where a worker looks for them, and closes all behind them. Through
 * copies above both places: either may stand where the other has to go. */
static int
place_descriptors(int task_fd, int page_fd)
{
    int task = fcntl(task_fd, F_DUPFD_CLOEXEC, WORKER_PAGE_FD + 1);
    int page = fcntl(page_fd, F_DUPFD_CLOEXEC, WORKER_PAGE_FD + 1);

    if (task < 0 || page < 0 || dup2(task, WORKER_TASK_FD) < 0 || dup2(page, WORKER_PAGE_FD) < 0)
        return -1;
    close_range_of(WORKER_PAGE_FD + 1, UINT_MAX);
    return 0;
}

/* The loop wins the core when it and a worker both want it. Added to the nice value that we were
 * started with. */
static void
step_back(void)
{
    static const struct sched_param zero;

    if (sched_setscheduler(0, SCHED_BATCH, &zero) != 0)
        log_warn("a worker runs without SCHED_BATCH");
    if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WORKER_NICE) != 0)
        log_warn("a worker runs without nice %d", WORKER_NICE);
}

static NO_RETURN void
execute_worker(const char *path, unsigned index, int cpu)
{
    char index_text[16], cpu_text[16];
    char *argv[] = {"interleave-worker", index_text, "--cpu", cpu_text, NULL};

    snprintf(index_text, sizeof(index_text), "%u", index);
    snprintf(cpu_text, sizeof(cpu_text), "%d", cpu);
    if (cpu == CPU_ANY)
        argv[2] = NULL;
    execv(path, argv);
    log_error("cannot run the worker program %s", path);
    _exit(EXIT_NO_PROGRAM);
}

pid_t
children_start_worker(const char *path, unsigned index, int cpu, int task_fd, int page_fd)
{
    pid_t parent = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    bind_to_parent(parent);
    reset_signals();
    pin("a worker", cpu);
    step_back();
    if (place_descriptors(task_fd, page_fd) != 0) {
        log_error("a worker does not get its descriptors");
        _exit(EXIT_NO_PROGRAM);
    }
    execute_worker(path, index, cpu);
}

int
children_find_beside(const char *program, char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    char *slash;

    if (len < 0)
        return -1;
    out[len] = '\0';
    slash = strrchr(out, '/');
    if (slash == NULL || (size_t)(slash + 1 - out) + strlen(program) >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(slash + 1, program, strlen(program) + 1);
    return 0;
}

const char *
children_status_text(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "exited with status %d", WEXITSTATUS(status));
    return out;
}
