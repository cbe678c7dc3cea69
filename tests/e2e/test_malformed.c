/*
 * The table of strange requests against the real server: each gets the answer that its rule asks
 * for, and the next client notices nothing.
 */
#include "e2e.h"
#include "malformed.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=0", "head_timeout=300ms", NULL};

    server = server_start(options);
}

static void
stop(void)
{
    server_stop(server);
}

START_TEST(test_every_strange_request_gets_the_answer_of_its_rule)
{
    ck_assert_uint_ge(malformed_count, 40);
    for (size_t i = 0; i < malformed_count; i++) {
        const struct malformed *m = &malformed_table[i];
        int fd = client_connect(server);
        struct reply r;

        client_send_octets(fd, m->octets, m->len);
        if (!client_read_reply(fd, &r, false)) {
            /* the answer of /echo had begun when its body turned bad: it is broken off */
            ck_assert_msg(m->status == 400 && r.status == 200, "%s (%s): no answer", m->name,
                          m->section);
            reply_free(&r);
            close(fd);
            continue;
        }
        ck_assert_msg(r.status == m->status, "%s (%s): %d instead of %d: %.200s", m->name,
                      m->section, r.status, m->status, r.body);
        if (malformed_closes(m)) {
            ck_assert_msg(r.closed, "%s: the answer does not say Connection: close", m->name);
            ck_assert_msg(client_is_closed(fd), "%s: the connection stays open", m->name);
        }
        reply_free(&r);
        close(fd);
    }
}
END_TEST

START_TEST(test_nobody_else_notices)
{
    struct reply r = http_get(server, "/plaintext");

    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    ck_assert(status_number(server, "connections.malformed") >= 40);
    ck_assert(status_number(server, "requests.in_progress") == 0);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_every_strange_request_gets_the_answer_of_its_rule,
        test_nobody_else_notices,
    };

    return suite_run_mode(
        suite_of("malformed", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
