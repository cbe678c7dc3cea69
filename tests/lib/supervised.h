/*
 * A real supervisor in a process of its own, over fakes: front ends that only count what they are
 * told, in memory shared with the test, and workers that are this test program executed again. For
 * tests of who lives, who dies and who hears of it.
 *
 * Everything waits with a deadline on those counters; a test that waits in vain fails with the log.
 */
#ifndef TESTS_SUPERVISED_H
#define TESTS_SUPERVISED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAKE_FRONTS = 32, FAKE_WORKERS = 4, SUPERVISED_DEADLINE_MS = 10000 };

/* Jobs of a fake worker. */
enum { FAKE_JOB_REPORT = 1, FAKE_JOB_HANG = 2 };

/* What a worker finds out about itself. */
struct fake_self {
    int pid, argument, cpu_argument;
    int policy, nice;
    int cpus, cpu; /* CPUs in its affinity, the lowest of them */
    uint64_t fds;  /* bit n: descriptor n is open */
    int blocked_signals;
};

/* What a front end has seen; by generation. */
struct fake_front {
    _Atomic int pid;
    _Atomic uint64_t fds;
    _Atomic int cpus; /* in its affinity */
    _Atomic int conf_port;
    _Atomic int ntls, certificate_len; /* sockets for TLS; octets of the certificate */
    _Atomic int drains;
    _Atomic int up[FAKE_WORKERS], down[FAKE_WORKERS]; /* messages */
    _Atomic int worker[FAKE_WORKERS];                 /* pid of the last that came up */
    _Atomic int status[FAKE_WORKERS];                 /* of the last that went down */
    _Atomic int hanging[FAKE_WORKERS]; /* the worker there has been given FAKE_JOB_HANG and begun */
    struct fake_self self[FAKE_WORKERS];
    _Atomic int reports[FAKE_WORKERS];
};

/* What front ends do; may be changed at any time. The numbers below `ask` are taken by the front
 * end named in ask_generation, which then sets `ask` to 0. */
enum fake_ask { ASK_NOTHING, ASK_JOB, ASK_KILL, ASK_GARBAGE, ASK_WRONG_MESSAGE, ASK_CLOSE };

struct fake_world {
    _Atomic int fail;     /* so many front ends exit with 3 before they are ready */
    _Atomic bool unready; /* they do not say that they are ready */
    _Atomic bool deaf;    /* they do not heed CTL_DRAIN */
    _Atomic bool hold;    /* they accept no connection */
    _Atomic int ask;      /* enum fake_ask */
    _Atomic int ask_generation, ask_index, ask_pid, ask_job;
    struct fake_front fronts[FAKE_FRONTS];
};

struct supervised {
    struct fake_world *world;
    pid_t pid;
    int out_fd, log_fd;
    unsigned port;
    char config_path[64];
};

/* First thing in main(): becomes a fake worker, and does not return, if started as one. */
void supervised_worker_main(int argc, char **argv);

/* Makes the world, in which a test may change things before it starts the server. */
void supervised_open(struct supervised *);
/* Starts a supervisor with these lines "key=value". worker_path NULL: the fake worker. */
void supervised_start(struct supervised *, const char *conf, const char *worker_path);
/* Waits until the first front end is ready, and takes the port from what was printed. */
void supervised_wait_ready(struct supervised *);
/* Other lines for the next HUP. */
void supervised_rewrite(struct supervised *, const char *conf);

/* Waits for the supervisor's end; its wait status. Then nothing of it may be left. */
int supervised_wait_end(struct supervised *);
/* Waits until no process that came from this test is left. */
void supervised_expect_nobody(struct supervised *);
/* Ends whatever is still there. */
void supervised_close(struct supervised *);

/* Waits until *counter is at least `least`. */
void supervised_wait(struct supervised *, const _Atomic int *counter, int least, const char *what);
void supervised_wait_gone(struct supervised *, pid_t pid);
/* Waits until this text stands in the log. */
void supervised_wait_log(struct supervised *, const char *text);
bool supervised_has_logged(struct supervised *, const char *text);
/* Has the front end of `generation` do something, and waits until it has. */
void supervised_ask(struct supervised *, int generation, enum fake_ask, int index, int pid,
                    int job);

/* Connects; -1: refused. Then: the number of the generation that answers. */
int supervised_connect(struct supervised *);
int supervised_answer(struct supervised *, int fd);

#endif
