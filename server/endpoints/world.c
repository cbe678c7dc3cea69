/*
 * /db and /queries of the TechEmpower set: one random row, many random rows. All reads of all
 * requests of one loop turn reach PostgreSQL together (db/).
 */
#include "endpoints/endpoints.h"

#include "endpoints/random.h"
#include "request/params.h"

#include <string.h>

enum { WORLD_ROWS = 10000, QUERIES_MAX = 500 };
enum { WORLD_ID, WORLD_RANDOM };

static void
add_world(struct buf *b, const struct db_query *q)
{
    buf_add_text(b, "{\"id\":");
    buf_add_u64(b, (uint64_t)db_int(q, 0, WORLD_ID));
    buf_add_text(b, ",\"randomNumber\":");
    buf_add_u64(b, (uint64_t)db_int(q, 0, WORLD_RANDOM));
    buf_add_char(b, '}');
}

/* ---- /db ---- */

struct world {
    struct query row;
};

static struct next
db_answer(struct req *r)
{
    struct world *s = r->state;
    struct buf *b = req_scratch(r);

    if (db_rows(&s->row.q) != 1)
        return reply_fail(r, FAIL_DB_QUERY, "the table world has no such row");
    add_world(b, &s->row.q);
    return reply_json(r, 200, b);
}

struct next
db_ask(struct req *r)
{
    struct world *s = req_state_new(r, sizeof(*s));

    req_query_int(r, &s->row, SQL_WORLD_BY_ID, (int64_t)random_below(WORLD_ROWS) + 1);
    return wait_all(r, db_answer);
}

/* ---- /queries?queries= ---- */

struct queries {
    unsigned count;
    struct query *rows;
};

/* As their verifier wants it: not a number or missing means 1, otherwise clamped to 1..500. */
static unsigned
wanted_queries(const struct slice_text query)
{
    static const char name[] = "queries=";
    const char *p = query.p, *end = query.p + query.len;
    unsigned n = 0;

    while (p < end && (size_t)(end - p) >= sizeof(name) - 1 &&
           memcmp(p, name, sizeof(name) - 1) != 0) {
        p = memchr(p, '&', (size_t)(end - p));
        if (p == NULL)
            return 1;
        p++;
    }
    if (p >= end || (size_t)(end - p) < sizeof(name) - 1)
        return 1;
    for (p += sizeof(name) - 1; p < end && *p != '&'; p++) {
        if (*p < '0' || *p > '9')
            return 1;
        if (n < QUERIES_MAX)
            n = n * 10 + (unsigned)(*p - '0');
    }
    return n < 1 ? 1 : n > QUERIES_MAX ? QUERIES_MAX : n;
}

static struct next
queries_answer(struct req *r)
{
    struct queries *s = r->state;
    struct buf *b = req_scratch(r);

    buf_add_char(b, '[');
    for (unsigned i = 0; i < s->count; i++) {
        if (db_rows(&s->rows[i].q) != 1)
            return reply_fail(r, FAIL_DB_QUERY, "the table world has no such row");
        if (i > 0)
            buf_add_char(b, ',');
        add_world(b, &s->rows[i].q);
    }
    buf_add_char(b, ']');
    return reply_json(r, 200, b);
}

struct next
queries_ask(struct req *r)
{
    struct queries *s = req_state_new(r, sizeof(*s));

    s->count = wanted_queries(r->head->query);
    s->rows = arena_alloc(&r->arena, s->count * sizeof(*s->rows));
    for (unsigned i = 0; i < s->count; i++)
        req_query_int(r, &s->rows[i], SQL_WORLD_BY_ID, (int64_t)random_below(WORLD_ROWS) + 1);
    return wait_all(r, queries_answer);
}
