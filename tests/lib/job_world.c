/*
 * See job_world.h.
 */
#include "job_world.h"

#include "common/clock.h"
#include "common/log.h"
#include "task.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INVENTED_PID = 1 << 24 }; /* above any real one */

static void
note_kill(void *arg, unsigned index, int pid)
{
    struct world *w = arg;

    ck_assert_uint_lt(w->nkills, WORLD_KILLS);
    w->kills[w->nkills].index = index;
    w->kills[w->nkills++].pid = pid;
    if (w->workers[index].real && w->workers[index].pid == pid)
        kill(pid, SIGKILL);
}

void
world_open(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->conf.workers = WORLD_WORKERS;
    w->conf.max_memory = 64 << 20;
    w->conf.job_timeout = 60000;
    w->next_pid = INVENTED_PID;
    for (unsigned i = 0; i < WORLD_WORKERS; i++)
        w->workers[i].fd = -1;
    log_init("test", LOG_ERROR);
    w->base = event_base_new();
    w->ring = span_ring_new(1 << 20, true);
    w->jobs = jobs_open(w->base, &w->conf, w->ring, note_kill, w);
}

static void
forget(struct held_worker *h)
{
    if (h->fd >= 0)
        close(h->fd);
    if (h->page != NULL)
        munmap(h->page, PAGE_OCTETS);
    *h = (struct held_worker){.fd = -1};
}

void
world_close(struct world *w)
{
    jobs_close(w->jobs);
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        if (w->workers[i].real) {
            kill(w->workers[i].pid, SIGKILL);
            waitpid(w->workers[i].pid, NULL, 0);
        }
        forget(&w->workers[i]);
    }
    span_ring_free(w->ring);
    event_base_free(w->base);
}

/* ---- workers ---- */

