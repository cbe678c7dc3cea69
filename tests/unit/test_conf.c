/* links: server/common/conf.c server/common/conf_table.c server/common/conf_read.c server/common/conf_value.c server/common/conf_text.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The configuration: every mistake is named, in one run; what is printed can be read back. What is
 * committed in config/ has a test of its own, test_conf_files.c.
 */
#include "../lib/suite.h"

#include "common/buf.h"
#include "common/conf.h"
#include "common/conf_table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];
static struct conf_set *set;
static struct buf errors;

static void
setup(void)
{
    snprintf(path, sizeof(path), "/tmp/interleave-unit-%d.conf", (int)getpid());
    set = conf_new();
}

static void
teardown(void)
{
    unlink(path);
    buf_fini(&errors);
    conf_free(set);
}

/* Reads so many octets as a file; how many mistakes. */
static int
read_octets(const char *data, size_t len)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return conf_read_file(set, path, &errors);
}

static int
read_text(const char *text)
{
    return read_octets(text, strlen(text));
}

static const char *
error_text(void)
{
    buf_add_char(&errors, '\0');
    errors.len--;
    return errors.data;
}

static void
expect_error(const char *part)
{
    ck_assert_msg(strstr(error_text(), part) != NULL, "\"%s\" does not say \"%s\"", error_text(),
                  part);
}

static unsigned
count_lines(const char *text)
{
    unsigned n = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

/* The row of this key. */
static struct conf_origin
row_of(const char *key)
{
    struct conf_origin row;

    for (unsigned i = 0; conf_row(set, i, &row); i++)
        if (strcmp(row.key, key) == 0)
            return row;
    ck_abort_msg("no row %s", key);
}

/* ---- values ---- */

START_TEST(test_defaults_are_those_of_the_design)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"listen", "127.0.0.1"},  {"port", "8080"},           {"demo", "auto"},
        {"server_names", ""},     {"workers", "auto"},        {"worker_cpus", "spread"},
        {"loop_cpu", "any"},      {"run", "workers"},         {"max_in_progress", "0"},
        {"max_target", "8KiB"},   {"max_head", "32KiB"},      {"max_fields", "100"},
        {"max_body", "1MiB"},     {"max_picture", "64MiB"},   {"max_memory", "1GiB"},
        {"head_timeout", "10s"},  {"body_timeout", "30s"},    {"idle_timeout", "60s"},
        {"write_timeout", "30s"}, {"drain_timeout", "15s"},   {"job_timeout", "60s"},
        {"db_url", ""},           {"db_fast", "2"},           {"db_write", "8"},
        {"db_slow", "64"},        {"db_sync", "turn"},        {"db_fast_queue", "16384"},
        {"db_fast_wait", "2s"},   {"db_write_queue", "1024"}, {"db_write_wait", "10s"},
        {"db_slow_queue", "512"}, {"db_slow_wait", "30s"},    {"db_suspect", "250ms"},
        {"db_answer", "2s"},      {"trace", "yes"},           {"trace_bytes", "8MiB"},
        {"log_level", "info"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_str_eq(row_of(rows[i].key).value, rows[i].value);
        ck_assert_str_eq(row_of(rows[i].key).origin, "default");
    }
    ck_assert_int_eq(conf_values(set)->workers, CONF_AUTO);
    ck_assert_int_eq(conf_values(set)->max_body, 1 << 20);
    ck_assert_int_eq(conf_values(set)->head_timeout, 10000);
    ck_assert_int_eq(conf_check(set, &errors), 0);
}
END_TEST

