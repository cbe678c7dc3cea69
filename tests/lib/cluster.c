/*
 * cluster: see cluster.h. All of it by config/run/cluster, as `make run` does; signals, and
 * connections from the side.
 *
 * The first process of PostgreSQL becomes a child of this one when pg_ctl is done with it: so it is
 * reaped as soon as it is dead. (Where nobody does that, the next start takes it for alive.)
 */
#include "cluster.h"

#include "steady.h"

#include <check.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], url[512];

/* Runs config/run/cluster with this verb for our directory; what it prints in out. */
static void
run(const char *verb, char *out, size_t size)
{
    char command[256];
    FILE *f;
    size_t len;

    snprintf(command, sizeof(command), "INTERLEAVE_THROWAWAY=1 config/run/cluster %s %s", verb,
             dir);
    f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    len = fread(out, 1, size - 1, f);
    out[len] = '\0';
    while (len > 0 && out[len - 1] == '\n')
        out[--len] = '\0';
    ck_assert_msg(pclose(f) == 0, "%s failed: %s", command, out);
}

void
cluster_open(void)
{
    char out[1024];

    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    snprintf(dir, sizeof(dir), "/tmp/interleave-pg-%d", (int)getpid());
    run("start", url, sizeof(url));
    setenv("TEST_DB_URL", url, 1);
    run("schema", out, sizeof(out));
}

void
cluster_close(void)
{
    char out[1024];

    run("stop", out, sizeof(out));
    run("remove", out, sizeof(out));
}

void
cluster_start(void)
{
    char out[1024];

    run("start", out, sizeof(out));
}

void
cluster_stop(void)
{
    char out[1024];

    run("stop", out, sizeof(out));
}

pid_t
cluster_postmaster(void)
{
    char path[128];
    int pid = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/data/postmaster.pid", dir);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%d", &pid) != 1 || !process_exists(pid))
        pid = 0;
    fclose(f);
    return pid;
}

void
cluster_crash(int signal_number)
{
    const pid_t postmaster = cluster_postmaster();
    struct pg_conn *c = cluster_superuser();
    struct backends b = cluster_backends(c, "select pid from pg_stat_activity");

    ck_assert_int_gt(postmaster, 1);
    kill(postmaster, signal_number);
    ck_assert_int_eq(waitpid(postmaster, NULL, 0), postmaster);
    backends_wait_gone(&b);
    database_disconnect(c);
}

struct pg_conn *
cluster_connect(void)
{
    PGconn *conn = PQconnectdb(url);

    if (PQstatus(conn) == CONNECTION_OK)
        return (struct pg_conn *)conn;
    PQfinish(conn);
    return NULL;
}

uint64_t
cluster_wait_accepts(double *took_ms)
{
    const uint64_t deadline = steady_now_ns() + (uint64_t)E2E_DEADLINE_MS * 1000000;
    uint64_t begun, done;
    struct pg_conn *c;

    do {
        begun = steady_now_ns();
        ck_assert_msg(begun < deadline, "PostgreSQL does not come back");
        c = cluster_connect();
        done = steady_now_ns();
    } while (c == NULL);
    database_disconnect(c);
    *took_ms = (double)(done - begun) / 1e6;
    return done;
}

struct pg_conn *
cluster_superuser(void)
{
    const char *const keys[] = {"dbname", "user", NULL};
    const char *const values[] = {url, "postgres", NULL};
    PGconn *conn = PQconnectdbParams(keys, values, 1);

    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    return (struct pg_conn *)conn;
}

struct backends
cluster_backends(struct pg_conn *c, const char *sql)
{
    PGresult *result = PQexec((PGconn *)c, sql);
    struct backends b = {0};

    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s", sql,
                  PQerrorMessage((PGconn *)c));
    ck_assert_int_le(PQntuples(result), CLUSTER_BACKENDS);
    for (; (int)b.count < PQntuples(result); b.count++)
        b.pids[b.count] = (pid_t)strtol(PQgetvalue(result, (int)b.count, 0), NULL, 10);
    PQclear(result);
    return b;
}

void
backends_signal(const struct backends *b, int signal_number)
{
    for (unsigned i = 0; i < b->count; i++) {
        ck_assert_int_gt(b->pids[i], 1);
        kill(b->pids[i], signal_number);
    }
}

void
backends_wait_gone(const struct backends *b)
{
    for (unsigned i = 0; i < b->count; i++)
        process_wait_gone(b->pids[i]);
}

/* The title that a backend gives itself says what it does. */
bool
backend_is_idle(pid_t pid)
{
    char path[64], title[256];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    n = fread(title, 1, sizeof(title) - 1, f);
    fclose(f);
    title[n] = '\0';
    return strstr(title, "] idle") != NULL;
}
