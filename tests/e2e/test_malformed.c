/*
 * The table of strange requests against the real server: each gets the answer that its rule asks
 * for, and the next client notices nothing.
 */
#include "e2e.h"
#include "malformed.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Sends it, and behind it a request that ends the connection. */
static bool
goes_wrong(const struct malformed *m)
{
    struct malformed_answers answers;
    int fd = client_connect(server);
    char why[300], *text;
    size_t len;
    bool right;

    client_send_octets(fd, m->octets, m->len);
    client_send(fd, "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    text = client_read_all(fd, &len); /* fails the test if the connection stays open */
    close(fd);
    malformed_read_answers(m, text, len, true, &answers);
    right = malformed_is_answered(m, &answers, true, why, sizeof(why));
    if (!right)
        fprintf(stderr, "%s\n", why);
    free(text);
    return !right;
}

START_TEST(test_every_strange_request_gets_the_answer_of_its_rule)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < malformed_count; i++)
        wrong += goes_wrong(&malformed_table[i]);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(test_nobody_else_notices)
{
    struct reply r = http_get(server, "/plaintext");

    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    ck_assert(status_number(server, "connections.malformed") >= 150);
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
