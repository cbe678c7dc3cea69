/*
 * Clients that leave, stall or lie: their work is cancelled, and nobody else notices.
 */
#include "e2e.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {
        "workers=1",          "db_slow=4",           "head_timeout=300ms",
        "idle_timeout=300ms", "write_timeout=500ms", NULL,
    };

    server = server_start(options);
    status_wait(server, "workers.alive", 1, 1);
}

static void
stop(void)
{
    server_stop(server);
}

static double
backends_in(struct pg_conn *pg, const char *what)
{
    char sql[256];

    snprintf(sql, sizeof(sql),
             "select count(*) from pg_stat_activity where application_name = 'interleave' "
             "and state = 'active' and query like '%%%s%%'",
             what);
    return database_run(pg, sql);
}

START_TEST(test_a_client_that_leaves_while_its_query_waits_frees_the_backend)
{
    struct pg_conn *pg = database_connect();
    int fd = client_connect(server);

    client_send_get(fd, "/db/sleep?ms=10000");
    status_wait(server, "database.slow.running", 1, 1);
    while (backends_in(pg, "pg_sleep") < 1)
        ; /* it is on its way; the test's own time limit ends this */
    close(fd);
    status_wait(server, "database.slow.running", 0, 0);
    status_wait(server, "requests.in_progress", 0, 0);
    while (backends_in(pg, "pg_sleep") > 0)
        ; /* the cancel request is on its way; the test's own time limit ends this */
    database_disconnect(pg);
}
END_TEST

START_TEST(test_clients_that_leave_the_queue_of_queries_leave_no_trace)
{
    int fds[12];

    for (int i = 0; i < 12; i++) {
        fds[i] = client_connect(server);
        client_send_get(fds[i], "/db/sleep?ms=10000");
    }
    status_wait(server, "database.slow.waiting", 8, 8);
    for (int i = 0; i < 12; i++)
        close(fds[i]);
    status_wait(server, "database.slow.waiting", 0, 0);
    status_wait(server, "requests.in_progress", 0, 0);
}
END_TEST

START_TEST(test_a_client_that_leaves_while_a_worker_computes_frees_the_worker)
{
    int fd = client_connect(server);
    json_t *root;

    client_send_get(fd, "/cpu/primes?n=20000000000&sections=1");
    status_wait(server, "workers.running", 1, 1);
    close(fd);
    status_wait(server, "workers.running", 0, 0);
    root = get_json(server, "/cpu/primes?n=100000", 200);
    ck_assert(json_number(root, "primes") == 9592);
    json_decref(root);
}
END_TEST

START_TEST(test_a_client_that_leaves_a_loop_computation_ends_it)
{
    int fd = client_connect(server);

    client_send_get(fd, "/work?wait_ms=0&cpu_ms=10000&run=loop");
    status_wait(server, "requests.in_progress", 1, 1);
    close(fd);
    status_wait(server, "requests.in_progress", 0, 0);
}
END_TEST

START_TEST(test_a_client_that_leaves_its_burst_cancels_all_of_it)
{
    int fd = client_connect(server);

    client_send(fd, "POST /burst?path=/db/sleep%3Fms=10000&count=30 HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Length: 0\r\n\r\n");
    status_wait(server, "requests.in_progress", 30, 30);
    close(fd);
    status_wait(server, "requests.in_progress", 0, 0);
    status_wait(server, "database.slow.running", 0, 0);
}
END_TEST

START_TEST(test_a_client_that_leaves_in_its_body_is_forgotten)
{
    double before = status_number(server, "requests.clients_gone");
    int fd = client_connect(server);

    client_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
    status_wait(server, "connections.open", 2, 2);
    close(fd);
    status_wait(server, "requests.clients_gone", before + 1, 1e9);
}
END_TEST

START_TEST(test_a_client_that_reads_nothing_is_cut_and_harms_nobody)
{
    int fds[8], small = 4096;

    for (int i = 0; i < 8; i++) {
        fds[i] = client_connect(server);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        client_send_get(fds[i], "/bytes?n=67108864");
    }
    for (int i = 0; i < 20; i++) {
        struct reply r = http_get(server, "/db");

        ck_assert_int_eq(r.status, 200);
        reply_free(&r);
    }
    status_wait(server, "connections.timeouts", 8, 1e9);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    status_wait(server, "memory.in_flight", 0, 0);
}
END_TEST

START_TEST(test_a_head_that_never_ends_gets_408_and_a_closed_connection)
{
    int fd = client_connect(server);
    struct reply r;

    client_send(fd, "GET /json HTTP/1.1\r\nHost: loc");
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_int_eq(r.status, 408);
    ck_assert(r.closed);
    reply_free(&r);
    ck_assert(client_is_closed(fd));
    close(fd);
}
END_TEST

