/*
 * fake_front: the fake front end and the fake worker. See supervised.h.
 *
 * The front end answers each connection with the number of its generation, and writes down all that
 * it hears on the control socket. The worker does one of two jobs: it tells about itself, or it
 * hangs with the job in its page.
 */
#include "fake_front.h"

#include "common/conf.h"
#include "common/identity.h"
#include "common/log.h"
#include "common/page.h"
#include "common/wire.h"
#include "supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(sizeof(struct fake_self) <= WIRE_SMALL_MAX, "a worker reports in a small result");

enum { LOOK_MS = 2, FDS_LOOKED_AT = 64, EXIT_FAKE_FAILURE = 3 };

static struct fake_world *world;

static uint64_t
open_fds(void)
{
    uint64_t bits = 0;

    for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            bits |= UINT64_C(1) << fd;
    return bits;
}

static int
affinity(int *lowest)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        fatal("sched_getaffinity");
    *lowest = 0;
    while (!CPU_ISSET((size_t)*lowest, &set))
        ++*lowest;
    return CPU_COUNT(&set);
}

/* ---- worker ---- */

static void
tell_about_myself(int argc, char **argv, struct fake_self *self)
{
    sigset_t blocked;

    *self = (struct fake_self){.pid = getpid(),
                               .argument = atoi(argv[1]),
                               .cpu_argument = -1,
                               .policy = sched_getscheduler(0),
                               .nice = getpriority(PRIO_PROCESS, 0),
                               .fds = open_fds()};
    if (argc > 3 && strcmp(argv[2], "--cpu") == 0)
        self->cpu_argument = atoi(argv[3]);
    self->cpus = affinity(&self->cpu);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < 32; number++)
        self->blocked_signals += sigismember(&blocked, number);
}

void
supervised_worker_main(int argc, char **argv)
{
    struct task_message m;
    struct worker_page *page;
    struct fake_self self;

    if (strcmp(argv[0], "interleave-worker") != 0)
        return;
    page = mmap(NULL, PAGE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0);
    if (page == MAP_FAILED || ftruncate(4, 0) == 0) /* a page that shrinks would be a trap */
        _exit(EXIT_FAKE_FAILURE);
    atomic_store(&page->ready, 1);
    while (wire_receive(3, &m, sizeof(m), NULL, NULL) == 1) {
        atomic_store(&page->job, m.job);
        m.type = TASK_DONE;
        tell_about_myself(argc, argv, &self);
        memcpy(m.small, &self, sizeof(self));
        if (wire_send(3, &m, sizeof(m), NULL, 0) != 0)
            break;
        while (m.job == FAKE_JOB_HANG)
            pause();
        atomic_store(&page->job, 0);
    }
    _exit(EXIT_SUCCESS);
}

/* ---- front end ---- */

struct front_life {
    const struct front_args *args;
    struct fake_front *seen;
    int listen_fd;
    int task_fds[FAKE_WORKERS];
};

static void
take_control(struct front_life *f, const struct ctl_message *m, const int *fds, int nfds)
{
    const uint32_t i = m->index;

    if (i >= FAKE_WORKERS)
        fatalx("worker %u is too many for this test", i);
    switch ((enum ctl_type)m->type) {
    case CTL_WORKER_UP:
        if (nfds != 2)
            fatalx("%d descriptors came with a worker", nfds);
        close(fds[1]);
        f->task_fds[i] = fds[0];
        atomic_store(&f->seen->worker[i], m->pid);
        atomic_fetch_add(&f->seen->up[i], 1);
        return;
    case CTL_WORKER_DOWN:
        if (m->pid != atomic_load(&f->seen->worker[i]))
            fatalx("worker %u: %d went down, but %d was there", i, m->pid, f->seen->worker[i]);
        close(f->task_fds[i]);
        f->task_fds[i] = -1;
        atomic_store(&f->seen->hanging[i], 0);
        atomic_store(&f->seen->status[i], m->status);
        atomic_fetch_add(&f->seen->down[i], 1);
        return;
    case CTL_DRAIN:
        close(f->listen_fd);
        f->listen_fd = -1;
        atomic_fetch_add(&f->seen->drains, 1);
        if (!atomic_load(&world->deaf))
            exit(EXIT_SUCCESS);
        return;
    case CTL_READY:
    case CTL_KILL_WORKER:
        break;
    }
    fatalx("control message %u goes the other way", m->type);
}

static void
hear_control(struct front_life *f)
{
    struct ctl_message m;
    int fds[WIRE_FDS_MAX], nfds = WIRE_FDS_MAX;
    int got = wire_receive(f->args->control_fd, &m, sizeof(m), fds, &nfds);

    if (got == 0)
        exit(EXIT_FAKE_FAILURE);
    if (got < 0 && errno != EAGAIN)
        fatal("control socket");
    if (got > 0)
        take_control(f, &m, fds, nfds);
}

