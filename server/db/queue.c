/*
 * queue: see queue.h. Runs in the front end, on the loop thread; owns the memory of all entries.
 * Nothing here can fail: how many entries there are is bounded by the classes' queues and by the
 * queries in flight of each connection.
 */
#include "db/queue.h"

#include "common/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_ENTRIES = 256, DIGITS_MAX = 24 };

struct db_slab {
    struct db_slab *next;
    struct db_entry entries[SLAB_ENTRIES];
};

/* ---- lists ---- */

void
queue_init(struct db_queue *q)
{
    TAILQ_INIT(&q->list);
    q->count = 0;
    q->ordered = true;
    q->deadline_ns = UINT64_MAX;
}

/* What the sweep may rely on, after `e` has come behind `last`. */
static void
note_deadline(struct db_queue *q, const struct db_entry *last, const struct db_entry *e)
{
    if (last == NULL)
        q->ordered = true;
    else if (e->deadline_ns < last->deadline_ns)
        q->ordered = false;
    if (last == NULL || e->deadline_ns < q->deadline_ns)
        q->deadline_ns = e->deadline_ns;
}

void
queue_append(struct db_queue *q, struct db_entry *e)
{
    assert(e->on == NULL);
    note_deadline(q, TAILQ_LAST(&q->list, db_list), e);
    TAILQ_INSERT_TAIL(&q->list, e, link);
    q->count++;
    e->on = q;
}

void
queue_remove(struct db_entry *e)
{
    assert(e->on != NULL && e->on->count > 0);
    TAILQ_REMOVE(&e->on->list, e, link);
    e->on->count--;
    e->on = NULL;
}

void
queue_sweep(struct db_queue *q, uint64_t now, void (*due)(struct db_entry *, uint64_t now))
{
    struct db_entry *e, *next;
    uint64_t earliest = UINT64_MAX;

    if (now < q->deadline_ns)
        return;
    for (e = queue_first(q); e != NULL; e = next) {
        next = TAILQ_NEXT(e, link);
        if (e->deadline_ns == UINT64_MAX)
            continue;
        if (e->deadline_ns <= now)
            due(e, now);
        if (e->on != q)
            continue;
        if (e->deadline_ns < earliest)
            earliest = e->deadline_ns;
        if (q->ordered && e->deadline_ns > now && e->deadline_ns != UINT64_MAX)
            break;
    }
    q->deadline_ns = earliest;
}

/* ---- memory ---- */

void
entries_init(struct db_entries *all)
{
    TAILQ_INIT(&all->free);
    all->slabs = NULL;
}

void
entries_fini(struct db_entries *all)
{
    struct db_slab *slab;

    while ((slab = all->slabs) != NULL) {
        all->slabs = slab->next;
        for (int i = 0; i < SLAB_ENTRIES; i++) {
            free(slab->entries[i].heap);
            if (slab->entries[i].query != NULL)
                slab->entries[i].query->entry = NULL;
        }
        free(slab);
    }
    TAILQ_INIT(&all->free);
}

static void
entries_grow(struct db_entries *all)
{
    struct db_slab *slab = xcalloc(1, sizeof(*slab));

    slab->next = all->slabs;
    all->slabs = slab;
    for (int i = 0; i < SLAB_ENTRIES; i++)
        TAILQ_INSERT_TAIL(&all->free, &slab->entries[i], link);
}

struct db_entry *
entry_get(struct db_entries *all)
{
    struct db_entry *e;

    if (TAILQ_EMPTY(&all->free))
        entries_grow(all);
    e = TAILQ_FIRST(&all->free);
    TAILQ_REMOVE(&all->free, e, link);
    /* the parameters' text is overwritten before it is read */
    memset(e, 0, offsetof(struct db_entry, text));
    return e;
}

void
entry_put(struct db_entries *all, struct db_entry *e)
{
    assert(e->on == NULL && e->result == NULL);
    free(e->heap);
    e->heap = NULL;
    e->query = NULL;
    TAILQ_INSERT_HEAD(&all->free, e, link);
}

/* ---- parameters ---- */

void
entry_set_params(struct db_entry *e, const char *const *params, int nparams)
{
    size_t sizes[DB_PARAMS_MAX], total = 0;
    char *p = e->text;

    assert(nparams <= DB_PARAMS_MAX);
    for (int i = 0; i < nparams; i++) {
        sizes[i] = params[i] == NULL ? 0 : strlen(params[i]) + 1;
        total += sizes[i];
    }
    if (total > ENTRY_TEXT)
        p = e->heap = xmalloc(total);
    for (int i = 0; i < nparams; i++) {
        if (params[i] == NULL)
            continue;
        e->params[i] = memcpy(p, params[i], sizes[i]);
        p += sizes[i];
    }
}

void
entry_set_int(struct db_entry *e, int64_t param)
{
    char *p = e->text + DIGITS_MAX;
    uint64_t rest = param < 0 ? 0 - (uint64_t)param : (uint64_t)param;

    *--p = '\0';
    do
        *--p = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (param < 0)
        *--p = '-';
    e->params[0] = p;
}

struct db_entry *
entry_detach(struct db_entries *all, struct db_entry *old)
{
    struct db_entry *e = entry_get(all);

    e->pool = old->pool;
    e->query = old->query;
    e->since_ns = old->since_ns;
    e->deadline_ns = old->deadline_ns;
    e->statement = old->statement;
    e->begun = old->begun;
    e->own_deadline = old->own_deadline;
    e->own_sync = old->own_sync;
    e->tries = old->tries;
    entry_set_params(e, old->params, db_statement_table[old->statement].nparams);
    if (e->query != NULL)
        e->query->entry = e;
    old->query = NULL;
    old->begun = false;
    old->deadline_ns = UINT64_MAX;
    return e;
}
