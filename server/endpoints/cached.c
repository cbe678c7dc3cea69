/*
 * /cached-queries?count= of the TechEmpower set: so many random rows of a table that is kept in
 * memory. The first requests read it from PostgreSQL, part by part, before they are answered;
 * several may do so at once, each goes on where the table ends by then. Nobody changes it while the
 * server runs; a reload (HUP) reads it anew.
 *
 * (`queries=` is understood too, as the addresses of the other rows have it.)
 */
#include "endpoints/endpoints.h"

#include "endpoints/kept.h"
#include "request/runner.h"

struct part {
    unsigned after; /* it follows this id */
    struct query query;
};

static struct next
cached_answer(struct req *r)
{
    unsigned by_count = world_wanted(r, "count"), by_queries = world_wanted(r, "queries");
    unsigned count = by_count > by_queries ? by_count : by_queries;
    const struct world *rows = r->runner->endpoints->cached;
    struct buf *b = req_scratch(r);

    for (unsigned i = 0; i < count; i++)
        world_add_row(b, i, rows[world_random(r) - 1]);
    buf_add_char(b, ']');
    return reply_json(r, 200, b);
}

/* A part is here. Another request may have brought it already. */
static struct next
cached_keep(struct req *r)
{
    struct endpoints *kept = r->runner->endpoints;
    struct part *part = r->state;
    const struct db_query *q = &part->query.q;

    for (int i = 0; i < db_rows(q) && kept->ncached < WORLD_ROWS; i++) {
        int64_t id = db_int(q, i, WORLD_ID);

        if (id == (int64_t)kept->ncached + 1)
            kept->cached[kept->ncached++] =
                (struct world){(int32_t)id, (int32_t)db_int(q, i, WORLD_RANDOM)};
    }
    if (kept->ncached == part->after)
        return reply_fail(r, FAIL_DB_QUERY, "the table cached_world has no row %u",
                          part->after + 1);
    req_release(&part->query.work);
    return next_step(cached_look);
}

struct next
cached_look(struct req *r)
{
    const unsigned cached = r->runner->endpoints->ncached;
    struct part *part;

    if (cached == WORLD_ROWS)
        return cached_answer(r);
    part = req_state_new(r, sizeof(*part));
    part->after = cached;
    req_query_int(r, &part->query, SQL_CACHED_WORLDS, cached);
    return wait_all(r, cached_keep);
}
