/*
 * status: what the room says about itself.
 */
#include "db/parts.h"

#include "common/buf.h"

#include <string.h>

static const char *const state_names[] = {
    [DB_STATE_NONE] = "none",
    [DB_STATE_DOWN] = "down",
    [DB_STATE_CONNECTING] = "connecting",
    [DB_STATE_UP] = "up",
};

enum db_state
db_state(const struct db *db)
{
    const struct db_pool *fast = &db->pools[DB_FAST];

    if (db->none)
        return DB_STATE_NONE;
    if (fast->up > 0)
        return DB_STATE_UP;
    return fast->failing ? DB_STATE_DOWN : DB_STATE_CONNECTING;
}

void
db_class_status(const struct db *db, enum db_class class, struct db_class_status *out)
{
    const struct db_pool *pool = &db->pools[class];

    *out = (struct db_class_status){
        .name = pool->row->name,
        .connections_max = pool->max,
        .connections = pool->up,
        .running = pool->running,
        .waiting = pool->waiting.count + pool->again.count,
        .queries = pool->queries,
        .failed = pool->failed,
        .retried = pool->retried,
        .dropped_late = pool->dropped_late,
        .waited = pool->waited,
        .refused = pool->refused,
    };
}

static void
add_class(const struct db *db, enum db_class class, struct buf *b)
{
    struct db_class_status s;

    db_class_status(db, class, &s);
    buf_addf(b, ",\"%s\":{\"connections\":%u,\"connections_max\":%u,\"running\":%u,\"waiting\":%u",
             s.name, s.connections, s.connections_max, s.running, s.waiting);
    buf_addf(b, ",\"queries\":%llu,\"failed\":%llu,\"retried\":%llu,\"dropped_late\":%llu",
             (unsigned long long)s.queries, (unsigned long long)s.failed,
             (unsigned long long)s.retried, (unsigned long long)s.dropped_late);
    buf_addf(b, ",\"waited\":%llu,\"refused\":%llu}", (unsigned long long)s.waited,
             (unsigned long long)s.refused);
}

void
db_status_json(const struct db *db, struct buf *b)
{
    const enum db_state state = db_state(db);
    unsigned abandoned = 0;

    for (unsigned i = 0; i < ABANDONED_MAX; i++)
        abandoned += db->abandoned[i].pid != 0;
    buf_addf(b, "{\"up\":%s,\"state\":\"%s\"", state == DB_STATE_UP ? "true" : "false",
             state_names[state]);
    if (db->server_version > 0)
        buf_addf(b, ",\"server\":\"%d.%d\"", db->server_version / 10000,
                 db->server_version % 10000);
    if (db->last_error[0] != '\0') {
        buf_add_text(b, ",\"last_error\":");
        buf_add_json_string(b, db->last_error, strlen(db->last_error));
    }
    buf_addf(b, ",\"connections_lost\":%llu,\"given_up\":%llu,\"given_up_now\":%u",
             (unsigned long long)db->connections_lost, (unsigned long long)db->abandoned_total,
             abandoned);
    for (unsigned i = 0; i < DB_CLASSES; i++)
        add_class(db, (enum db_class)i, b);
    buf_add_char(b, '}');
}
