/*
 * /db and /queries of the TechEmpower set: one random row, many random rows. All reads of all
 * requests of one loop turn reach PostgreSQL together (db/).
 */
#include "endpoints/world.h"

#include "endpoints/endpoints.h"
#include "endpoints/kept.h"
#include "endpoints/random.h"
#include "request/runner.h"

#include <string.h>

/* ---- what the others share: see world.h ---- */

unsigned
world_wanted(const struct req *r, const char *name)
{
    const char *p = r->head->query.p, *end = p + r->head->query.len;
    const size_t len = strlen(name);
    unsigned n = 0;

    while ((size_t)(end - p) <= len || memcmp(p, name, len) != 0 || p[len] != '=') {
        p = (size_t)(end - p) > len ? memchr(p, '&', (size_t)(end - p)) : NULL;
        if (p == NULL)
            return 1;
        p++;
    }
    for (p += len + 1; p < end && *p != '&'; p++) {
        if (*p < '0' || *p > '9')
            return 1;
        if (n < WORLD_MOST)
            n = n * 10 + (unsigned)(*p - '0');
    }
    return n < 1 ? 1 : n > WORLD_MOST ? WORLD_MOST : n;
}

int32_t
world_random(const struct req *r)
{
    return (int32_t)random_below(&r->runner->endpoints->random, WORLD_ROWS) + 1;
}

void
world_add(struct buf *b, struct world w)
{
    buf_add_text(b, "{\"id\":");
    buf_add_u64(b, (uint64_t)w.id);
    buf_add_text(b, ",\"randomNumber\":");
    buf_add_u64(b, (uint64_t)w.number);
    buf_add_char(b, '}');
}

void
world_add_row(struct buf *b, unsigned i, struct world w)
{
    buf_add_char(b, i == 0 ? '[' : ',');
    world_add(b, w);
}

bool
world_take(const struct query *query, struct world *out)
{
    if (db_rows(&query->q) != 1)
        return false;
    out->id = (int32_t)db_int(&query->q, 0, WORLD_ID);
    out->number = (int32_t)db_int(&query->q, 0, WORLD_RANDOM);
    return true;
}

struct next
world_is_missing(struct req *r)
{
    return reply_fail(r, FAIL_DB_QUERY, "the table world has no such row");
}

/* ---- /db ---- */

struct one {
    struct query row;
};

static struct next
db_answer(struct req *r)
{
    struct one *s = r->state;
    struct buf *b = req_scratch(r);
    struct world w;

    if (!world_take(&s->row, &w))
        return world_is_missing(r);
    world_add(b, w);
    return reply_json(r, 200, b);
}

struct next
db_ask(struct req *r)
{
    struct one *s = req_state_new(r, sizeof(*s));

    req_query_int(r, &s->row, SQL_WORLD_BY_ID, world_random(r));
    return wait_all(r, db_answer);
}

/* ---- /queries?queries= ---- */

struct queries {
    unsigned count;
    struct query *rows;
};

static struct next
queries_answer(struct req *r)
{
    struct queries *s = r->state;
    struct buf *b = req_scratch(r);
    struct world w;

    for (unsigned i = 0; i < s->count; i++) {
        if (!world_take(&s->rows[i], &w))
            return world_is_missing(r);
        world_add_row(b, i, w);
    }
    buf_add_char(b, ']');
    return reply_json(r, 200, b);
}

struct next
queries_ask(struct req *r)
{
    struct queries *s = req_state_new(r, sizeof(*s));

    s->count = world_wanted(r, "queries");
    s->rows = arena_alloc(&r->arena, s->count * sizeof(*s->rows));
    for (unsigned i = 0; i < s->count; i++)
        req_query_int(r, &s->rows[i], SQL_WORLD_BY_ID, world_random(r));
    return wait_all(r, queries_answer);
}
