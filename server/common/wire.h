/*
 * Messages between processes: fixed structs over SOCK_SEQPACKET, one message a packet. Same
 * machine, same build: no byte order, but every size is checked, and ids travel, never pointers.
 *
 *   control socket   supervisor <-> front end     CTL_*   (descriptors by SCM_RIGHTS)
 *   task socket      front end <-> one worker     TASK_*  (a job's memfd by SCM_RIGHTS)
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include "common/attr.h"
#include "common/param.h"

#include <stddef.h>
#include <stdint.h>

enum { WIRE_FDS_MAX = 4, WIRE_SMALL_MAX = 128 };

/* ---- control socket ---- */

enum ctl_type {
    CTL_WORKER_UP,   /* -> front: fds: task socket, page */
    CTL_WORKER_DOWN, /* -> front */
    CTL_DRAIN,       /* -> front: take no more connections, finish, exit 0 */
    CTL_READY,       /* <- front: accepting (value = number of listening sockets) */
    CTL_KILL_WORKER, /* <- front: SIGKILL worker `index` if it is still pid `pid` */
};

struct ctl_message {
    uint32_t type; /* enum ctl_type */
    uint32_t index;
    int32_t pid;
    int32_t status; /* CTL_WORKER_DOWN: as waitpid() gives it */
    uint64_t value;
};

/* ---- task socket ---- */

enum task_type {
    TASK_AREA, /* -> worker: fd: the job's memfd, area_size octets; once per job and worker */
    TASK_RUN,  /* -> worker */
    TASK_DROP, /* -> worker: the job is over: unmap its area */
    TASK_DONE, /* <- worker */
};

struct task_message {
    uint32_t type;   /* enum task_type */
    uint32_t kernel; /* number in kernel_table */
    uint64_t job;
    uint64_t area_size;
    uint32_t stage, index, count;
    uint32_t failed;     /* TASK_DONE: run() returned -1 */
    uint64_t start, end; /* TASK_DONE: clock_ns() */
    uint64_t cpu_ns;     /* TASK_DONE: thread CPU time */
    uint64_t switches;   /* TASK_DONE: kernel switches while it ran */
    uint32_t cpu;        /* TASK_DONE: sched_getcpu() at the end */
    uint32_t small_len;
    unsigned char small[WIRE_SMALL_MAX];
    int64_t params[PARAM_MAX]; /* TASK_RUN */
};

/* Sends one message with up to WIRE_FDS_MAX descriptors. 0, or -1 with errno (EAGAIN: try later;
 * EPIPE: the peer is gone). Never raises SIGPIPE. */
MUST_CHECK int wire_send(int fd, const void *message, size_t size, const int *fds, int nfds);

/* Receives one message of exactly `size` octets; descriptors go to fds (CLOEXEC), *nfds in: room,
 * out: how many. 1: received, 0: the peer has closed, -1: errno (EAGAIN; EPROTO: wrong size or
 * truncated, its descriptors were closed). */
MUST_CHECK int wire_receive(int fd, void *message, size_t size, int *fds, int *nfds);

#endif
