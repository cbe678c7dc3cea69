/* links: server/supervisor/banner.c server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The start-up text: the block of `make run`, and the one line of a start by hand.
 */
#include "../lib/suite.h"
#include "common/buf.h"
#include "common/version.h"
#include "supervisor/banner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct banner by_hand = {
    .pid = 4711,
    .host = "127.0.0.1",
    .port = 8080,
    .workers = 2,
    .cpus = 2,
    .config_path = "config/multi-worker.conf",
};

static const char *
text_of(const struct banner *b)
{
    static struct buf text;

    text.len = 0;
    banner_add(&text, b);
    buf_add_char(&text, '\0');
    return text.data;
}

START_TEST(test_make_run_gets_its_last_step_and_three_lines_to_go_on_with)
{
    struct banner b = by_hand;

    b.step = "[5/5]";
    ck_assert_str_eq(
        text_of(&b),
        "[5/5] server     pid 4711 · 1 loop · 2 workers (2 CPUs) · config/multi-worker.conf\n"
        "\n"
        "  Open  http://127.0.0.1:8080/      live picture of what runs where\n"
        "  Try   curl 127.0.0.1:8080/        things to try, as text\n"
        "  Stop  Ctrl-C                      running requests are finished first\n");
}
END_TEST

START_TEST(test_a_start_by_hand_gets_one_line_with_the_address)
{
    ck_assert_str_eq(text_of(&by_hand),
                     "interleave " INTERLEAVE_VERSION " · pid 4711 · http://127.0.0.1:8080/ · 1 "
                     "loop · 2 workers (2 CPUs) · config/multi-worker.conf\n");
}
END_TEST

START_TEST(test_https_has_its_own_address_in_both_forms)
{
    struct banner b = by_hand;

    b.tls_port = 8443;
    ck_assert_ptr_nonnull(
        strstr(text_of(&b), " · http://127.0.0.1:8080/ · https://127.0.0.1:8443/ · 1 loop"));
    b.step = "[5/5]";
    ck_assert_ptr_nonnull(strstr(text_of(&b), "runs where\n        https://127.0.0.1:8443/     "
                                              "the same over TLS\n  Try   curl 127"));
}
END_TEST

START_TEST(test_one_is_singular_and_none_is_said)
{
    struct banner b = by_hand;

    b.workers = b.cpus = 1;
    b.config_path = NULL;
    ck_assert_ptr_nonnull(strstr(text_of(&b), "1 loop · 1 worker (1 CPU) · default settings\n"));
    b.workers = 0;
    ck_assert_ptr_nonnull(strstr(text_of(&b), "1 loop · no workers (1 CPU)"));
}
END_TEST

START_TEST(test_a_long_address_pushes_its_sentence_but_never_touches_it)
{
    struct banner b = by_hand;

    b.step = "[5/5]";
    b.host = "[2001:db8:1111:2222:3333:4444:5555:6666]";
    ck_assert_ptr_nonnull(strstr(text_of(&b), "5555:6666]:8080/ live picture"));
    ck_assert_ptr_nonnull(strstr(text_of(&b), "5555:6666]:8080/ things to try"));
}
END_TEST

START_TEST(test_it_is_printed_whole_on_stdout)
{
    char got[512];
    int out[2];
    ssize_t n;

    ck_assert_int_eq(pipe(out), 0);
    fflush(stdout);
    ck_assert_int_eq(dup2(out[1], STDOUT_FILENO), STDOUT_FILENO);
    banner_print(&by_hand);
    n = read(out[0], got, sizeof(got) - 1);
    ck_assert_int_gt(n, 0);
    got[n] = '\0';
    ck_assert_str_eq(got, text_of(&by_hand));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("banner");
    TCase *tc = tcase_create("banner");

    tcase_add_test(tc, test_make_run_gets_its_last_step_and_three_lines_to_go_on_with);
    tcase_add_test(tc, test_a_start_by_hand_gets_one_line_with_the_address);
    tcase_add_test(tc, test_https_has_its_own_address_in_both_forms);
    tcase_add_test(tc, test_one_is_singular_and_none_is_said);
    tcase_add_test(tc, test_a_long_address_pushes_its_sentence_but_never_touches_it);
    tcase_add_test(tc, test_it_is_printed_whole_on_stdout);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