/* Row: a value as written, and how it is shown. */
static const struct {
    const char *option, *key, *shown;
    int64_t value;
    size_t offset;
} values[] = {
    {"max_body=0", "max_body", "0", 0, offsetof(struct conf, max_body)},
    {"max_body=1000", "max_body", "1000", 1000, offsetof(struct conf, max_body)},
    {"max_body=2048", "max_body", "2KiB", 2048, offsetof(struct conf, max_body)},
    {"max_body=3k", "max_body", "3KiB", 3072, offsetof(struct conf, max_body)},
    {"max_body=3K", "max_body", "3KiB", 3072, offsetof(struct conf, max_body)},
    {"max_body=3M", "max_body", "3MiB", 3 << 20, offsetof(struct conf, max_body)},
    {"max_body=1G", "max_body", "1GiB", 1 << 30, offsetof(struct conf, max_body)},
    {"max_body=1024MiB", "max_body", "1GiB", 1 << 30, offsetof(struct conf, max_body)},
    {"max_body=8 KiB", "max_body", "8KiB", 8192, offsetof(struct conf, max_body)},
    {"max_body=8B", "max_body", "8", 8, offsetof(struct conf, max_body)},
    {"max_memory=1TiB", "max_memory", "1TiB", 1LL << 40, offsetof(struct conf, max_memory)},
    {"job_timeout=200ms", "job_timeout", "200ms", 200, offsetof(struct conf, job_timeout)},
    {"job_timeout=1500ms", "job_timeout", "1500ms", 1500, offsetof(struct conf, job_timeout)},
    {"job_timeout=5000ms", "job_timeout", "5s", 5000, offsetof(struct conf, job_timeout)},
    {"job_timeout=2m", "job_timeout", "120s", 120000, offsetof(struct conf, job_timeout)},
    {"job_timeout=60m", "job_timeout", "1h", 3600000, offsetof(struct conf, job_timeout)},
    {"workers=auto", "workers", "auto", CONF_AUTO, offsetof(struct conf, workers)},
    {"workers=256", "workers", "256", 256, offsetof(struct conf, workers)},
    {"port=0", "port", "0", 0, offsetof(struct conf, port)},
    {"port=0081", "port", "81", 81, offsetof(struct conf, port)},
    {"run=loop-blocking", "run", "loop-blocking", RUN_LOOP_BLOCKING, offsetof(struct conf, run)},
    {"demo=no", "demo", "no", DEMO_NO, offsetof(struct conf, demo)},
    {"trace=no", "trace", "no", 0, offsetof(struct conf, trace)},
    {"trace=yes", "trace", "yes", 1, offsetof(struct conf, trace)},
    {"db_sync=query", "db_sync", "query", SYNC_QUERY, offsetof(struct conf, db_sync)},
};

START_TEST(test_a_value_means_what_is_written)
{
    const int64_t *place;

    if (conf_read_option(set, values[_i].option, &errors) != 0)
        ck_abort_msg("%s", error_text());
    place = (const void *)((const char *)conf_values(set) + values[_i].offset);
    ck_assert_int_eq(*place, values[_i].value);
    ck_assert_str_eq(row_of(values[_i].key).value, values[_i].shown);
}
END_TEST

/* Row: a text as written, and what is kept of it. */
static const struct {
    const char *option, *kept;
    size_t offset;
} texts[] = {
    {"listen=::1", "::1", offsetof(struct conf, listen)},
    {"listen= 127.0.0.1\t [::1]  localhost ", "127.0.0.1 [::1] localhost",
     offsetof(struct conf, listen)},
    {"server_names=", "", offsetof(struct conf, server_names)},
    {"server_names=lab.example  my-host", "lab.example my-host",
     offsetof(struct conf, server_names)},
    {"worker_cpus=none", "none", offsetof(struct conf, worker_cpus)},
    {"worker_cpus=0,2-3", "0,2-3", offsetof(struct conf, worker_cpus)},
    {"loop_cpu=any", "any", offsetof(struct conf, loop_cpu)},
    {"loop_cpu=12", "12", offsetof(struct conf, loop_cpu)},
    {"db_url=", "", offsetof(struct conf, db_url)},
    {"db_url=postgres://me:a;b#c@db/x?sslmode=require", "postgres://me:a;b#c@db/x?sslmode=require",
     offsetof(struct conf, db_url)},
    {"db_url=postgresql:///x", "postgresql:///x", offsetof(struct conf, db_url)},
    {"db_url= host=/run  password='a  ;b' ", "host=/run  password='a  ;b'",
     offsetof(struct conf, db_url)},
};

START_TEST(test_a_text_is_kept_with_one_blank_between_words_but_a_secret_as_it_is)
{
    if (conf_read_option(set, texts[_i].option, &errors) != 0)
        ck_abort_msg("%s", error_text());
    ck_assert_str_eq((const char *)conf_values(set) + texts[_i].offset, texts[_i].kept);
}
END_TEST

