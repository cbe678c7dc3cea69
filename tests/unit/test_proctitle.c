/* links: server/common/proctitle.c server/common/log.c */
/*
 * The title that ps shows. Each test executes this program again with an argument, since a title is
 * written over what exec left: the child does what the test is about and prints what it sees.
 */
#include "../lib/suite.h"
#include "common/proctitle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than a command line "child long". */
#define LONG_TITLE "a title that needs more room"

/* Runs this program with these arguments and only these variables; what it printed. */
static const char *
run(char *const *argv, char *const *environment)
{
    static char got[8192];
    size_t len = 0;
    int out[2], status;
    ssize_t n;
    pid_t pid;

    ck_assert_int_eq(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        execve("/proc/self/exe", argv, environment);
        _exit(127);
    }
    close(out[1]);
    while ((n = read(out[0], got + len, sizeof(got) - 1 - len)) > 0)
        len += (size_t)n;
    got[len] = '\0';
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    return got;
}

/* What ps reads. */
static void
print_command_line(void)
{
    char text[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[n > 0 ? n : 0] = '\0';
    printf("%s\n", text);
}

static int
child_main(int argc, char **argv)
{
    proctitle_set("too early");
    proctitle_init(argc, argv);
    proctitle_set("a title that is thrown away because another follows");
    if (strcmp(argv[1], "cut") == 0)
        proctitle_set("123456789 and much more");
    else
        proctitle_set(strcmp(argv[1], "long") == 0 ? LONG_TITLE : argv[1]);
    print_command_line();
    printf("%d %s %s %s\n", argc, argv[0], argc > 2 ? argv[2] : "-", program_invocation_name);
    printf("%s\n", getenv("COLOUR") != NULL ? getenv("COLOUR") : "none");
    return EXIT_SUCCESS;
}

START_TEST(test_the_title_replaces_the_command_line_and_arguments_and_variables_stay)
{
    char *argv[] = {"child", "interleave: front", "third", NULL};
    char *environment[] = {"LANG=C", "COLOUR=green", "HOME=/nowhere", NULL};

    ck_assert_str_eq(run(argv, environment), "interleave: front\n3 child third child\ngreen\n");
}
END_TEST

START_TEST(test_a_title_longer_than_the_command_line_goes_on_into_the_environment)
{
    char *argv[] = {"child", "long", NULL};
    char *environment[] = {"COLOUR=green and a good deal of other text behind it", NULL};

    ck_assert_str_eq(run(argv, environment),
                     LONG_TITLE "\n2 child - child\n"
                                "green and a good deal of other text behind it\n");
}
END_TEST

/* The area holds "child", "cut", and no variable: 9 octets and an end. */
START_TEST(test_a_title_longer_than_all_there_is_is_cut)
{
    char *argv[] = {"child", "cut", NULL};
    char *environment[] = {NULL};

    ck_assert_int_eq(strncmp(run(argv, environment), "123456789\n", 10), 0);
}
END_TEST

int
main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    if (argc > 1)
        return child_main(argc, argv);
    suite = suite_create("proctitle");
    tc = tcase_create("proctitle");
    tcase_add_test(tc, test_the_title_replaces_the_command_line_and_arguments_and_variables_stay);
    tcase_add_test(tc, test_a_title_longer_than_the_command_line_goes_on_into_the_environment);
    tcase_add_test(tc, test_a_title_longer_than_all_there_is_is_cut);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