/* Makes socket and page; returns our end of the socket. */
static int
make_seat(struct world *w, unsigned index, int *page_fd)
{
    struct held_worker *h = &w->workers[index];
    int pair[2];

    ck_assert_int_eq(h->fd, -1);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    if (w->small_sockets)
        ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0);
    *page_fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(*page_fd, PAGE_OCTETS), 0);
    ck_assert_int_eq(fcntl(*page_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    h->page = mmap(NULL, PAGE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, *page_fd, 0);
    ck_assert_ptr_ne(h->page, MAP_FAILED);
    h->fd = pair[1];
    return pair[0];
}

void
world_add_held(struct world *w, unsigned index)
{
    struct held_worker *h = &w->workers[index];
    int page_fd, fd = make_seat(w, index, &page_fd);

    ck_assert_int_eq(fcntl(h->fd, F_SETFL, O_NONBLOCK), 0);
    h->pid = w->next_pid++;
    atomic_store(&h->page->ready, 1);
    jobs_worker_up(w->jobs, &(struct worker_seat){index, h->pid, fd, page_fd});
}

/* Closes what a worker does not have, or nobody would ever see EOF. */
static void
close_all_but(int keep)
{
    for (int fd = STDERR_FILENO + 1; fd < 256; fd++) {
        if (fd != keep)
            close(fd);
    }
}

void
world_add_real(struct world *w, unsigned index)
{
    struct held_worker *h = &w->workers[index];
    int page_fd, fd = make_seat(w, index, &page_fd);

    h->real = true;
    h->pid = fork();
    ck_assert_int_ge(h->pid, 0);
    if (h->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close_all_but(h->fd);
        _exit(task_serve(h->fd, h->page, index, true) == 0 ? 0 : 1);
    }
    close(h->fd);
    h->fd = -2; /* taken, and not ours to use */
    jobs_worker_up(w->jobs, &(struct worker_seat){index, h->pid, fd, page_fd});
}

void
world_lose(struct world *w, unsigned index, int wait_status)
{
    struct held_worker *h = &w->workers[index];
    const int pid = h->pid;

    if (h->real) {
        kill(pid, SIGKILL);
        world_reap(w, index);
        return;
    }
    close(h->fd); /* as its death would; the page stays until it was looked at */
    h->fd = -1;
    jobs_worker_down(w->jobs, index, pid, wait_status);
    forget(h);
}

void
world_reap(struct world *w, unsigned index)
{
    struct held_worker *h = &w->workers[index];
    int status;

    ck_assert_int_eq(waitpid(h->pid, &status, 0), h->pid);
    jobs_worker_down(w->jobs, index, h->pid, status);
    h->fd = -1;
    forget(h);
}

/* ---- turns ---- */

static bool
end_turn(struct world *w)
{
    bool more = jobs_turn_end(w->jobs);

    if (jobs_are_here(w->jobs))
        more |= jobs_compute_here(w->jobs);
    return more;
}

bool
world_turn(struct world *w)
{
    event_base_loop(w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return end_turn(w);
}

static bool
turn_and_sleep(struct world *w, bool busy)
{
    event_base_loop(w->base, busy ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE);
    return end_turn(w);
}

void
world_wait(struct world *w, const struct waiter *waiter)
{
    bool busy = true;

    while (waiter->done == 0)
        busy = turn_and_sleep(w, busy);
}

void
world_wait_kills(struct world *w, unsigned n)
{
    bool busy = true;

    while (w->nkills < n)
        busy = turn_and_sleep(w, busy);
}

/* ---- jobs ---- */

#define WAITER(t) ((struct waiter *)((char *)(t)-offsetof(struct waiter, job.ticket)))

static void
on_began(struct ticket *t, uint64_t now)
{
    (void)now;
    WAITER(t)->began++;
}

static void
on_ended(struct ticket *t, uint64_t now)
{
    (void)now;
    WAITER(t)->ended++;
}

static void
on_done(struct ticket *t, enum failure failure)
{
    struct waiter *waiter = WAITER(t);

    waiter->done++;
    waiter->failure = failure;
    if (waiter->release)
        job_release(&waiter->job);
    if (waiter->then != NULL)
        waiter->then(waiter);
}

static const struct ticket_hooks hooks = {on_began, on_ended, on_done};

void
world_start(struct world *w, struct waiter *waiter, const struct kernel *kernel, int64_t n,
            unsigned sections, enum executor executor)
{
    const bool release = waiter->release;

    *waiter = (struct waiter){.release = release};
    waiter->job.ticket.hooks = &hooks;
    waiter->job.ticket.request = 7;
    waiter->job.ticket.recorded = 1;
    job_start(w->jobs, &waiter->job, kernel, &n, sections, executor);
    ck_assert_uint_eq(waiter->began + waiter->done, 0);
}

const char *
world_answer(struct waiter *waiter)
{
    const struct kernel_piece *pieces;
    unsigned count;
    static char text[64];

    ck_assert_uint_eq(waiter->failure, FAIL_NONE);
    ck_assert_int_eq(job_answer(&waiter->job, &pieces, &count), 0);
    ck_assert_uint_ge(count, 1);
    snprintf(text, sizeof(text), "%.*s", (int)pieces[0].len, (const char *)pieces[0].data);
    return text;
}

/* ---- held workers ---- */

bool
held_receive(struct world *w, unsigned index, struct task_message *m, int *area_fd)
{
    int nfds = 1, fd = -1;
    int got = wire_receive(w->workers[index].fd, m, sizeof(*m), &fd, &nfds);

    if (area_fd != NULL)
        *area_fd = fd;
    else if (fd >= 0)
        close(fd);
    ck_assert_msg(got > 0 || (got < 0 && errno == EAGAIN), "worker %u: %s", index,
                  got == 0 ? "closed" : strerror(errno));
    return got > 0;
}

struct task_message
held_run(struct world *w, unsigned index)
{
    struct worker_page *page = w->workers[index].page;
    struct task_message m;

    ck_assert_msg(held_receive(w, index, &m, NULL), "worker %u: no message", index);
    ck_assert_uint_eq(m.type, TASK_RUN);
    atomic_store(&page->stage, m.stage);
    atomic_store(&page->index, m.index);
    atomic_store(&page->job, m.job);
    return m;
}

void
held_expect_nothing(struct world *w, unsigned index)
{
    struct task_message m;

    ck_assert(!held_receive(w, index, &m, NULL));
}

void
held_done(struct world *w, unsigned index, const struct task_message *run, uint64_t number)
{
    struct task_message m = *run;

    m.type = TASK_DONE;
    m.end = clock_ns();
    m.cpu_ns = UINT64_MAX; /* all the time since it was sent */
    m.cpu = index;
    m.small_len = sizeof(number);
    memcpy(m.small, &number, sizeof(number));
    atomic_store(&w->workers[index].page->job, 0);
    held_send(w, index, &m);
}

void
held_send(struct world *w, unsigned index, const struct task_message *m)
{
    ck_assert_int_eq(wire_send(w->workers[index].fd, m, sizeof(*m), NULL, 0), 0);
}
