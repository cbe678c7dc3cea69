/* links: server/common/conf.c server/common/conf_table.c server/common/conf_read.c server/common/conf_value.c server/common/conf_text.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c tests/lib/conf_world.c */
/*
 * Every mistake in the configuration is named, in one run, with its line, what was sent and what is
 * allowed.
 */
#include "conf_world.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

static struct conf_world w;

static void
set_up(void)
{
    confw_open(&w);
}

static void
tear_down(void)
{
    confw_close(&w);
}

/* ---- mistakes ---- */

/* Row: a file with one mistake, and what is said of it. */
static const struct {
    const char *text, *expected;
} mistakes[] = {
    {"prot = 1\n", ":1: there is no setting prot; did you mean port?"},
    {"MAX-BYTES-PER-TURN = 1MiB\n", "MAX-BYTES-PER-TURN; did you mean max_bytes_per_turn?"},
    {"rxy = 1\n", "there is no setting rxy; interleave -T lists all there are\n"},
    {"dimension = 3\n", ":1: there is no setting dimension; interleave -T lists all there are\n"},
    {"\nport = 65536\n", ":2: port must be between 0 and 65535; it is \"65536\"\n"},
    {"port = -1\n", "between 0 and 65535; it is \"-1\""},
    {"port = 80x\n", "between 0 and 65535 (a whole number); it is \"80x\""},
    {"port = 8080.0\n", "(a whole number); it is \"8080.0\""},
    {"port = 0x50\n", "(a whole number)"},
    {"port = +80\n", "(a whole number)"},
    {"port = - 1\n", "(a whole number)"},
    {"port =\n", "(a whole number); it is empty"},
    {"port = 18446744073709551617\n", "between 0 and 65535; it is"},
    {"port = -99999999999999999999\n", "between 0 and 65535; it is"},
    {"port = 1\n\nport = 2\n", ":3: port stands there twice, the first time in line 1\n"},
    {"head_timeout = 10\n",
     "between 10ms and 1h (a whole number with ms, s, m or h); it is \"10\""},
    {"head_timeout = 1.5s\n", "(a whole number with ms, s, m or h); it is \"1.5s\""},
    {"head_timeout = 5ms\n", "between 10ms and 1h; it is \"5ms\""},
    {"head_timeout = 9223372036854775807h\n", "between 10ms and 1h; it is"},
    {"max_body = 2 parsecs\n", "between 0 and 1GiB (a whole number of octets, or one with KiB"},
    {"max_body = 2kB\n", "or one with KiB, MiB or GiB)"},
    {"max_body = 2GiB\n", "between 0 and 1GiB; it is \"2GiB\""},
    {"run = gpu\n", "run must be one of workers, loop, loop-blocking; it is \"gpu\"\n"},
    {"run = lop\n", "; it is \"lop\"; did you mean loop?\n"},
    {"run = loop_blocking\n", "did you mean loop-blocking?\n"},
    {"log_level = warn\n", "one of error, warning, info, debug; it is \"warn\"\n"},
    {"demo = Yes\n", "one of auto, no, yes; it is \"Yes\"; did you mean yes?\n"},
    {"workers = many\n", "between 0 and 256, or auto (a whole number); it is \"many\"\n"},
    {"workers = atuo\n", "did you mean auto?"},
    {"workers = -1\n", "between 0 and 256, or auto; it is \"-1\""},
    {"worker_cpus = 1-\n", "must be spread, none, or a list of CPUs like 0,2-3; it is \"1-\"\n"},
    {"worker_cpus = spraed\n", "did you mean spread?"},
    {"loop_cpu = first\n", "must be any, or the number of a CPU; it is \"first\"\n"},
    {"loop_cpu = 0-1\n", "any, or the number of a CPU"},
    {"loop_cpu = 1024\n", "any, or the number of a CPU"},
    {"loop_cpu = 4294967296\n", "any, or the number of a CPU"},
    {"listen =\n", "listen must be IP addresses or localhost, separated by blanks; it is empty"},
    {"listen = 127.0.0.1 eht0\n", "it is \"127.0.0.1 eht0\""},
    {"listen = 127.0.0.1:80\n", "IP addresses or localhost"},
    {"listen = [::1\n", "IP addresses or localhost"},
    {"listen = x::1]\n", "IP addresses or localhost"},
    {"server_names = http://lab.example\n", "host names without port, separated by blanks"},
    {"server_names = lab.example:80\n", "host names without port"},
    {"db_url = localhost\n", "db_url must be a URL like postgres://user:password@host:port/name"},
    {"db_url = http://db?x=y\n", "db_url must be a URL like"},
    {"this is nonsense\n", ":1: this is neither \"key = value\" nor a [section]\n"},
    {"port: 8080\n", "neither"},
    {"= 5\n", "neither"},
    {"port 80 = 5\n", "neither"},
    {"[tmie]\n", ":1: there is no section \"tmie\"; did you mean [time]?\n"},
    {"[nowhere]\nport = 1\n", ":1: there is no section \"nowhere\"; there are [listening], "},
    {"[time\nport = 1\n", ":1: a [section] ends with its bracket\n"},
    {"[time] port = 1\n", "ends with its bracket"},
    {"[\n", "ends with its bracket"},
    {"[]\n", "there is no section \"\"; there are [listening], "},
    {"[ time ]\n", "there is no section \" time \"; did you mean [time]?\n"},
    {"[averyveryveryveryveryverylongname]\n", "there is no section \"averyvery"},
    {"[database]\nport = 1\n", ":2: port belongs to [listening], not to [database]\n"},
    {"max_head = 4KiB\n", ":1: max_head must be at least max_target, which is 8KiB (default): "},
    {"max_target = 33KiB\n", ":1: max_head must be at least max_target, which is 33KiB ("},
    {"db_suspect = 3s\n", "db_answer must be at least db_suspect, which is 3s ("},
    {"worker_cpus = 0-1023\n", ":1: worker_cpus names CPU "},
    {"tls_key = k.pem\n", ":1: tls_key is set, tls_certificate is not: https needs both\n"},
    {"\ntls_certificate = c.pem\n", ":2: tls_certificate is set, tls_key is not"},
    {"tls_key = keys/\n", ":1: tls_key must be the path of a file, or empty; it is \"keys/\"\n"},
    {"tls_key = k\ntls_certificate = c\ntls_port = 8080\n",
     ":3: tls_port is the same as port (default): http and https need one each\n"},
    {"loop_cpu = 1023\n",
     ":1: loop_cpu names CPU 1023, where this process may not run; it may on "},
};

