/*
 * /db/sleep: a wait that needs no CPU. The query waits in PostgreSQL on a connection of its own,
 * and this thread goes on with other requests: concurrency in its simplest form.
 */
#include "endpoints/endpoints.h"

enum { SLEEP_MS };
const struct param sleep_params[] = {
    [SLEEP_MS] = {.name = "ms",
                  .kind = PARAM_INT,
                  .min = 0,
                  .max = 10000,
                  .def = 500,
                  .unit = "ms",
                  .help = "how long PostgreSQL waits"},
    {.name = NULL},
};

struct sleep {
    struct query query;
};

static struct next
sleep_answer(struct req *r)
{
    struct buf *b = req_scratch(r);

    buf_addf(b, "{\"slept_ms\":%lld", (long long)r->params[SLEEP_MS]);
    return reply_ran(r, b);
}

struct next
sleep_ask(struct req *r)
{
    struct sleep *s = req_state_new(r, sizeof(*s));

    req_query_int(r, &s->query, SQL_SLEEP, r->params[SLEEP_MS]);
    return wait_all(r, sleep_answer);
}
