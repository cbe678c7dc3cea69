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

/* Those of a process that live; its zombies. */
static unsigned
count_children(pid_t pid, unsigned *zombies)
{
    pid_t pids[CHILDREN_MAX];
    const unsigned n = process_children(pid, pids, CHILDREN_MAX);
    unsigned alive = 0;

    *zombies = 0;
    for (unsigned i = 0; i < n; i++) {
        alive += process_exists(pids[i]);
        *zombies += process_state(pids[i]) == 'Z';
    }
    return alive;
}

/* What has died since it became ours is a zombie until we end, and no orphan any more. */
void
family_expect(const struct server *s, unsigned workers)
{
    const time_t end = time(NULL) + E2E_DEADLINE_MS / 1000;
    unsigned children, zombies, ours, dead;

    for (;;) {
        children = count_children(s->pid, &zombies);
        ours = count_children(getpid(), &dead);
        if (children == 1 + workers && zombies == 0 && ours == 1)
            return;
        ck_assert_msg(time(NULL) < end,
                      "the supervisor has %u children and %u zombies, %d have lost their parent",
                      children, zombies, (int)ours - 1);
        sched_yield();
    }
}
