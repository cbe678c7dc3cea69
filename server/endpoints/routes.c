/*
 * THE table of routes: every address of the server, in the order of /help. Tour 2/9.
 * Rows of kernels (workers/kernels/) are made from kernel_table, so that a new kernel is one file;
 * so are those of the files of the live page (web.h).
 */
#include "endpoints/endpoints.h"
#include "endpoints/web.h"

#include "common/log.h"

#include <string.h>

/* How many rows: what is not 1 to 500 is brought there (nothing, or no number: 1), as TechEmpower
 * wants it; so the endpoints look for themselves (ROUTE_LENIENT). */
#define ROWS_PARAM(word)                                                                           \
    {                                                                                              \
        .name = (word), .kind = PARAM_INT, .min = 1, .max = 500, .def = 1, .unit = "rows",         \
        .help = "how many; below 1 or no number: 1, above 500: 500"                                \
    }
static const struct param queries_params[] = {ROWS_PARAM("queries"), {.name = NULL}};
static const struct param count_params[] = {ROWS_PARAM("count"), {.name = NULL}};

/* The page reads them itself. */
static const struct param root_params[] = {
    {.name = "lesson",
     .kind = PARAM_INT,
     .min = 1,
     .max = 7,
     .def_text = "none",
     .help = "of the page: walks a class through one of its lessons"},
    {.name = "big", .kind = PARAM_INT, .min = 0, .max = 1, .help = "of the page: for a projector"},
    {.name = NULL},
};

static const struct route fixed_routes[] = {
    {.path = "/",
     .methods = METHOD_GET,
     .first = root_answer,
     .params = root_params,
     .flags = ROUTE_OPS | ROUTE_LINKABLE | ROUTE_LENIENT | ROUTE_TAGGED,
     .help = "the live picture of what runs where, for browsers; else this text"},
    {.path = "/help",
     .methods = METHOD_GET,
     .first = help_answer,
     .flags = ROUTE_OPS | ROUTE_LINKABLE,
     .help = "what there is to try, as text with curl lines"},
    {.path = "/openapi.json",
     .methods = METHOD_GET,
     .first = openapi_answer,
     .flags = ROUTE_OPS | ROUTE_LINKABLE,
     .help = "the same for programs: OpenAPI 3.1"},

    {.path = "/db/sleep",
     .methods = METHOD_GET,
     .first = sleep_ask,
     .params = sleep_params,
     .example = "ms=500",
     .help = "waits in PostgreSQL, without CPU: the thread goes on with other requests"},
    {.path = "/db/lock",
     .methods = METHOD_GET,
     .first = lock_ask,
     .cleanup = lock_cleanup,
     .params = lock_params,
     .example = "key=1&ms=100",
     .help = "takes a lock and holds it: tasks that share a resource wait for one another"},
    {.path = "/db/report",
     .methods = METHOD_GET,
     .first = report_ask,
     .params = report_params,
     .example = "days=30",
     .help = "sums up real rows: PostgreSQL computes"},
    {.path = "/work",
     .methods = METHOD_GET,
     .first = mix_wait,
     .params = mix_params,
     .flags = ROUTE_RUN,
     .example = "wait_ms=100&cpu_ms=100",
     .help = "waits in PostgreSQL, then computes: one request of any mix"},
    {.path = "/burst",
     .methods = METHOD_POST,
     .first = burst_begin,
     .cleanup = burst_cleanup,
     .params = burst_params,
     .flags = ROUTE_ADMIN | ROUTE_STREAM | ROUTE_OPS,
     .body = "[{\"path\":\"/db/sleep?ms=300\",\"count\":4},{\"path\":\"/"
             "work?wait_ms=0&cpu_ms=300\",\"count\":4}]",
     .help =
         "many requests at once, inside the server: a line for each, then what overlapped and why"},

    {.path = "/plaintext",
     .methods = METHOD_GET,
     .first = plaintext_answer,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .help = "TechEmpower: a fixed text, which waits for nothing"},
    {.path = "/json",
     .methods = METHOD_GET,
     .first = json_answer,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .help = "TechEmpower: an object made for each request"},
    {.path = "/db",
     .methods = METHOD_GET,
     .first = db_ask,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .help = "TechEmpower: one random row from PostgreSQL"},
    {.path = "/queries",
     .methods = METHOD_GET,
     .first = queries_ask,
     .params = queries_params,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .example = "queries=20",
     .help = "TechEmpower: random rows, each by a query of its own"},
    {.path = "/fortunes",
     .methods = METHOD_GET,
     .first = fortunes_ask,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .help = "TechEmpower: a page of all rows of a small table, sorted and escaped"},
    {.path = "/updates",
     .methods = METHOD_GET,
     .first = updates_read,
     .params = queries_params,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .example = "queries=20",
     .help = "TechEmpower: random rows, read one by one, changed, and written by one statement"},
    {.path = "/cached-queries",
     .methods = METHOD_GET,
     .first = cached_look,
     .params = count_params,
     .flags = ROUTE_BARE | ROUTE_LENIENT,
     .example = "count=20",
     .help = "TechEmpower: random rows of a table that is kept in memory"},

    {.path = "/echo",
     .methods = METHOD_POST,
     .first = echo_begin,
     .flags = ROUTE_STREAM,
     .body_limit = 64 << 20,
     .body = "hello",
     .help = "sends the body back, piece by piece: for trying clients"},
    {.path = "/bytes",
     .methods = METHOD_GET,
     .flags = ROUTE_STREAM,
     .first = bytes_begin,
     .params = bytes_params,
     .example = "n=1024",
     .help = "as many octets as you like: for trying clients"},

    {.path = "/events",
     .methods = METHOD_GET,
     .first = events_begin,
     .cleanup = events_cleanup,
     .params = events_params,
     .flags = ROUTE_ADMIN | ROUTE_STREAM | ROUTE_OPS | ROUTE_UNSEEN,
     .help = "server-sent events for the live page: what runs, every 50 ms"},
    {.path = "/trace.json",
     .methods = METHOD_GET,
     .first = trace_json_begin,
     .cleanup = trace_json_cleanup,
     .params = trace_json_params,
     .example = "seconds=5",
     .flags = ROUTE_ADMIN | ROUTE_STREAM | ROUTE_OPS,
     .help = "what ran in the last seconds, or for one request or burst: opens in ui.perfetto.dev"},
    {.path = "/trace.svg",
     .methods = METHOD_GET,
     .first = trace_svg_begin,
     .cleanup = trace_svg_cleanup,
     .params = trace_svg_params,
     .example = "seconds=5",
     .flags = ROUTE_ADMIN | ROUTE_STREAM | ROUTE_OPS | ROUTE_UNSEEN,
     .help = "the same as a picture"},
    {.path = "/status",
     .methods = METHOD_GET,
     .first = status_answer,
     .flags = ROUTE_ADMIN | ROUTE_OPS,
     .help = "all counters: requests, loop, database, workers, routes"},
    {.path = "/config",
     .methods = METHOD_GET,
     .first = config_answer,
     .flags = ROUTE_ADMIN | ROUTE_OPS,
     .help = "the effective settings and where each came from"},
    {.path = "/version",
     .methods = METHOD_GET,
     .first = version_answer,
     .flags = ROUTE_OPS | ROUTE_LINKABLE,
     .help = "name and version"},
    {.path = "/livez",
     .methods = METHOD_GET,
     .first = livez_answer,
     .flags = ROUTE_OPS | ROUTE_LINKABLE,
     .help = "200 while the loop turns"},
    {.path = "/readyz",
     .methods = METHOD_GET,
     .first = readyz_answer,
     .flags = ROUTE_OPS | ROUTE_LINKABLE,
     .help = "200 when database and workers are there, else 503"},
    {.path = "/problems/",
     .methods = METHOD_GET,
     .first = problems_answer,
     .flags = ROUTE_OPS | ROUTE_LINKABLE | ROUTE_PREFIX,
     .example = "out-of-range",
     .help = "what a problem's name means, or, without a name, all of them"},
};

