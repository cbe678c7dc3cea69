/*
 * Checked moves for small state machines: a table with one row per state says which states may
 * follow, and one function per machine moves. A move that the table does not know is a bug: it ends
 * this process, whose supervisor starts it anew.
 *
 *   static const struct state_row door_states[] = {
 *       [DOOR_OPEN] = {"open", STATE_BIT(DOOR_SHUT)},
 *       [DOOR_SHUT] = {"shut", STATE_BIT(DOOR_OPEN) | STATE_BIT(DOOR_GONE)},
 *       [DOOR_GONE] = {"gone", 0},
 *   };
 */
#ifndef COMMON_STATES_H
#define COMMON_STATES_H

#include "common/log.h"

struct state_row {
    const char *name;
    unsigned next; /* STATE_BIT() of every state that may follow */
};

#define STATE_BIT(state) (1U << (unsigned)(state))

/* Ends the process unless `machine` may move from `from` to `to`. */
static inline void
states_check(const char *machine, const struct state_row *table, unsigned from, unsigned to)
{
    if ((table[from].next & STATE_BIT(to)) == 0)
        fatalx("%s: there is no move from %s to %s", machine, table[from].name, table[to].name);
}

#endif
