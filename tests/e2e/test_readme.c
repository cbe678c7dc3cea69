/*
 * What the README tells people to type works: every curl line of its table and tour, and every wrk
 * line, which is also the one in the head of its script. https has a certificate of the test's own.
 */
#include "certificate.h"
#include "e2e.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server *server;
static char *readme;
static char folder[] = "/tmp/interleave-test-XXXXXX", certificate[128], key[128];

static char *
read_file(const char *path)
{
    char *text = calloc(1, 1 << 17);
    FILE *f = fopen(path, "r");

    ck_assert_msg(f != NULL, "%s is missing", path);
    text[fread(text, 1, (1 << 17) - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void
start(void)
{
    const char *const options[] = {"workers=2", "tls_port=0", certificate, key, NULL};
    struct identity identity;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(certificate, sizeof(certificate), "tls_certificate=%s/certificate.pem", folder);
    snprintf(key, sizeof(key), "tls_key=%s/key.pem", folder);
    certificate_make(&identity, CERTIFICATE_EC, "", 30);
    certificate_write(&identity.certificate, strchr(certificate, '/'));
    certificate_write(&identity.key, strchr(key, '/'));
    certificate_free(&identity);
    readme = read_file("README.md");
    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
}

static void
stop(void)
{
    server_stop(server);
    free(readme);
    unlink(strchr(certificate, '/'));
    unlink(strchr(key, '/'));
    rmdir(folder);
}

/* The line that shows what an error looks like. */
static bool
shows_error(const char *command)
{
    return strstr(command, "99999") != NULL;
}

/* Runs a command of the README against our server; exit status; what it printed in out. */
static int
run_command(const char *command, char *out, size_t size)
{
    char line[2048] = "cd \"$(mktemp -d)\" && ";
    size_t n = strlen(line), len;
    FILE *f;

    for (const char *p = command; *p != '\0' && n < sizeof(line) - 64;) {
        if (strncmp(p, "localhost:8080", 14) == 0 || strncmp(p, "127.0.0.1:8080", 14) == 0) {
            n += (size_t)snprintf(line + n, sizeof(line) - n, "127.0.0.1:%d", server->port);
            p += 14;
        } else if (strncmp(p, "localhost:8443", 14) == 0) {
            n += (size_t)snprintf(line + n, sizeof(line) - n, "127.0.0.1:%d", server->tls_port);
            p += 14;
        } else if (strncmp(p, "n=10000000000", 13) == 0) {
            /* as long under the sanitizers as the README's number takes without them */
            n += (size_t)snprintf(line + n, sizeof(line) - n, "n=1000000000");
            p += 13;
        } else if (strncmp(p, "curl ", 5) == 0) {
            n += (size_t)snprintf(line + n, sizeof(line) - n, "curl -sS%s ",
                                  shows_error(command) ? "" : "f");
            p += 5;
        } else {
            line[n++] = *p++;
        }
    }
    snprintf(line + n, sizeof(line) - n, " 2>&1");
    f = popen(line, "r");
    ck_assert_ptr_nonnull(f);
    len = fread(out, 1, size - 1, f);
    out[len] = '\0';
    return pclose(f);
}

/* What the README says that one sees. */
static const struct {
    const char *command, *text;
    bool two_cpus;
} seen[] = {
    {"/burst?run=loop'", "\"running_max\":1,", false},
    {"/cpu/primes?n=10000000000&sections=2", "\"workers\":2,\"cpus\":2,", true},
    {"\"/db/sleep?ms=500\",\"count\":6", "\"in_progress_max\":6,", false},
    {"\"/db/lock?key=1&ms=100\",\"count\":6", "one lock at a time", false},
    {"/burst?run=workers'", "\"requests_max\":8,", false},
};

static void
check_curl(const char *command)
{
    char out[65536];
    ck_assert_msg(run_command(command, out, sizeof(out)) == 0, "%s: %.500s", command, out);
    ck_assert_msg((strstr(out, "/problems/") != NULL && strstr(command, "/help") == NULL) ==
                      shows_error(command),
                  "%s: %.500s", command, out);
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        if (strstr(command, seen[i].command) != NULL && (usable_cpus() > 1 || !seen[i].two_cpus))
            ck_assert_msg(strstr(out, seen[i].text) != NULL, "%s does not show %s: %.2000s",
                          command, seen[i].text, out);
}

START_TEST(test_every_command_of_the_table_works)
{
    unsigned commands = 0;
    char *rest = NULL, *copy = strdup(readme);

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *from = strstr(line, "| `curl "), *end;

        if (line[0] != '|' || from == NULL)
            continue;
        from += 3;
        end = strchr(from, '`');
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        check_curl(from);
        commands++;
    }
    ck_assert_msg(commands >= 7, "%u commands in the table", commands);
    free(copy);
}
END_TEST

START_TEST(test_every_line_of_the_tour_works)
{
    unsigned commands = 0;
    char *rest = NULL, *copy = strdup(readme);

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *comment;

        if (strncmp(line, "    curl ", 9) != 0)
            continue;
        comment = strstr(line, " #");
        if (comment != NULL)
            *comment = '\0';
        check_curl(line + 4);
        commands++;
    }
    ck_assert_msg(commands >= 10, "%u commands in the tour", commands);
    free(copy);
}
END_TEST

/* "loadtest/x.lua" in a wrk line; the script's path in out. */
static void
script_of(const char *line, char *out, size_t size)
{
    const char *from = strstr(line, "loadtest/");

    ck_assert_msg(from != NULL, "%s names no script", line);
    snprintf(out, size, "%.*s", (int)strcspn(from, " "), from);
}

static void
check_wrk(const char *line)
{
    char script[128], command[512], cwd[256], out[16384], *text, *seconds, *path;
    /* answers that wrk did not wait for: 64 connections, 16 requests on each; and /status itself */
    enum { IN_FLIGHT = 64 * 16 + 2 };
    double before = status_number(server, "requests.answered"), counted, sent;

    script_of(line, script, sizeof(script));
    text = read_file(script);
    ck_assert_msg(strstr(text, line) != NULL, "%s does not have the README's line in its head",
                  script);
    free(text);
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
    path = strstr(line, "loadtest/");
    snprintf(command, sizeof(command), "%.*s%s/%s", (int)(path - line), line, cwd, path);
    seconds = strstr(command, "-d10");
    ck_assert_msg(seconds != NULL, "%s", line);
    memcpy(seconds, "-d1 ", 4);
    ck_assert_msg(run_command(command, out, sizeof(out)) == 0, "%s: %s", command, out);
    ck_assert_msg(strstr(out, "Non-2xx") == NULL && strstr(out, "Socket errors") == NULL, "%s: %s",
                  command, out);
    ck_assert_ptr_nonnull(strstr(out, " requests in "));
    for (text = strstr(out, " requests in "); text > out && text[-1] != ' ' && text[-1] != '\n';
         text--)
        ;
    sent = strtod(text, NULL);
    counted = status_number(server, "requests.answered") - before;
    /* a picture under the sanitizers may take longer than the second: then it is counted later */
    ck_assert_msg(counted >= 1 && counted >= sent && counted <= sent + IN_FLIGHT,
                  "%s: wrk had %g answers, /status counted %g", script, sent, counted);
}

START_TEST(test_every_wrk_line_works_and_is_counted)
{
    unsigned lines = 0;
    char *rest = NULL, *copy = strdup(readme);

    if (system("command -v wrk > /dev/null") != 0) {
        printf("SKIP: wrk lines: wrk is not installed\n");
        free(copy);
        return;
    }
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "    wrk ", 8) != 0 && strncmp(line, "    SECTIONS=2 wrk ", 19) != 0)
            continue;
        check_wrk(line + 4);
        lines++;
    }
    ck_assert_uint_eq(lines, 7);
    free(copy);
}
END_TEST

START_TEST(test_the_numbers_are_those_of_the_reference_run)
{
    /* loadtest/readme prints what README.md must be, from loadtest/results/results.json */
    if (system("command -v jq > /dev/null") != 0) {
        printf("SKIP: numbers of the README: jq is not installed\n");
        return;
    }
    ck_assert_msg(system("loadtest/readme --check") == 0,
                  "README.md has other numbers than loadtest/results/results.json");
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_every_command_of_the_table_works,
        test_every_line_of_the_tour_works,
        test_every_wrk_line_works_and_is_counted,
        test_the_numbers_are_those_of_the_reference_run,
    };

    return suite_run_mode(suite_of("readme", start, stop, tests, sizeof(tests) / sizeof(tests[0])),
                          CK_NOFORK);
}