START_TEST(test_both_ends_of_every_range_are_taken_and_what_is_beyond_is_not)
{
    char option[64];
    unsigned numbers = 0;

    for (const struct conf_key *key = conf_keys; key->name != NULL; key++) {
        const char *unit = key->kind == CONF_DURATION ? "ms" : "";

        if (key->kind == CONF_TEXT || key->kind == CONF_CHOICE)
            continue;
        for (int end = 0; end < 2; end++) {
            const int64_t edge = end == 0 ? key->min : key->max;

            snprintf(option, sizeof(option), "%s=%lld%s", key->name, (long long)edge, unit);
            ck_assert_msg(conf_read_option(set, option, &errors) == 0, "%s", option);
            snprintf(option, sizeof(option), "%s=%lld%s", key->name,
                     (long long)(end == 0 ? edge - 1 : edge + 1), unit);
            ck_assert_msg(conf_read_option(set, option, &errors) == 1, "%s", option);
        }
        numbers++;
    }
    ck_assert_uint_gt(numbers, 25);
}
END_TEST

/* ---- mistakes ---- */

/* Row: a file with one mistake, and what is said of it. */
static const struct {
    const char *text, *expected;
} mistakes[] = {
    {"prot = 1\n", ":1: there is no setting prot; did you mean port?"},
    {"MAX-BYTES-PER-TURN = 1MiB\n", "MAX-BYTES-PER-TURN; did you mean max_bytes_per_turn?"},
    {"rxy = 1\n", "there is no setting rxy\n"},
    {"dimension = 3\n", ":1: there is no setting dimension\n"},
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
    {"[nowhere]\nport = 1\n", ":1: there is no section \"nowhere\"\n"},
    {"[time\nport = 1\n", ":1: a [section] ends with its bracket\n"},
    {"[time] port = 1\n", "ends with its bracket"},
    {"[\n", "ends with its bracket"},
    {"[]\n", "there is no section \"\"\n"},
    {"[ time ]\n", "there is no section \" time \"; did you mean [time]?\n"},
    {"[averyveryveryveryveryverylongname]\n", "there is no section \"averyvery"},
    {"[database]\nport = 1\n", ":2: port belongs to [listening], not to [database]\n"},
    {"max_head = 4KiB\n", ":1: max_head must be at least max_target, which is 8KiB (default): "},
    {"max_target = 33KiB\n", ":1: max_head must be at least max_target, which is 33KiB ("},
    {"db_suspect = 3s\n", "db_answer must be at least db_suspect, which is 3s ("},
    {"worker_cpus = 0-1023\n", ":1: worker_cpus names CPU "},
    {"loop_cpu = 1023\n",
     ":1: loop_cpu names CPU 1023, where this process may not run; it may on "},
};

