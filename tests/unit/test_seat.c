/* links: server/supervisor/seat.c server/common/wire.c server/common/log.c server/common/clock.c */
/*
 * One seat of a worker: what the front end hears, in which order, and what happens when its control
 * socket is full. The worker is not executed: its start is a fake that gives a pid.
 */
#include "../lib/suite.h"
#include "common/wire.h"
#include "supervisor/children.h"
#include "supervisor/seat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAKE_PID = 4711, FD_MAX = 64 };

static struct seat seat;
static int ours, theirs;
static int start_error; /* errno that the fake start fails with; 0: it works */

pid_t
children_start_worker(const char *path, unsigned index, int cpu, int task_fd, int page_fd)
{
    ck_assert_str_eq(path, "worker");
    ck_assert_uint_eq(index, 5);
    ck_assert_int_eq(cpu, 1);
    ck_assert_int_eq(fcntl(task_fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ge(fcntl(page_fd, F_GETFD), 0);
    errno = start_error;
    return start_error != 0 ? -1 : FAKE_PID;
}

static unsigned
open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < FD_MAX; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void
set_up(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
                     0);
    ours = pair[0];
    theirs = pair[1];
    start_error = 0;
    seat_init(&seat, 5, 1);
}

/* The next message on the front end's side; the worker's descriptors, if any, to fds. */
static struct ctl_message
hear(int *fds, int expected_fds)
{
    struct ctl_message m;
    int room[WIRE_FDS_MAX], nfds = WIRE_FDS_MAX;

    ck_assert_int_eq(wire_receive(theirs, &m, sizeof(m), room, &nfds), 1);
    ck_assert_int_eq(nfds, expected_fds);
    if (nfds > 0)
        memcpy(fds, room, (size_t)nfds * sizeof(int));
    return m;
}

static void
fill_control(void)
{
    struct ctl_message m = {0};

    while (wire_send(ours, &m, sizeof(m), NULL, 0) == 0)
        ;
    ck_assert_int_eq(errno, EAGAIN);
}

static void
empty_control(void)
{
    struct ctl_message m;

    while (wire_receive(theirs, &m, sizeof(m), NULL, NULL) == 1)
        ;
}

START_TEST(test_the_front_end_gets_socket_and_page_and_we_keep_neither)
{
    const unsigned before = open_descriptors();
    struct ctl_message m;
    int fds[WIRE_FDS_MAX];

    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
    ck_assert(seat_is_alive(&seat) && seat_has_news(&seat));
    ck_assert_int_eq(seat_tell(&seat, ours), 0);
    ck_assert(!seat_has_news(&seat));
    ck_assert_uint_eq(open_descriptors(), before);
    m = hear(fds, 2);
    ck_assert_uint_eq(m.type, CTL_WORKER_UP);
    ck_assert_uint_eq(m.index, 5);
    ck_assert_int_eq(m.pid, FAKE_PID);
    ck_assert_int_ne(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(ftruncate(fds[1], 0), -1);
    ck_assert_int_eq(ftruncate(fds[1], 2 * PAGE_OCTETS), -1);
    ck_assert_int_eq(lseek(fds[1], 0, SEEK_END), PAGE_OCTETS);
}
END_TEST

START_TEST(test_a_start_that_fails_leaves_the_seat_empty_and_nothing_open)
{
    const unsigned before = open_descriptors();

    start_error = ENOMEM;
    ck_assert_int_eq(seat_spawn(&seat, "worker"), -1);
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_int_eq(seat.state, SEAT_EMPTY);
    ck_assert_uint_eq(open_descriptors(), before);
    start_error = 0;
    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
}
END_TEST

START_TEST(test_a_full_control_socket_delays_the_news_and_keeps_their_order)
{
    struct ctl_message m;
    int fds[WIRE_FDS_MAX];

    fill_control();
    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
    ck_assert_int_eq(seat_tell(&seat, ours), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert(seat_has_news(&seat));
    empty_control();
    ck_assert_int_eq(seat_tell(&seat, ours), 0);

    fill_control();
    (void)!seat_reap(&seat, SIGKILL);
    ck_assert_int_eq(seat_tell(&seat, ours), -1);
    ck_assert_int_eq(seat.state, SEAT_REAPED); /* and nobody is started here before it was told */
    m = hear(fds, 2);
    ck_assert_uint_eq(m.type, CTL_WORKER_UP);
    empty_control();
    ck_assert_int_eq(seat_tell(&seat, ours), 0);
    m = hear(fds, 0);
    ck_assert_uint_eq(m.type, CTL_WORKER_DOWN);
    ck_assert_int_eq(m.pid, FAKE_PID);
    ck_assert_int_eq(m.status, SIGKILL);
    ck_assert_int_eq(seat.state, SEAT_EMPTY);
}
END_TEST

START_TEST(test_a_worker_that_dies_before_it_was_told_is_never_mentioned)
{
    const unsigned before = open_descriptors();

    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
    ck_assert(seat_reap(&seat, 1 << 8));
    ck_assert(!seat_has_news(&seat));
    ck_assert_int_eq(seat.state, SEAT_EMPTY);
    ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

/* The page, as the worker writes it. */
static void
write_job(int page_fd, uint64_t job)
{
    struct worker_page *page =
        mmap(NULL, PAGE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);

    ck_assert_ptr_ne(page, MAP_FAILED);
    atomic_store(&page->job, job);
    munmap(page, PAGE_OCTETS);
}

START_TEST(test_a_death_with_a_task_is_the_tasks_and_one_without_is_the_pools)
{
    int fds[WIRE_FDS_MAX];

    for (int task = 0; task < 2; task++) {
        ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
        ck_assert_int_eq(seat_tell(&seat, ours), 0);
        hear(fds, 2);
        write_job(fds[1], (uint64_t)task);
        ck_assert(seat_reap(&seat, SIGSEGV) == (task == 0));
        ck_assert_int_eq(seat_tell(&seat, ours), 0);
        hear(fds, 0);
    }
}
END_TEST

/* Row: how it died after the front end had wished it dead, and whether that tells of the pool. */
static const struct {
    int status;
    bool ill;
} wished[] = {{SIGKILL, false}, {SIGSEGV, true}, {1 << 8, true}};

START_TEST(test_a_wish_excuses_only_the_death_that_it_caused)
{
    const pid_t child = fork(); /* somebody whom SIGKILL may hit */
    int status;

    if (child == 0)
        for (;;)
            pause();
    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
    ck_assert_int_eq(seat_tell(&seat, ours), 0);
    seat.pid = child;
    seat_kill(&seat);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    ck_assert(seat_reap(&seat, wished[_i].status) == wished[_i].ill);
}
END_TEST

START_TEST(test_without_a_front_end_news_are_dropped)
{
    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
    ck_assert_int_eq(seat_tell(&seat, ours), 0);
    (void)!seat_reap(&seat, SIGKILL);
    seat_forget_front(&seat);
    ck_assert_int_eq(seat.state, SEAT_EMPTY);
    ck_assert(!seat_is_alive(&seat));
}
END_TEST

START_TEST(test_a_move_that_the_table_does_not_know_ends_the_process)
{
    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0);
    ck_assert_int_eq(seat_spawn(&seat, "worker"), 0); /* the seat is taken: SIGABRT */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("seat");
    TCase *tc = tcase_create("seat");

    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, test_the_front_end_gets_socket_and_page_and_we_keep_neither);
    tcase_add_test(tc, test_a_start_that_fails_leaves_the_seat_empty_and_nothing_open);
    tcase_add_test(tc, test_a_full_control_socket_delays_the_news_and_keeps_their_order);
    tcase_add_test(tc, test_a_worker_that_dies_before_it_was_told_is_never_mentioned);
    tcase_add_test(tc, test_a_death_with_a_task_is_the_tasks_and_one_without_is_the_pools);
    tcase_add_loop_test(tc, test_a_wish_excuses_only_the_death_that_it_caused, 0,
                        sizeof(wished) / sizeof(wished[0]));
    tcase_add_test(tc, test_without_a_front_end_news_are_dropped);
    tcase_add_test_raise_signal(tc, test_a_move_that_the_table_does_not_know_ends_the_process,
                                SIGABRT);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