START_TEST(test_a_mistake_is_named_with_its_line_what_was_sent_and_what_is_allowed)
{
    const int wrong = confw_read(&w, mistakes[_i].text);

    ck_assert_int_eq(wrong + conf_check(w.set, &w.errors), 1);
    confw_expect(&w, mistakes[_i].expected);
    ck_assert_uint_eq(confw_error_lines(&w), 1);
    if (wrong > 0)
        ck_assert_msg(strncmp(confw_errors(&w), w.path, strlen(w.path)) == 0, "%s",
                      confw_errors(&w));
}
END_TEST

START_TEST(test_ten_mistakes_are_all_named_in_one_run)
{
    static const char *const expected[] = {
        ":1: port must be",
        ":2: there is no setting prot; did you mean port?",
        ":3: this is neither",
        ":4: there is no section \"limit\"; did you mean [limits]?",
        ":5: max_body must be",
        ":7: head_timeout must be",
        ":8: run belongs to [processes], not to [time]",
        ":8: run must be one of",
        ":9: this is neither",
        ":10: head_timeout stands there twice, the first time in line 7",
        ":12: loop_cpu must be",
        ":13: this line is longer than",
    };
    char text[1024];

    snprintf(text, sizeof(text),
             "port = 99999\n"
             "prot = 80\n"
             "nonsense\n"
             "[limit]\n"
             "max_body = much\n"
             "[time]\n"
             "head_timeout = soon\n"
             "  run = gpu\n"
             "more nonsense\n"
             "head_timeout = 1s\n"
             "[processes]\n"
             "loop_cpu = x\n"
             "worker_cpus = %0200d\n"
             "workers = 7\n",
             0);
    ck_assert_int_eq(confw_read(&w, text), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        confw_expect(&w, expected[i]);
    ck_assert_uint_eq(confw_error_lines(&w), sizeof(expected) / sizeof(expected[0]));
    /* What was right has been read nevertheless, the rest is as it was. */
    ck_assert_int_eq(conf_values(w.set)->workers, 7);
    ck_assert_int_eq(conf_values(w.set)->port, 8080);
    ck_assert_int_eq(conf_values(w.set)->head_timeout, 10000);
}
END_TEST

START_TEST(test_a_refused_value_causes_no_second_error_between_keys)
{
    ck_assert_int_eq(confw_read(&w, "max_target = 64KiB\nmax_head = 65KiB\n"), 1);
    ck_assert_int_eq(conf_check(w.set, &w.errors), 0);
    confw_expect(&w, ":2: max_head must be");
}
END_TEST

START_TEST(test_keys_may_be_as_large_as_each_other)
{
    ck_assert_int_eq(confw_read(&w, "max_head = 8KiB\ndb_suspect = 2s\n"), 0);
    ck_assert_int_eq(conf_check(w.set, &w.errors), 0);
}
END_TEST

START_TEST(test_a_file_that_can_not_be_read_is_named)
{
    ck_assert_int_eq(conf_read_file(w.set, "/no/such/file", &w.errors), 1);
    confw_expect(&w, "/no/such/file: No such file or directory. Try: another file, or none: "
                     "everything has a default\n");
    ck_assert_int_eq(conf_read_file(w.set, "/tmp", &w.errors), 1);
    confw_expect(&w, "/tmp: Is a directory. Try: ");
    ck_assert_int_eq(conf_read_file(w.set, "/dev/zero", &w.errors), 1);
    confw_expect(&w, "/dev/zero: File too large. Try: ");
}
END_TEST

START_TEST(test_a_file_of_octets_ends_after_a_hundred_mistakes)
{
    static const char octets[] = "a\0b\nport = 1\0\n\xff\xfe\n";
    char many[4096];

    ck_assert_int_eq(confw_read_octets(&w, octets, sizeof(octets) - 1), 3);
    confw_expect(&w, ":1: there is a NUL in this line");
    confw_expect(&w, ":2: there is a NUL in this line");
    confw_expect(&w, ":3: this is neither");
    w.errors.len = 0;
    memset(many, '\n', sizeof(many));
    for (size_t i = 0; i < sizeof(many); i += 2)
        many[i] = 'x';
    ck_assert_int_eq(confw_read_octets(&w, many, sizeof(many)), 101);
    confw_expect(&w, ":100: reading ends here, after 100 mistakes\n");
    ck_assert_uint_eq(confw_error_lines(&w), 101);
}
END_TEST

/* ---- options ---- */

#define TEXT_59  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456"
#define TAILS_19 "\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82"
#define TAILS_57 TAILS_19 TAILS_19 TAILS_19
#define TAILS_60 TAILS_57 "\x82\x82\x82"

START_TEST(test_a_wrong_option_is_named_and_changes_nothing)
{
    static const struct {
        const char *option, *expected;
    } cases[] = {
        {"port", "-o port: this is not KEY=VALUE\n"},
        {"=8080", "-o ...: this is not KEY=VALUE\n"},
        {"", "this is not KEY=VALUE\n"},
        {"wrokers=1", "-o: there is no setting wrokers; did you mean workers?\n"},
        {"port=x", "-o: port must be between 0 and 65535 (a whole number); it is \"x\"\n"},
        {"port =1", "-o ...: this is not KEY=VALUE\n"},
        {"server_names=a\nb", "server_names may have at most 1023 octets and no control"},
        {"run=\033[31m\x7f", "it is \"?[31m?\"\n"},
        {"run=" TEXT_59 "\xc3\xa4z", "\"" TEXT_59 "...\"\n"}, /* not amid a character */
        /* octets that are amid characters without a beginning: not back to before the text */
        {"run=" TAILS_60 "\x82", "\"" TAILS_57 "...\"\n"},
        {"run=" TEXT_59 "z", "\"" TEXT_59 "z\"\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        w.errors.len = 0;
        ck_assert_int_eq(conf_read_option(w.set, cases[i].option, &w.errors), 1);
        confw_expect(&w, cases[i].expected);
        ck_assert_uint_eq(confw_error_lines(&w), 1);
    }
    ck_assert_int_eq(conf_values(w.set)->port, 8080);
    ck_assert_str_eq(confw_row(&w, "port").origin, "default");
}
END_TEST

START_TEST(test_a_text_as_long_as_its_room_is_taken_and_a_longer_one_refused)
{
    char option[CONF_TEXT_MAX + 64] = "db_url=postgres://";

    memset(option + 18, 'x', CONF_TEXT_MAX);
    option[7 + CONF_TEXT_MAX - 1] = '\0';
    ck_assert_int_eq(conf_read_option(w.set, option, &w.errors), 0);
    ck_assert_uint_eq(strlen(conf_values(w.set)->db_url), CONF_TEXT_MAX - 1);
    option[7 + CONF_TEXT_MAX - 1] = 'y';
    option[7 + CONF_TEXT_MAX] = '\0';
    ck_assert_int_eq(conf_read_option(w.set, option, &w.errors), 1);
    confw_expect(&w, "at most 1023 octets");
    ck_assert_uint_eq(strlen(conf_values(w.set)->db_url), CONF_TEXT_MAX - 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conf-mistakes");
    TCase *tc = tcase_create("conf-mistakes");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, test_a_mistake_is_named_with_its_line_what_was_sent_and_what_is_allowed,
                        0, sizeof(mistakes) / sizeof(mistakes[0]));
    tcase_add_test(tc, test_ten_mistakes_are_all_named_in_one_run);
    tcase_add_test(tc, test_a_refused_value_causes_no_second_error_between_keys);
    tcase_add_test(tc, test_keys_may_be_as_large_as_each_other);
    tcase_add_test(tc, test_a_file_that_can_not_be_read_is_named);
    tcase_add_test(tc, test_a_file_of_octets_ends_after_a_hundred_mistakes);
    tcase_add_test(tc, test_a_wrong_option_is_named_and_changes_nothing);
    tcase_add_test(tc, test_a_text_as_long_as_its_room_is_taken_and_a_longer_one_refused);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
