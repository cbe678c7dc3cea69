/*
 * family: see family.h. All of it by /proc.
 */
#include "family.h"

#include <check.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN_MAX = 64 };

void
family_adopt_orphans(void)
{
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

void
family_expect(const struct server *s, unsigned workers)
{
    const time_t end = time(NULL) + E2E_DEADLINE_MS / 1000;
    pid_t pids[CHILDREN_MAX];
    unsigned n, alive, zombies;

    for (;;) {
        n = process_children(s->pid, pids, CHILDREN_MAX);
        alive = zombies = 0;
        for (unsigned i = 0; i < n; i++) {
            alive += process_exists(pids[i]);
            zombies += process_state(pids[i]) == 'Z';
        }
        if (alive == 1 + workers && zombies == 0)
            break;
        ck_assert_msg(time(NULL) < end, "the supervisor has %u children and %u zombies", alive,
                      zombies);
        sched_yield();
    }
    n = process_children(getpid(), pids, CHILDREN_MAX);
    ck_assert_msg(n == 1 && pids[0] == s->pid, "%u processes have lost their parent", n - 1);
}
