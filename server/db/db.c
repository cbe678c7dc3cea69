/*
 * db: opening and closing the room. See db.h for what it is, inside.h for its parts.
 */
#include "common/log.h"
#include "db/parts.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <stdlib.h>

/* What the configuration says of each class, in the units of this room. */
static void
configure(struct db *db)
{
    const struct conf *conf = db->conf;
    const struct {
        int64_t max, least, queue, wait_ms, answer_ms, suspect_ms;
    } table[DB_ALL_CLASSES] = {
        [DB_FAST] = {conf->db_fast, conf->db_fast, conf->db_fast_queue, conf->db_fast_wait,
                     conf->db_answer, conf->db_suspect},
        [DB_WRITE] = {conf->db_write, 0, conf->db_write_queue, conf->db_write_wait,
                      conf->db_write_wait, conf->db_suspect},
        [DB_SLOW] = {conf->db_slow, conf->db_slow_ready, conf->db_slow_queue, conf->db_slow_wait,
                     conf->db_slow_wait, 0},
        [DB_CONTROL] = {1, 1, INT64_C(4) * CONNS_MAX, conf->db_answer, conf->db_answer,
                        conf->db_suspect},
    };

    for (unsigned i = 0; i < DB_ALL_CLASSES; i++) {
        struct db_pool *pool = &db->pools[i];

        pool->max = (unsigned)(table[i].max < CONNS_MAX ? table[i].max : CONNS_MAX);
        pool->least = table[i].least < pool->max ? (unsigned)table[i].least : pool->max;
        pool->queue_max = (unsigned)table[i].queue;
        pool->wait_ns = (uint64_t)table[i].wait_ms * NS_PER_MS;
        pool->answer_ns = (uint64_t)table[i].answer_ms * NS_PER_MS;
        pool->suspect_ns = (uint64_t)table[i].suspect_ms * NS_PER_MS;
    }
    db->connect_ns = (uint64_t)conf->db_connect * NS_PER_MS;
}

static void
pool_init(struct db *db, unsigned class)
{
    struct db_pool *pool = &db->pools[class];

    pool->db = db;
    pool->row = &pool_rows[class];
    pool->class = class;
    queue_init(&pool->again);
    queue_init(&pool->waiting);
    pool->conns = xcalloc(pool->max, sizeof(*pool->conns));
    for (unsigned i = 0; i < pool->max; i++)
        conn_init(&pool->conns[i], pool, i);
}

/* What is started after db_turn_end() must not wait until the loop wakes for another reason. */
static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

struct db *
db_open(struct event_base *base, const struct conf *conf, struct span_ring *ring)
{
    struct db *db = xcalloc(1, sizeof(*db));
    char why[200];

    db->base = base;
    db->conf = conf;
    db->ring = ring;
    entries_init(&db->entries);
    queue_init(&db->verdicts);
    evtimer_assign(&db->deliver, base, entry_on_deliver, db);
    evtimer_assign(&db->kick, base, on_kick, db);
    configure(db);
    for (unsigned i = 0; i < DB_ALL_CLASSES; i++)
        pool_init(db, i);
    if (conf->db_url[0] == '\0') {
        db->none = true;
        log_info("db: db_url is empty: no database");
    } else if (url_parse(&db->url, conf->db_url, why, sizeof(why)) != 0) {
        db->none = true;
        log_errorx("db: %s", why);
    }
    watch_begin(db);
    return db;
}

void
db_close(struct db *db)
{
    event_del(&db->deliver);
    event_del(&db->kick);
    event_del(&db->tick);
    control_close(db);
    for (unsigned i = 0; i < DB_ALL_CLASSES; i++) {
        struct db_pool *pool = &db->pools[i];

        for (unsigned j = 0; j < pool->max; j++) {
            struct db_entry *e;

            if (pool->conns[j].state != CONN_OFF)
                conn_close(&pool->conns[j]);
            TAILQ_FOREACH(e, &pool->conns[j].sent.list, link)
                PQclear(e->result);
        }
        free(pool->conns);
    }
    if (db->dns != NULL)
        evdns_base_free(db->dns, 0);
    url_free(&db->url);
    entries_fini(&db->entries);
    free(db);
}