START_TEST(test_a_mistake_is_named_with_its_line_what_was_sent_and_what_is_allowed)
{
    const int wrong = read_text(mistakes[_i].text);

    expect_error("");
    ck_assert_int_eq(wrong + conf_check(set, &errors), 1);
    expect_error(mistakes[_i].expected);
    ck_assert_uint_eq(count_lines(error_text()), 1);
    if (wrong > 0)
        ck_assert_msg(strncmp(error_text(), path, strlen(path)) == 0, "%s", error_text());
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
    ck_assert_int_eq(read_text(text), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        expect_error(expected[i]);
    ck_assert_uint_eq(count_lines(error_text()), sizeof(expected) / sizeof(expected[0]));
    /* What was right has been read nevertheless, the rest is as it was. */
    ck_assert_int_eq(conf_values(set)->workers, 7);
    ck_assert_int_eq(conf_values(set)->port, 8080);
    ck_assert_int_eq(conf_values(set)->head_timeout, 10000);
}
END_TEST

START_TEST(test_a_refused_value_causes_no_second_error_between_keys)
{
    ck_assert_int_eq(read_text("max_target = 64KiB\nmax_head = 65KiB\n"), 1);
    ck_assert_int_eq(conf_check(set, &errors), 0);
    expect_error(":2: max_head must be");
}
END_TEST

START_TEST(test_keys_may_be_as_large_as_each_other)
{
    ck_assert_int_eq(read_text("max_head = 8KiB\ndb_suspect = 2s\n"), 0);
    ck_assert_int_eq(conf_check(set, &errors), 0);
}
END_TEST

START_TEST(test_a_file_that_can_not_be_read_is_named)
{
    ck_assert_int_eq(conf_read_file(set, "/no/such/file", &errors), 1);
    expect_error("/no/such/file: No such file or directory\n");
    ck_assert_int_eq(conf_read_file(set, "/tmp", &errors), 1);
    expect_error("/tmp: Is a directory\n");
    ck_assert_int_eq(conf_read_file(set, "/dev/zero", &errors), 1);
    expect_error("/dev/zero: File too large\n");
}
END_TEST

START_TEST(test_a_file_of_octets_ends_after_a_hundred_mistakes)
{
    static const char octets[] = "a\0b\nport = 1\0\n\xff\xfe\n";
    char many[4096];

    ck_assert_int_eq(read_octets(octets, sizeof(octets) - 1), 3);
    expect_error(":1: there is a NUL in this line");
    expect_error(":2: there is a NUL in this line");
    expect_error(":3: this is neither");
    errors.len = 0;
    memset(many, '\n', sizeof(many));
    for (size_t i = 0; i < sizeof(many); i += 2)
        many[i] = 'x';
    ck_assert_int_eq(read_octets(many, sizeof(many)), 101);
    expect_error(":100: reading ends here, after 100 mistakes\n");
    ck_assert_uint_eq(count_lines(error_text()), 101);
}
END_TEST

/* ---- the form of a file ---- */

START_TEST(test_comments_blanks_and_headings_are_for_people)
{
    ck_assert_msg(read_text("\xef\xbb\xbf# a file of an editor that marks its files\r\n"
                            "; another comment\r\n"
                            "   port   =   81   ; the port\r\n"
                            "\t[limits] # a heading\r\n"
                            "max_body=2MiB # much\r\n"
                            "    max_head=16KiB\r\n"
                            "\r\n"
                            "[time]\r\n"
                            "head_timeout = 250ms\t#comment\r\n"
                            "[listening]\r\n"
                            "server_names =\r\n"
                            "listen = ::1") == 0,
                  "%s", error_text());
    ck_assert_int_eq(conf_values(set)->port, 81);
    ck_assert_int_eq(conf_values(set)->max_body, 2 << 20);
    ck_assert_int_eq(conf_values(set)->max_head, 16 << 10);
    ck_assert_int_eq(conf_values(set)->head_timeout, 250);
    ck_assert_str_eq(conf_values(set)->listen, "::1");
    ck_assert_int_eq(read_text(""), 0);
    ck_assert_uint_eq(errors.len, 0);
}
END_TEST

START_TEST(test_a_sign_of_comment_inside_a_word_is_part_of_the_value)
{
    ck_assert_int_eq(read_text("db_url = postgres://me:a;b#c@db/x ; here\n"), 0);
    ck_assert_str_eq(conf_values(set)->db_url, "postgres://me:a;b#c@db/x");
}
END_TEST

START_TEST(test_a_line_is_read_whole_or_refused)
{
    char text[600];
    int last = 0, n;

    /* inih's buffer decides, not we: at some length it goes over from whole to refused. */
    for (n = 100; n < 300; n++) {
        struct conf_set *fresh = conf_new();
        FILE *f = fopen(path, "w");

        snprintf(text, sizeof(text), "db_url = postgres://%0*d\nport = 81\n", n, 7);
        fputs(text, f);
        fclose(f);
        if (conf_read_file(fresh, path, &errors) == 0) {
            ck_assert_uint_eq(strlen(conf_values(fresh)->db_url), (size_t)n + 11);
            ck_assert_int_eq(conf_values(fresh)->db_url[n + 10], '7');
            ck_assert_int_eq(last, 0);
        } else {
            ck_assert_str_eq(conf_values(fresh)->db_url, "");
            last = last > 0 ? last : n;
        }
        ck_assert_int_eq(conf_values(fresh)->port, 81);
        conf_free(fresh);
    }
    ck_assert_int_eq(last + (int)strlen("db_url = postgres://"), 199);
    expect_error(":1: this line is longer than 198 octets\n");
    ck_assert_int_eq(read_text("port = 82 # a very long comment ........................."
                               "......................................................"
                               "......................................................"
                               "...................................................... \n"),
                     0);
}
END_TEST

/* ---- options, origins ---- */

START_TEST(test_options_win_over_the_file_and_say_where_they_came_from)
{
    char origin[128];

    ck_assert_int_eq(read_text("port = 81\nworkers = 3\n"), 0);
    ck_assert_int_eq(conf_read_option(set, "port=82", &errors), 0);
    ck_assert_int_eq(conf_read_option(set, "port=83", &errors), 0);
    ck_assert_int_eq(conf_values(set)->port, 83);
    ck_assert_str_eq(row_of("port").origin, "-o");
    snprintf(origin, sizeof(origin), "%s:2", path);
    ck_assert_str_eq(row_of("workers").origin, origin);
    ck_assert_str_eq(row_of("demo").origin, "default");
}
END_TEST

#define TEXT_59 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456"

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
        {"run=" TEXT_59 "z", "\"" TEXT_59 "z\"\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        errors.len = 0;
        ck_assert_int_eq(conf_read_option(set, cases[i].option, &errors), 1);
        expect_error(cases[i].expected);
        ck_assert_uint_eq(count_lines(error_text()), 1);
    }
    ck_assert_int_eq(conf_values(set)->port, 8080);
    ck_assert_str_eq(row_of("port").origin, "default");
}
END_TEST

