/*
 * bare_libpq: the limit of queries a second. libpq pipelines of the prepared query of /db, and
 * nothing else: no HTTP, no requests that a result would belong to. What a server reaches of it is
 * how well it keeps PostgreSQL busy.
 *
 *   bare_libpq URL SQL_FILE CONNECTIONS PER_SYNC SECONDS
 *
 *   CONNECTIONS   1 to 16; they are driven from one thread, in turns, as poll() says
 *   PER_SYNC      queries between two Syncs: 256 is a batch with one Sync, 1 a Sync for each query
 *   SECONDS       1 to 60; no batch is begun after them
 *
 * Each connection always has one batch of 256 queries on its way: sent whole, its results read as
 * they come, then the next one. Prints one JSON line: queries, seconds, rate, cpu_us (our own CPU
 * time for each query, without PostgreSQL's). Ends with status 1 if any result is not one row.
 *
 *   send 256 queries -> flushing (while the socket is full) -> results, Syncs -> send ...
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { CONNECTIONS_MAX = 16, BATCH = 256, ROWS = 10000, SQL_MAX = 4096 };

struct connection {
    PGconn *pg;
    int syncs;   /* that have not come back yet: 0 means that it is idle */
    bool unsent; /* libpq has octets that the socket did not take */
};

struct bench {
    struct connection connections[CONNECTIONS_MAX];
    int count, per_sync;
    double until;
    uint64_t queries;
};

static double
seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void __attribute__((noreturn)) fail(const char *what, PGconn *pg)
{
    fprintf(stderr, "bare_libpq: %s: %s\n", what, pg != NULL ? PQerrorMessage(pg) : "");
    exit(1);
}

static void
open_connection(struct connection *c, const char *url, const char *sql)
{
    PGresult *r;

    c->pg = PQconnectdb(url);
    if (PQstatus(c->pg) != CONNECTION_OK)
        fail("connect", c->pg);
    r = PQprepare(c->pg, "world", sql, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        fail("prepare", c->pg);
    PQclear(r);
    if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1)
        fail("pipeline", c->pg);
}

static void
send_batch(const struct bench *b, struct connection *c)
{
    char id[16];
    const char *values[] = {id};

    for (int i = 1; i <= BATCH; i++) {
        snprintf(id, sizeof(id), "%ld", 1 + random() % ROWS);
        if (PQsendQueryPrepared(c->pg, "world", 1, values, NULL, NULL, 0) != 1)
            fail("send", c->pg);
        if (i % b->per_sync == 0) {
            if (PQpipelineSync(c->pg) != 1)
                fail("sync", c->pg);
            c->syncs++;
        }
    }
    c->unsent = PQflush(c->pg) == 1;
}

/* The results that are there; each query has one, then NULL. */
static void
take_results(struct bench *b, struct connection *c)
{
    if (PQconsumeInput(c->pg) != 1)
        fail("read", c->pg);
    c->unsent = PQflush(c->pg) == 1;
    while (c->syncs > 0 && PQisBusy(c->pg) == 0) {
        PGresult *r = PQgetResult(c->pg);

        if (r == NULL)
            continue;
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC)
            c->syncs--;
        else if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
            b->queries++;
        else
            fail("result", c->pg);
        PQclear(r);
    }
}

/* Until all batches that were begun in time are back. */
static void
run(struct bench *b)
{
    struct pollfd fds[CONNECTIONS_MAX] = {0};
    int busy;

    do {
        busy = 0;
        for (int i = 0; i < b->count; i++) {
            struct connection *c = &b->connections[i];

            if (c->syncs == 0 && seconds_now() < b->until)
                send_batch(b, c);
            busy += c->syncs > 0;
            fds[i] = (struct pollfd){.fd = c->syncs > 0 ? PQsocket(c->pg) : -1,
                                     .events = c->unsent ? POLLIN | POLLOUT : POLLIN};
        }
        if (busy > 0 && poll(fds, (nfds_t)b->count, 5000) <= 0)
            fail("no answer within 5 s", NULL);
        for (int i = 0; i < b->count; i++)
            if (fds[i].fd >= 0 && fds[i].revents != 0)
                take_results(b, &b->connections[i]);
    } while (busy > 0);
}

static int
usage(void)
{
    fprintf(stderr,
            "usage: bare_libpq URL SQL_FILE CONNECTIONS(1-16) PER_SYNC(1 or a power of 2 up to "
            "256) SECONDS(1-60)\n");
    return 2;
}

int
main(int argc, char **argv)
{
    struct bench b = {0};
    char sql[SQL_MAX] = "";
    double began, seconds, cpu;
    FILE *f;

    if (argc != 6)
        return usage();
    b.count = atoi(argv[3]);
    b.per_sync = atoi(argv[4]);
    seconds = strtod(argv[5], NULL);
    if (b.count < 1 || b.count > CONNECTIONS_MAX || b.per_sync < 1 || BATCH % b.per_sync != 0 ||
        !(seconds >= 1 && seconds <= 60))
        return usage();
    f = fopen(argv[2], "r");
    if (f == NULL || fread(sql, 1, sizeof(sql) - 1, f) == 0) {
        perror(argv[2]);
        return 1;
    }
    fclose(f);
    for (int i = 0; i < b.count; i++)
        open_connection(&b.connections[i], argv[1], sql);

    began = seconds_now();
    cpu = cpu_seconds();
    b.until = began + seconds;
    run(&b);
    cpu = cpu_seconds() - cpu;
    seconds = seconds_now() - began;
    printf("{\"queries\":%llu,\"seconds\":%.3f,\"rate\":%.0f,\"cpu_us\":%.3f}\n",
           (unsigned long long)b.queries, seconds, (double)b.queries / seconds,
           cpu * 1e6 / (double)b.queries);
    for (int i = 0; i < b.count; i++)
        PQfinish(b.connections[i].pg);
    return 0;
}
