/*
 * /updates?queries= of the TechEmpower set: reads so many random rows, each by a query of its own,
 * gives each a new number, and writes all of them by one statement.
 *
 *   draw distinct ids, in order -> read them side by side -> one UPDATE -> answer
 *
 * One statement is one transaction and one COMMIT, which waits for the disk; it locks its rows in
 * the order of their ids (see sql/statements/update_worlds.sql).
 */
#include "endpoints/endpoints.h"

#include "endpoints/world.h"

#include <stdio.h>

struct updates {
    unsigned count;
    struct world *worlds; /* in the order of their ids */
    struct query *rows;
    struct query update;
};

/* `count` different ids, ascending: a bit for each, then from the lowest on. */
static void
draw_ids(const struct req *r, struct world *out, unsigned count)
{
    uint64_t drawn[(WORLD_ROWS + 63) / 64] = {0};
    unsigned n = 0;

    while (n < count) {
        unsigned i = (unsigned)world_random(r) - 1;

        n += (drawn[i / 64] >> i % 64 & 1) == 0;
        drawn[i / 64] |= UINT64_C(1) << i % 64;
    }
    for (unsigned word = 0; word < sizeof(drawn) / sizeof(drawn[0]); word++)
        for (uint64_t bits = drawn[word]; bits != 0; bits &= bits - 1)
            (out++)->id = (int32_t)(word * 64 + (unsigned)__builtin_ctzll(bits)) + 1;
}

static struct next
updates_answer(struct req *r)
{
    struct updates *s = r->state;
    struct buf *b = req_scratch(r);

    for (unsigned i = 0; i < s->count; i++)
        world_add_row(b, i, s->worlds[i]);
    buf_add_char(b, ']');
    return reply_json(r, 200, b);
}

/* "{1,2,3}": an array of PostgreSQL, of the ids or of the numbers. */
static const char *
array_text(struct req *r, const struct world *list, unsigned count, bool numbers)
{
    struct buf *b = req_scratch(r);

    for (unsigned i = 0; i < count; i++) {
        buf_add_char(b, i == 0 ? '{' : ',');
        buf_add_u64(b, (uint64_t)(numbers ? list[i].number : list[i].id));
    }
    buf_add_char(b, '}');
    return arena_copy(&r->arena, b->data, b->len);
}

static struct next
updates_write(struct req *r)
{
    struct updates *s = r->state;
    const char *params[2];

    for (unsigned i = 0; i < s->count; i++) {
        if (!world_take(&s->rows[i], &s->worlds[i]))
            return world_is_missing(r);
        s->worlds[i].number = world_random(r);
    }
    params[0] = array_text(r, s->worlds, s->count, false);
    params[1] = array_text(r, s->worlds, s->count, true);
    req_query(r, &s->update, SQL_UPDATE_WORLDS, params, 2);
    return wait_all(r, updates_answer);
}

struct next
updates_read(struct req *r)
{
    struct updates *s = req_state_new(r, sizeof(*s));

    s->count = world_wanted(r, "queries");
    s->worlds = arena_alloc(&r->arena, s->count * sizeof(*s->worlds));
    s->rows = arena_alloc(&r->arena, s->count * sizeof(*s->rows));
    draw_ids(r, s->worlds, s->count);
    for (unsigned i = 0; i < s->count; i++)
        req_query_int(r, &s->rows[i], SQL_WORLD_BY_ID, s->worlds[i].id);
    return wait_all(r, updates_write);
}
