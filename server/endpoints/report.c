/*
 * /db/report: a real aggregate over real rows. PostgreSQL computes on a core of its own while this
 * thread goes on: waiting for the database is not always waiting for a clock.
 */
#include "endpoints/endpoints.h"

#include <string.h>

enum { REPORT_DAYS };
const struct param report_params[] = {
    [REPORT_DAYS] = {.name = "days",
                     .kind = PARAM_INT,
                     .min = 1,
                     .max = 365,
                     .def = 30,
                     .unit = "days",
                     .help = "how many days back from the newest order"},
    {.name = NULL},
};

struct report {
    struct query query;
};

static struct next
report_answer(struct req *r)
{
    struct report *s = r->state;
    struct buf *b = req_scratch(r);
    const struct db_query *q = &s->query.q;

    buf_addf(b, "{\"days\":%lld,\"rows\":[", (long long)r->params[REPORT_DAYS]);
    for (int row = 0; row < db_rows(q); row++) {
        if (row > 0)
            buf_add_char(b, ',');
        for (int column = 0; column < db_columns(q); column++) {
            size_t len;
            const char *text = db_text(q, row, column, &len);

            buf_add_char(b, column == 0 ? '{' : ',');
            buf_add_json_string(b, db_column_name(q, column), strlen(db_column_name(q, column)));
            buf_add_char(b, ':');
            if (db_is_null(q, row, column))
                buf_add_text(b, "null");
            else if (db_column_is_number(q, column))
                buf_add(b, text, len);
            else
                buf_add_json_string(b, text, len);
        }
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
    return reply_ran(r, b);
}

struct next
report_ask(struct req *r)
{
    struct report *s = req_state_new(r, sizeof(*s));

    req_query_int(r, &s->query, SQL_REPORT, r->params[REPORT_DAYS]);
    return wait_all(r, report_answer);
}
