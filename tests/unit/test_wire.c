/* links: server/common/wire.c */
/*
 * Messages between processes: what was sent arrives whole and with its descriptors, and a packet
 * that is wrong in any way arrives as an error and leaves no descriptor open.
 */
#include "../lib/suite.h"
#include "common/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ours, theirs;

static void
open_pair(void)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    ours = pair[0];
    theirs = pair[1];
}

static void
close_pair(void)
{
    close(ours);
    close(theirs);
}

static unsigned
open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static struct ctl_message
worker_up(void)
{
    return (struct ctl_message){
        .type = CTL_WORKER_UP, .index = 3, .pid = 4711, .status = -1, .value = UINT64_MAX};
}

/* Packets that break the contract: sent with plain sendmsg(), as a hostile worker would. */
static void
send_raw(const void *data, size_t size, int nfds)
{
    union {
        struct cmsghdr header;
        char octets[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    char copy[1024];
    struct iovec iov = {.iov_base = copy, .iov_len = size};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    memcpy(copy, data, size);
    if (nfds > 0) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
        for (int i = 0; i < nfds; i++)
            ((int *)(void *)CMSG_DATA(&control.header))[i] = STDERR_FILENO;
    }
    ck_assert_int_eq(sendmsg(ours, &msg, 0), (ssize_t)size);
}

START_TEST(test_a_message_arrives_as_it_was_sent)
{
    struct ctl_message sent = worker_up(), got = {0};

    ck_assert_int_eq(wire_send(ours, &sent, sizeof(sent), NULL, 0), 0);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), NULL, NULL), 1);
    ck_assert_mem_eq(&sent, &got, sizeof(sent));
}
END_TEST

START_TEST(test_a_task_message_with_all_parameters_arrives_as_it_was_sent)
{
    struct task_message sent = {.type = TASK_RUN, .job = 1, .small_len = WIRE_SMALL_MAX}, got;

    for (int i = 0; i < PARAM_MAX; i++)
        sent.params[i] = INT64_MIN + i;
    memset(sent.small, 0xa5, sizeof(sent.small));
    ck_assert_int_eq(wire_send(ours, &sent, sizeof(sent), NULL, 0), 0);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), NULL, NULL), 1);
    ck_assert_mem_eq(&sent, &got, sizeof(sent));
}
END_TEST

START_TEST(test_descriptors_arrive_usable_and_close_on_exec)
{
    struct ctl_message sent = worker_up(), got;
    int pipe_fds[2], fds[WIRE_FDS_MAX], nfds = WIRE_FDS_MAX;
    char octet = 0;

    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(wire_send(ours, &sent, sizeof(sent), pipe_fds, 2), 0);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), fds, &nfds), 1);
    ck_assert_int_eq(nfds, 2);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(read(pipe_fds[0], &octet, 1), 1);
    ck_assert_int_eq(octet, 'x');
    ck_assert_int_ne(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(fds[1], F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

START_TEST(test_as_many_descriptors_as_are_allowed_arrive_and_one_more_is_not_sent)
{
    struct ctl_message sent = worker_up(), got;
    int in[WIRE_FDS_MAX + 1] = {1, 2, 1, 2, 1}, out[WIRE_FDS_MAX], nfds = WIRE_FDS_MAX;

    ck_assert_int_eq(wire_send(ours, &sent, sizeof(sent), in, WIRE_FDS_MAX + 1), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(wire_send(ours, &sent, sizeof(sent), in, WIRE_FDS_MAX), 0);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), out, &nfds), 1);
    ck_assert_int_eq(nfds, WIRE_FDS_MAX);
}
END_TEST

/* Row: octets and descriptors that are sent, room that the receiver has for descriptors. */
static const struct {
    size_t size;
    int nfds, room;
} wrong[] = {
    {sizeof(struct ctl_message) - 1, 0, 0},
    {sizeof(struct ctl_message) + 1, 0, 0},
    {sizeof(struct ctl_message) - 1, 2, 4},
    {sizeof(struct ctl_message) + 1, 2, 4},
    {sizeof(struct ctl_message), 1, 0},
    {sizeof(struct ctl_message), 3, 2},
    {sizeof(struct ctl_message), WIRE_FDS_MAX + 2, WIRE_FDS_MAX},
};

START_TEST(test_a_wrong_packet_is_an_error_and_leaves_no_descriptor_open)
{
    char data[sizeof(struct ctl_message) + 1] = {0};
    struct ctl_message got;
    int fds[WIRE_FDS_MAX], nfds = wrong[_i].room;
    unsigned before = open_descriptors();

    send_raw(data, wrong[_i].size, wrong[_i].nfds);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), fds, &nfds), -1);
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_int_eq(nfds, 0);
    ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(test_the_packet_behind_a_wrong_one_arrives)
{
    struct ctl_message sent = worker_up(), got = {0};

    send_raw("no", 2, 1);
    ck_assert_int_eq(wire_send(ours, &sent, sizeof(sent), NULL, 0), 0);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), NULL, NULL), -1);
    ck_assert_int_eq(wire_receive(theirs, &got, sizeof(got), NULL, NULL), 1);
    ck_assert_mem_eq(&sent, &got, sizeof(sent));
}
END_TEST

START_TEST(test_nothing_to_read_and_no_room_to_write_are_told_as_eagain)
{
    struct ctl_message message = worker_up();
    int sent = 0;

    ck_assert_int_eq(wire_receive(theirs, &message, sizeof(message), NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    while (wire_send(ours, &message, sizeof(message), NULL, 0) == 0)
        sent++;
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_gt(sent, 0);
    for (; sent > 0; sent--)
        ck_assert_int_eq(wire_receive(theirs, &message, sizeof(message), NULL, NULL), 1);
}
END_TEST

START_TEST(test_a_closed_peer_is_0_when_reading_and_epipe_without_a_signal_when_writing)
{
    struct ctl_message message = worker_up();

    signal(SIGPIPE, SIG_DFL);
    close(theirs);
    ck_assert_int_eq(wire_receive(ours, &message, sizeof(message), NULL, NULL), 0);
    ck_assert_int_eq(wire_send(ours, &message, sizeof(message), NULL, 0), -1);
    ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(test_a_peer_that_closed_without_reading_our_packet_is_closed_not_an_error)
{
    struct ctl_message message = worker_up();

    ck_assert_int_eq(wire_send(ours, &message, sizeof(message), NULL, 0), 0);
    close(theirs);
    ck_assert_int_eq(wire_receive(ours, &message, sizeof(message), NULL, NULL), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("wire");
    TCase *tc = tcase_create("wire");

    tcase_add_checked_fixture(tc, open_pair, close_pair);
    tcase_add_test(tc, test_a_message_arrives_as_it_was_sent);
    tcase_add_test(tc, test_a_task_message_with_all_parameters_arrives_as_it_was_sent);
    tcase_add_test(tc, test_descriptors_arrive_usable_and_close_on_exec);
    tcase_add_test(tc, test_as_many_descriptors_as_are_allowed_arrive_and_one_more_is_not_sent);
    tcase_add_loop_test(tc, test_a_wrong_packet_is_an_error_and_leaves_no_descriptor_open, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tc, test_the_packet_behind_a_wrong_one_arrives);
    tcase_add_test(tc, test_nothing_to_read_and_no_room_to_write_are_told_as_eagain);
    tcase_add_test(tc,
                   test_a_closed_peer_is_0_when_reading_and_epipe_without_a_signal_when_writing);
    tcase_add_test(tc, test_a_peer_that_closed_without_reading_our_packet_is_closed_not_an_error);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