static void
hear_worker(struct front_life *f, unsigned i)
{
    struct task_message m;

    if (wire_receive(f->task_fds[i], &m, sizeof(m), NULL, NULL) != 1) {
        close(f->task_fds[i]); /* its death will be told */
        f->task_fds[i] = -1;
        return;
    }
    memcpy(&f->seen->self[i], m.small, sizeof(f->seen->self[i]));
    if (m.job == FAKE_JOB_HANG)
        atomic_store(&f->seen->hanging[i], 1);
    atomic_fetch_add(&f->seen->reports[i], 1);
}

static void
answer_connection(struct front_life *f)
{
    char number[16];
    int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    snprintf(number, sizeof(number), "%u", f->args->generation);
    if (write(fd, number, strlen(number)) < 0)
        log_warn("answer");
    close(fd);
}

static void
do_as_asked(struct front_life *f)
{
    struct ctl_message m = {.type = CTL_KILL_WORKER,
                            .index = (uint32_t)atomic_load(&world->ask_index),
                            .pid = atomic_load(&world->ask_pid)};
    const struct task_message job = {.type = TASK_RUN,
                                     .job = (uint64_t)atomic_load(&world->ask_job)};
    int sent = 0;

    if (atomic_load(&world->ask_generation) != (int)f->args->generation)
        return;
    /* Taken before it is done: what is asked may be our end. */
    switch ((enum fake_ask)atomic_exchange(&world->ask, ASK_NOTHING)) {
    case ASK_NOTHING:
        return;
    case ASK_JOB:
        sent = wire_send(f->task_fds[m.index], &job, sizeof(job), NULL, 0);
        break;
    case ASK_WRONG_MESSAGE:
        m.type = CTL_WORKER_UP;
        sent = wire_send(f->args->control_fd, &m, sizeof(m), NULL, 0);
        break;
    case ASK_KILL:
        sent = wire_send(f->args->control_fd, &m, sizeof(m), NULL, 0);
        break;
    case ASK_GARBAGE:
        sent = wire_send(f->args->control_fd, "garbage", 7, NULL, 0);
        break;
    case ASK_CLOSE:
        close(f->args->control_fd);
        for (;;)
            pause();
    }
    if (sent != 0)
        fatal("can't do as asked");
}

static void
say_ready(struct front_life *f)
{
    const struct ctl_message ready = {.type = CTL_READY, .value = f->args->nlisten};

    if (wire_send(f->args->control_fd, &ready, sizeof(ready), NULL, 0) != 0)
        fatal("can't say that it is ready");
}

static void
one_turn(struct front_life *f)
{
    struct pollfd fds[2 + FAKE_WORKERS] = {
        {.fd = f->args->control_fd, .events = POLLIN},
        {.fd = atomic_load(&world->hold) ? -1 : f->listen_fd, .events = POLLIN},
    };

    for (unsigned i = 0; i < FAKE_WORKERS; i++)
        fds[2 + i] = (struct pollfd){.fd = f->task_fds[i], .events = POLLIN};
    if (poll(fds, 2 + FAKE_WORKERS, LOOK_MS) < 0 && errno != EINTR)
        fatal("poll");
    for (unsigned i = 0; i < FAKE_WORKERS; i++)
        if (fds[2 + i].revents != 0)
            hear_worker(f, i);
    if (fds[0].revents != 0)
        hear_control(f);
    if (fds[1].revents != 0)
        answer_connection(f);
    do_as_asked(f);
}

void
fake_front_init(struct fake_world *w)
{
    world = w;
}

int
fake_front_main(const struct front_args *args)
{
    struct front_life f = {
        .args = args, .listen_fd = args->listen_fds[0], .task_fds = {-1, -1, -1, -1}};
    bool ready = false;
    int lowest;

    if (args->generation >= FAKE_FRONTS)
        fatalx("too many generations for this test");
    f.seen = &world->fronts[args->generation];
    atomic_store(&f.seen->fds, open_fds());
    atomic_store(&f.seen->cpus, affinity(&lowest));
    atomic_store(&f.seen->conf_port, (int)args->conf->port);
    atomic_store(&f.seen->ntls, (int)args->ntls);
    atomic_store(&f.seen->certificate_len,
                 args->identity != NULL ? (int)args->identity->certificate.len : 0);
    atomic_store(&f.seen->pid, getpid());
    if (atomic_load(&world->fail) > 0) {
        atomic_fetch_sub(&world->fail, 1);
        return EXIT_FAKE_FAILURE;
    }
    for (;;) {
        if (!ready && !atomic_load(&world->unready)) {
            say_ready(&f);
            ready = true;
        }
        one_turn(&f);
    }
}
