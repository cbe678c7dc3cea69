/*
 * signals: see signals.h. Runs in the supervisor. A signal that is read where one likes needs no
 * handler, and thus no rules about what a handler may call.
 *
 * The kernel folds several pending signals of one kind into one: whoever reads SIGCHLD has to reap
 * all children that have died.
 */
#include "supervisor/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int ours[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};

int
signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        sigaddset(&set, ours[i]);
        /* A shell may have started us with some of them ignored; an ignored SIGCHLD would even
         * keep us from reaping. */
        signal(ours[i], SIG_DFL);
    }
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
signals_next(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}