enum {
    FIXED = sizeof(fixed_routes) / sizeof(fixed_routes[0]),
    KERNEL_ROUTES_AFTER = 7,
    ROUTES_MAX = 96
};

/* A kernel's own parameters, then sections and run. */
static const struct param *
kernel_params(const struct kernel *k)
{
    static struct param tables[32][PARAM_MAX + 1];
    static unsigned used;
    struct param *table = tables[used++];
    unsigned n = 0;

    while (k->params[n].name != NULL) {
        table[n] = k->params[n];
        n++;
    }
    if (n + 2 > PARAM_MAX || used > 32)
        fatalx("kernel %s has too many parameters, or there are too many kernels", k->name);
    if (k->sections)
        table[n++] = sections_param;
    table[n++] = run_param;
    table[n].name = NULL;
    return table;
}

static struct route
kernel_route(const struct kernel *k)
{
    return (struct route){
        .path = k->path,
        .help = k->help,
        .example = k->example,
        .methods = METHOD_GET,
        .first = compute_start,
        .params = kernel_params(k),
        .kernel = k,
        .flags = ROUTE_RUN,
    };
}

const struct route *
routes_all(const char *web_root, unsigned *count)
{
    static struct route rows[ROUTES_MAX];
    static unsigned n;

    *count = n;
    if (n > 0)
        return rows;
    for (unsigned i = 0; i < FIXED; i++) {
        if (i == KERNEL_ROUTES_AFTER)
            for (unsigned k = 0; kernel_table[k] != NULL; k++)
                if (kernel_table[k]->path != NULL)
                    rows[n++] = kernel_route(kernel_table[k]);
        rows[n++] = fixed_routes[i];
    }
    n += web_routes(web_root, rows + n, ROUTES_MAX - n, rows, n);
    *count = n;
    return rows;
}