START_TEST(test_a_text_as_long_as_its_room_is_taken_and_a_longer_one_refused)
{
    char option[CONF_TEXT_MAX + 64] = "db_url=postgres://";

    memset(option + 18, 'x', CONF_TEXT_MAX);
    option[7 + CONF_TEXT_MAX - 1] = '\0';
    ck_assert_int_eq(conf_read_option(set, option, &errors), 0);
    ck_assert_uint_eq(strlen(conf_values(set)->db_url), CONF_TEXT_MAX - 1);
    option[7 + CONF_TEXT_MAX - 1] = 'y';
    option[7 + CONF_TEXT_MAX] = '\0';
    ck_assert_int_eq(conf_read_option(set, option, &errors), 1);
    expect_error("at most 1023 octets");
    ck_assert_uint_eq(strlen(conf_values(set)->db_url), CONF_TEXT_MAX - 1);
}
END_TEST

/* ---- what is printed ---- */

START_TEST(test_secrets_are_never_printed)
{
    static const char *const wrong[] = {"hunter2",
                                        "db_url",
                                        "postgres://me:hunter2@db/x",
                                        "postgres://me:hunter2@db/x?a=b",
                                        "db_url=hunter2://me:hunter2@db/x",
                                        "db_url=hunter2",
                                        "db_url=host=hunter2\n"};
    struct buf b = {0};
    char line[256];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(conf_read_option(set, wrong[i], &errors), 1);
        snprintf(line, sizeof(line), "db_url %s\n%s\n", wrong[i], wrong[i]);
        ck_assert_int_ge(read_text(line), 1);
    }
    ck_assert_ptr_null(strstr(error_text() + strlen("-o hunter2"), "hunter2"));
    ck_assert_int_eq(conf_read_option(set, "db_url=postgres://me:hunter2@db/x", &errors), 0);
    ck_assert_str_eq(row_of("db_url").value, "***");
    conf_print_settings(set, &b);
    buf_add_char(&b, '\0');
    ck_assert_ptr_null(strstr(b.data, "hunter2"));
    ck_assert_ptr_nonnull(strstr(b.data, "***"));
    buf_fini(&b);
}
END_TEST

START_TEST(test_the_listing_has_every_key_with_value_origin_and_sentence)
{
    struct buf b = {0};

    ck_assert_int_eq(conf_read_option(set, "port=82", &errors), 0);
    conf_print_settings(set, &b);
    buf_add_char(&b, '\0');
    ck_assert_ptr_nonnull(
        strstr(b.data, "port               = 82            # -o; The TCP port; 0 takes any"));
    for (const struct conf_key *key = conf_keys; key->name != NULL; key++)
        ck_assert_msg(strstr(b.data, key->name) != NULL && strstr(b.data, key->sentence) != NULL,
                      "%s", key->name);
    buf_fini(&b);
}
END_TEST

START_TEST(test_what_is_printed_can_be_read_back)
{
    static const char *const options[] = {
        "port=81",          "listen=127.0.0.1 [::1]",
        "server_names=a b", "demo=yes",
        "workers=3",        "worker_cpus=none",
        "run=loop",         "max_body=1000",
        "head_timeout=90s", "trace=no",
        "log_level=debug",  "max_memory=3GiB",
    };
    struct conf_set *again = conf_new();
    struct conf_origin row;
    struct buf b = {0};
    char option[2 * CONF_TEXT_MAX];

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        ck_assert_int_eq(conf_read_option(set, options[i], &errors), 0);
    for (unsigned i = 0; conf_row(set, i, &row); i++) {
        snprintf(option, sizeof(option), "%s=%s", row.key, row.value);
        ck_assert_msg(conf_read_option(again, option, &errors) == 0, "%s", option);
    }
    ck_assert_mem_eq(conf_values(again), conf_values(set), sizeof(struct conf));
    conf_free(again);
    again = set;
    conf_print_settings(set, &b);
    buf_add_char(&b, '\0');
    set = conf_new();
    ck_assert_msg(read_text(b.data) == 0, "%s", error_text());
    ck_assert_mem_eq(conf_values(again), conf_values(set), sizeof(struct conf));
    conf_free(again);
    buf_fini(&b);
}
END_TEST