START_TEST(test_an_idle_connection_is_closed_without_a_word)
{
    int fd = client_connect(server);
    struct reply r;

    client_send_get(fd, "/json");
    ck_assert(client_read_reply(fd, &r, false));
    reply_free(&r);
    ck_assert(client_is_closed(fd));
    close(fd);
}
END_TEST

/* ---- clients that leave while they wait for their turn ---- */

enum { GATE = 3 };

/* One request is in progress, as long as the test holds this lock; the others wait for their turn.
 */
static struct server *
start_with_gate(struct pg_conn *pg, unsigned key, int *holder, int waiting[GATE])
{
    static const char *const options[] = {"workers=0", "max_in_progress=1", "max_queue=3", NULL};
    struct server *s = server_start(options);
    char text[64];

    status_wait(s, "database.up", 1, 1);
    snprintf(text, sizeof(text), "select pg_advisory_lock(7203, %u)", key);
    database_run(pg, text);
    *holder = client_connect(s);
    snprintf(text, sizeof(text), "/db/lock?key=%u&ms=0", key);
    client_send_get(*holder, text);
    status_wait(s, "database.slow.running", 1, 1);
    for (unsigned i = 0; i < GATE; i++) {
        waiting[i] = client_connect(s);
        client_send_get(waiting[i], "/db");
        status_wait(s, "requests.waiting_for_turn", i + 1, i + 1);
    }
    return s;
}

static void
expect_answer(int fd, int status)
{
    struct reply r;

    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_msg(r.status == status, "%d %s", r.status, r.body);
    reply_free(&r);
    close(fd);
}

static void
stop_with_gate(struct server *s)
{
    status_wait(s, "requests.waiting_for_turn", 0, 0);
    status_wait(s, "requests.in_progress", 0, 0);
    status_wait(s, "tasks.in_progress", 0, 0);
    server_stop(s);
}

START_TEST(test_a_client_that_leaves_the_queue_gives_its_place_to_the_next)
{
    struct pg_conn *pg = database_connect();
    int holder, waiting[GATE], late;
    struct server *s = start_with_gate(pg, 9, &holder, waiting);

    late = client_connect(s);
    client_send_get(late, "/db");
    expect_answer(late, 503); /* no place is left */
    close(waiting[1]);
    status_wait(s, "requests.waiting_for_turn", GATE - 1, GATE - 1);
    waiting[1] = client_connect(s);
    client_send_get(waiting[1], "/db");
    status_wait(s, "requests.waiting_for_turn", GATE, GATE);
    database_run(pg, "select pg_advisory_unlock(7203, 9)");
    expect_answer(holder, 200);
    for (unsigned i = 0; i < GATE; i++)
        expect_answer(waiting[i], 200);
    stop_with_gate(s);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_a_client_that_leaves_in_its_turn_lets_the_next_one_have_it)
{
    struct pg_conn *pg = database_connect();
    int holder, waiting[GATE];
    struct server *s = start_with_gate(pg, 10, &holder, waiting);

    close(waiting[0]);
    close(holder);
    expect_answer(waiting[1], 200); /* though nobody has let go of the lock */
    expect_answer(waiting[2], 200);
    stop_with_gate(s);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_clients_that_all_leave_the_queue_leave_it_open)
{
    struct pg_conn *pg = database_connect();
    int holder, waiting[GATE];
    struct server *s = start_with_gate(pg, 11, &holder, waiting);

    for (unsigned i = 0; i < GATE; i++)
        close(waiting[i]);
    close(holder);
    json_decref(get_json(s, "/db", 200));
    stop_with_gate(s);
    database_disconnect(pg);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_client_that_leaves_while_its_query_waits_frees_the_backend,
        test_clients_that_leave_the_queue_of_queries_leave_no_trace,
        test_a_client_that_leaves_while_a_worker_computes_frees_the_worker,
        test_a_client_that_leaves_a_loop_computation_ends_it,
        test_a_client_that_leaves_its_burst_cancels_all_of_it,
        test_a_client_that_leaves_in_its_body_is_forgotten,
        test_a_client_that_reads_nothing_is_cut_and_harms_nobody,
        test_a_head_that_never_ends_gets_408_and_a_closed_connection,
        test_an_idle_connection_is_closed_without_a_word,
        test_a_client_that_leaves_the_queue_gives_its_place_to_the_next,
        test_a_client_that_leaves_in_its_turn_lets_the_next_one_have_it,
        test_clients_that_all_leave_the_queue_leave_it_open,
    };

    return suite_run_mode(suite_of("clients", start, stop, tests, sizeof(tests) / sizeof(tests[0])),
                          CK_NOFORK);
}
