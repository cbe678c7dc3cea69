/*
 * What make says to somebody who typed something wrong, before anything is started: each mistake is
 * named with its cure. No database is made here: none of these commands gets as far as that.
 */
#include "e2e.h"
#include "suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs make; its exit status, and all that was printed in out. */
static int
run_make(const char *arguments, char *out, size_t size)
{
    char command[1024];
    size_t len;
    FILE *f;

    snprintf(command, sizeof(command),
             "exec env -u MAKEFLAGS make %s STATE_DIR=/nonexistent/state 2>&1 < /dev/null",
             arguments);
    f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    len = fread(out, 1, size - 1, f);
    out[len] = '\0';
    return WEXITSTATUS(pclose(f));
}

/* A socket that listens on a free port of 127.0.0.1. */
static int
occupy(int *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

static void
expect(const char *arguments, const char *said)
{
    char out[65536];
    int status = run_make(arguments, out, sizeof(out));

    ck_assert_msg(status != 0, "make %s: %s", arguments, out);
    ck_assert_msg(strstr(out, said) != NULL, "make %s does not say \"%s\":\n%s", arguments, said,
                  out);
    ck_assert_msg(strstr(out, "[3/5]") == NULL, "make %s started a database:\n%s", arguments, out);
    ck_assert_msg(strstr(out, "WARNING") == NULL, "make %s warned first:\n%s", arguments, out);
}

START_TEST(test_a_mistyped_variable_is_named_with_the_one_that_was_meant)
{
    char out[65536];

    expect("run PROT=9000", "unknown variable PROT: did you mean PORT?");
    expect("run port=9000", "unknown variable port: did you mean PORT?");
    expect("run OPTION='-o workers=1'", "unknown variable OPTION: did you mean OPTIONS?");
    expect("run XYZZY=1", "unknown variable XYZZY: make help lists those there are");
    expect("test TEST=unit", "unknown variable TEST: did you mean TESTS?");
    ck_assert_int_eq(run_make("run PROT=9000", out, sizeof(out)), 2);
    ck_assert_msg(
        run_make("help OPTIONS='-o workers=1' CFLAGS='-O2 -g' CONNS=1", out, sizeof(out)) == 0,
        "%s", out);
}
END_TEST

START_TEST(test_every_variable_of_make_help_is_known)
{
    char out[65536], all[800] = "-n help", said[65536];
    unsigned found = 0;

    ck_assert_int_eq(run_make("help", out, sizeof(out)), 0);
    for (const char *p = out; (p = strchr(p, '=')) != NULL; p++) {
        const char *from = p;

        while (from > out && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", from[-1]) != NULL)
            from--;
        if (from == p || strncmp(from, "VARIANT", 7) == 0) /* that one takes few values */
            continue;
        snprintf(all + strlen(all), sizeof(all) - strlen(all), " %.*s=x", (int)(p - from), from);
        found++;
    }
    ck_assert_uint_gt(found, 12);
    ck_assert_msg(run_make(all, said, sizeof(said)) == 0, "%s: %s", all, said);
}
END_TEST

START_TEST(test_a_wrong_value_is_named_with_its_cure)
{
    expect("run DEMO=maybe", "DEMO=maybe: it is yes or no. Try: make run DEMO=yes");
    expect("run CONFIG=nope.conf", "Try one of: config/multi-worker.conf");
    expect("run PORT=0", "a port is a number from 1 to 65535. Try: make run PORT=8080");
    expect("run LISTEN=300.1.1.1", "listen must be IP addresses or localhost");
    expect("run PORT=9181 TLS_PORT=9181", "Try: make run PORT=9181 TLS_PORT=9182");
}
END_TEST

START_TEST(test_a_port_in_use_is_named_with_one_that_is_free_and_keeps_what_was_asked_for)
{
    char arguments[128], said[128];
    int port, fd = occupy(&port);

    snprintf(arguments, sizeof(arguments), "run PORT=%d TLS_PORT=%d", port,
             port == 9443 ? 9444 : 9443);
    snprintf(said, sizeof(said), "port %d is in use by pid %d", port, (int)getpid());
    expect(arguments, said);
    expect(arguments, port == 9443 ? " TLS_PORT=9444" : " TLS_PORT=9443");
    /* asked for, https does not move on by itself */
    snprintf(arguments, sizeof(arguments), "run PORT=9181 TLS_PORT=%d", port);
    expect(arguments, said);
    expect(arguments, "Try: make run PORT=9181 TLS_PORT=");
    close(fd);
}
END_TEST

START_TEST(test_options_that_only_ask_start_nothing)
{
    static const struct {
        const char *arguments, *said;
    } cases[] = {
        {"run OPTIONS=--version", "interleave 0."},
        {"run OPTIONS=--help", "Usage: interleave"},
        {"run OPTIONS=-t", "config/multi-worker.conf: the configuration is fine"},
        {"run OPTIONS='-o workers=1 -T'", "max_in_progress"},
    };
    char out[65536];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(run_make(cases[i].arguments, out, sizeof(out)) == 0, "%s", out);
        ck_assert_msg(strstr(out, cases[i].said) != NULL, "%s: %s", cases[i].arguments, out);
        ck_assert_msg(strstr(out, "[3/5]") == NULL, "%s: %s", cases[i].arguments, out);
    }
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_mistyped_variable_is_named_with_the_one_that_was_meant,
        test_every_variable_of_make_help_is_known,
        test_a_wrong_value_is_named_with_its_cure,
        test_a_port_in_use_is_named_with_one_that_is_free_and_keeps_what_was_asked_for,
        test_options_that_only_ask_start_nothing,
    };

    return suite_run_mode(suite_of("make", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])),
                          CK_NOFORK);
}