START_TEST(test_the_hash_sees_every_value_but_secrets)
{
    const uint64_t before = conf_hash(set);

    ck_assert_int_eq(conf_read_option(set, "db_url=postgres:///x", &errors), 0);
    ck_assert(conf_hash(set) == before);
    ck_assert_int_eq(conf_read_option(set, "log_level=debug", &errors), 0);
    ck_assert(conf_hash(set) != before);
    ck_assert_int_eq(conf_read_option(set, "log_level=info", &errors), 0);
    ck_assert(conf_hash(set) == before);
    ck_assert_int_eq(conf_read_option(set, "server_names=x", &errors), 0);
    ck_assert(conf_hash(set) != before);
}
END_TEST

/* ---- the table ---- */

START_TEST(test_every_row_of_the_table_is_whole_and_every_setting_has_one)
{
    size_t octets = 0;
    unsigned n = 0;

    for (const struct conf_key *key = conf_keys; key->name != NULL; key++, n++) {
        const size_t len = strlen(key->sentence);

        ck_assert_msg(len > 20 && key->sentence[len - 1] == '.', "%s", key->name);
        octets += key->kind == CONF_TEXT ? CONF_TEXT_MAX : sizeof(int64_t);
        ck_assert_ptr_nonnull(key->section);
        ck_assert_msg((key->kind == CONF_TEXT) == (key->form != NULL && key->is_right != NULL),
                      "%s", key->name);
        ck_assert_msg(key->kind != CONF_CHOICE || key->words != NULL, "%s", key->name);
        ck_assert_msg(conf_is_name(key->name, strlen(key->name)), "%s", key->name);
        for (const struct conf_key *other = conf_keys; other < key; other++)
            ck_assert_msg(strcmp(other->name, key->name) != 0 && other->offset != key->offset,
                          "%s and %s", other->name, key->name);
    }
    ck_assert_uint_eq(octets, sizeof(struct conf));
    for (unsigned i = 0; i < n; i++) /* what may change at HUP is all but the listening sockets */
        ck_assert_msg(conf_keys[i].reloadable == (strcmp(conf_keys[i].name, "listen") != 0 &&
                                                  strcmp(conf_keys[i].name, "port") != 0),
                      "%s", conf_keys[i].name);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tc = tcase_create("conf");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_defaults_are_those_of_the_design);
    tcase_add_loop_test(tc, test_a_value_means_what_is_written, 0,
                        sizeof(values) / sizeof(values[0]));
    tcase_add_loop_test(tc, test_a_text_is_kept_with_one_blank_between_words_but_a_secret_as_it_is,
                        0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tc, test_both_ends_of_every_range_are_taken_and_what_is_beyond_is_not);
    tcase_add_loop_test(tc, test_a_mistake_is_named_with_its_line_what_was_sent_and_what_is_allowed,
                        0, sizeof(mistakes) / sizeof(mistakes[0]));
    tcase_add_test(tc, test_ten_mistakes_are_all_named_in_one_run);
    tcase_add_test(tc, test_a_refused_value_causes_no_second_error_between_keys);
    tcase_add_test(tc, test_keys_may_be_as_large_as_each_other);
    tcase_add_test(tc, test_a_file_that_can_not_be_read_is_named);
    tcase_add_test(tc, test_a_file_of_octets_ends_after_a_hundred_mistakes);
    tcase_add_test(tc, test_comments_blanks_and_headings_are_for_people);
    tcase_add_test(tc, test_a_sign_of_comment_inside_a_word_is_part_of_the_value);
    tcase_add_test(tc, test_a_line_is_read_whole_or_refused);
    tcase_add_test(tc, test_options_win_over_the_file_and_say_where_they_came_from);
    tcase_add_test(tc, test_a_wrong_option_is_named_and_changes_nothing);
    tcase_add_test(tc, test_a_text_as_long_as_its_room_is_taken_and_a_longer_one_refused);
    tcase_add_test(tc, test_secrets_are_never_printed);
    tcase_add_test(tc, test_the_listing_has_every_key_with_value_origin_and_sentence);
    tcase_add_test(tc, test_what_is_printed_can_be_read_back);
    tcase_add_test(tc, test_the_hash_sees_every_value_but_secrets);
    tcase_add_test(tc, test_every_row_of_the_table_is_whole_and_every_setting_has_one);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
