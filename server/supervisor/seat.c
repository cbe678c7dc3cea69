/*
 * seat: see seat.h. Runs in the supervisor.
 *
 * A worker is born with two things that it shares with the front end: a SEQPACKET socket for tasks
 * and a page of memory. The supervisor makes both, keeps neither: our copy of the front end's end
 * is closed as soon as the front end has its own, or a dead front end would never be EOF for its
 * workers. Only a read-only view of the page stays, to see at a worker's death what it was doing;
 * whatever stands there is believed for nothing but the speed of the next start.
 *
 * Telling may fail with EAGAIN when the front end is busy; the news then waits in the state of the
 * seat, and a new worker does not start before the old one's death was told: the order of UP and
 * DOWN of one seat is always right.
 */
#include "supervisor/seat.h"

#include "common/log.h"
#include "common/states.h"
#include "common/wire.h"
#include "supervisor/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct state_row seat_states[] = {
    [SEAT_EMPTY] = {"empty", STATE_BIT(SEAT_SPAWNED)},
    [SEAT_SPAWNED] = {"spawned", STATE_BIT(SEAT_TAKEN) | STATE_BIT(SEAT_EMPTY)},
    [SEAT_TAKEN] = {"taken", STATE_BIT(SEAT_KILLED) | STATE_BIT(SEAT_REAPED)},
    [SEAT_KILLED] = {"killed", STATE_BIT(SEAT_REAPED)},
    [SEAT_REAPED] = {"reaped", STATE_BIT(SEAT_EMPTY)},
};

static void
seat_move(struct seat *s, enum seat_state to)
{
    states_check("seat", seat_states, s->state, to);
    log_debug("worker %u: %s -> %s", s->index, seat_states[s->state].name, seat_states[to].name);
    s->state = to;
}

void
seat_init(struct seat *s, unsigned index, int cpu)
{
    *s = (struct seat){
        .state = SEAT_EMPTY, .index = index, .cpu = cpu, .task_fd = -1, .page_fd = -1};
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The shared page: sealed, so that nobody can shrink it under the other's feet (SIGBUS). */
static int
make_page(struct seat *s)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    void *page;

    s->page_fd = memfd_create("interleave-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (s->page_fd < 0 || ftruncate(s->page_fd, PAGE_OCTETS) != 0 ||
        fcntl(s->page_fd, F_ADD_SEALS, seals) != 0)
        return -1;
    page = mmap(NULL, PAGE_OCTETS, PROT_READ, MAP_SHARED, s->page_fd, 0);
    if (page == MAP_FAILED)
        return -1;
    s->page = page;
    return 0;
}

static void
drop_page(struct seat *s)
{
    if (s->page != NULL)
        munmap(s->page, PAGE_OCTETS);
    s->page = NULL;
}

int
seat_spawn(struct seat *s, const char *worker_path)
{
    int pair[2] = {-1, -1}, saved;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    s->task_fd = pair[0];
    /* Only the front end's end: how the worker waits is its own choice. */
    if (fcntl(s->task_fd, F_SETFL, O_NONBLOCK) != 0 || make_page(s) != 0)
        goto fail;
    pid = children_start_worker(worker_path, s->index, s->cpu, pair[1], s->page_fd);
    if (pid < 0)
        goto fail;
    close(pair[1]);
    s->pid = pid;
    seat_move(s, SEAT_SPAWNED);
    return 0;

fail:
    saved = errno;
    close(pair[1]);
    close_fd(&s->task_fd);
    close_fd(&s->page_fd);
    drop_page(s);
    errno = saved;
    return -1;
}

bool
seat_has_news(const struct seat *s)
{
    return s->state == SEAT_SPAWNED || s->state == SEAT_REAPED;
}

int
seat_tell(struct seat *s, int control_fd)
{
    const bool up = s->state == SEAT_SPAWNED;
    const struct ctl_message message = {
        .type = up ? CTL_WORKER_UP : CTL_WORKER_DOWN,
        .index = s->index,
        .pid = s->pid,
        .status = up ? 0 : s->status,
    };
    const int fds[] = {s->task_fd, s->page_fd};

    if (wire_send(control_fd, &message, sizeof(message), fds, up ? 2 : 0) != 0)
        return -1;
    close_fd(&s->task_fd);
    close_fd(&s->page_fd);
    seat_move(s, up ? SEAT_TAKEN : SEAT_EMPTY);
    return 0;
}

bool
seat_is_alive(const struct seat *s)
{
    return s->state == SEAT_SPAWNED || s->state == SEAT_TAKEN || s->state == SEAT_KILLED;
}

void
seat_kill(struct seat *s)
{
    if (!seat_is_alive(s))
        return;
    kill(s->pid, SIGKILL);
    if (s->state == SEAT_TAKEN)
        seat_move(s, SEAT_KILLED);
}

bool
seat_reap(struct seat *s, int status)
{
    const bool idle = atomic_load(&s->page->job) == 0;
    /* A front end that sees a worker's socket close may wish it dead while it is dying already. */
    const bool wished =
        s->state == SEAT_KILLED && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

    drop_page(s);
    close_fd(&s->task_fd);
    close_fd(&s->page_fd);
    s->status = status;
    seat_move(s, s->state == SEAT_SPAWNED ? SEAT_EMPTY : SEAT_REAPED);
    return idle && !wished;
}

void
seat_forget_front(struct seat *s)
{
    close_fd(&s->task_fd);
    close_fd(&s->page_fd);
    if (s->state == SEAT_REAPED)
        seat_move(s, SEAT_EMPTY);
}
