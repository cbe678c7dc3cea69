/*
 * worker: see worker.h. Runs in the front end; here is a worker's life. Its messages are in
 * message.c, what its page says in look.c.
 *
 * Only the supervisor, its parent, kills a worker and says that it is dead. What the worker held is
 * not given to another one before that, so that nobody writes into a job's area from the grave.
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/page.h"
#include "common/states.h"
#include "common/wire.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENDS (STATE_BIT(WORKER_LOST) | STATE_BIT(WORKER_DOOMED) | STATE_BIT(WORKER_NONE))

static const struct state_row worker_states[] = {
    [WORKER_NONE] = {"none", STATE_BIT(WORKER_IDLE)},
    [WORKER_IDLE] = {"idle", STATE_BIT(WORKER_BUSY) | ENDS},
    [WORKER_BUSY] = {"busy", STATE_BIT(WORKER_IDLE) | ENDS},
    [WORKER_LOST] = {"lost", STATE_BIT(WORKER_DOOMED) | STATE_BIT(WORKER_NONE)},
    [WORKER_DOOMED] = {"doomed", STATE_BIT(WORKER_NONE)},
};

void
worker_move(struct worker *w, enum worker_state to)
{
    states_check("worker", worker_states, w->state, to);
    w->state = to;
}

const char *
worker_state_name(const struct worker *w)
{
    return worker_states[w->state].name;
}

bool
worker_is_alive(const struct worker *w)
{
    return w->state == WORKER_IDLE || w->state == WORKER_BUSY;
}

struct worker *
worker_new(struct jobs *jobs, unsigned index)
{
    struct worker *w = xcalloc(1, sizeof(*w));

    w->jobs = jobs;
    w->index = index;
    w->state = WORKER_NONE;
    w->fd = -1;
    return w;
}

/* Lets go of everything that belongs to this process, not to the seat. */
static void
let_go(struct worker *w)
{
    if (w->readable != NULL)
        event_free(w->readable);
    if (w->writable != NULL)
        event_free(w->writable);
    if (w->page != NULL)
        munmap(w->page, PAGE_OCTETS);
    if (w->fd >= 0)
        close(w->fd);
    w->readable = w->writable = NULL;
    w->page = NULL;
    w->fd = -1;
    w->full = false;
    w->nareas = 0;
    w->tasks_before += w->tasks;
    w->tasks = 0;
}

void
worker_free(struct worker *w)
{
    let_go(w);
    free(w->areas);
    free(w);
}

void
worker_lose(struct worker *w)
{
    if (!worker_is_alive(w))
        return;
    worker_move(w, WORKER_LOST);
    event_del(w->readable);
    w->silent_ns = 0;
    pool_watch(w->jobs);
}

void
worker_doom(struct worker *w, const char *why)
{
    if (!worker_is_alive(w) && w->state != WORKER_LOST)
        return;
    log_warnx("worker %u (pid %d) is to be killed: %s", w->index, w->pid, why);
    worker_move(w, WORKER_DOOMED);
    if (w->readable != NULL)
        event_del(w->readable);
    w->jobs->kill_worker(w->jobs->kill_arg, w->index, w->pid);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    struct jobs *jobs = w->jobs;

    (void)fd;
    (void)what;
    worker_read(w, w->nslots > 0 ? w->nslots : 1);
    (void)jobs_tell(jobs);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    worker_resume(arg);
}

static struct worker_page *
map_page(int fd)
{
    const int seals = fcntl(fd, F_GET_SEALS);
    void *page;

    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
        errno = EPERM; /* whoever can shrink it can kill us */
        return NULL;
    }
    page = mmap(NULL, PAGE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return page != MAP_FAILED ? page : NULL;
}

int
worker_up(struct worker *w, const struct worker_seat *seat, uint64_t now)
{
    assert(w->state == WORKER_NONE);
    w->pid = seat->pid;
    w->fd = seat->socket_fd;
    w->up_ns = w->last_end_ns = now;
    w->slices_read = w->heartbeat = w->silent_ns = 0;
    w->ups++;
    worker_move(w, WORKER_IDLE);
    w->page = map_page(seat->page_fd);
    close(seat->page_fd);
    if (w->page == NULL || evutil_make_socket_nonblocking(w->fd) != 0) {
        worker_doom(w, strerror(errno));
        return -1;
    }
    w->readable = event_new(w->jobs->base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
    w->writable = event_new(w->jobs->base, w->fd, EV_WRITE, on_writable, w);
    if (w->readable == NULL || w->writable == NULL || event_add(w->readable, NULL) != 0)
        fatalx("worker %u: no event", w->index);
    return 0;
}

/* "signal 9" or "status 1", for the log. */
static void
log_death(const struct worker *w, int wait_status, const struct slot *blamed)
{
    const bool by_signal = WIFSIGNALED(wait_status);
    const int number = by_signal ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status);

    log_warnx("worker %u (pid %d) died (%s %d), it ran %s", w->index, w->pid,
              by_signal ? "signal" : "status", number,
              blamed != NULL ? blamed->work->kernel->name : "nothing");
}

void
worker_down(struct worker *w, int wait_status, uint64_t now)
{
    struct slot slots[WORKER_SLOTS];
    unsigned nslots;
    int blamed;

    if (w->page != NULL)
        worker_read(w, UINT32_MAX);
    nslots = w->nslots;
    memcpy(slots, w->slots, sizeof(slots));
    blamed = worker_named_slot(w);
    log_death(w, wait_status, blamed >= 0 ? &slots[blamed] : NULL);
    if (w->page != NULL)
        worker_take_slices(w, now);
    w->nslots = 0;
    worker_move(w, WORKER_NONE);
    let_go(w);
    if (nslots > 0)
        job_task_stop(slots[0].work, now);
    for (unsigned i = 0; i < nslots; i++) {
        if ((int)i == blamed)
            job_task_died(slots[i].work, &slots[i].task, now);
        else
            job_task_return(slots[i].work, &slots[i].task);
    }
    if (blamed < 0)
        pool_idle_death(w->jobs, now);
}
