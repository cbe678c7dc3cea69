/* links: server/supervisor/identity.c server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The files of certificate and key: what can be read is taken as it is, what can't is named with
 * its setting.
 */
#include "../lib/suite.h"
#include "common/buf.h"
#include "supervisor/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/interleave-unit-XXXXXX";
static struct conf conf;
static struct identity identity;
static struct buf errors;

static void
put(char *path, const char *name, const void *octets, size_t len, mode_t mode)
{
    int fd;

    snprintf(path, CONF_TEXT_MAX, "%s/%s", folder, name);
    fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    ck_assert_int_eq(write(fd, octets, len), (ssize_t)len);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void
set_up(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    put(conf.tls_certificate, "certificate", "chain\0of octets", 15, 0644);
    put(conf.tls_key, "key", "key", 3, 0600);
}

static void
tear_down(void)
{
    char path[CONF_TEXT_MAX];

    identity_fini(&identity);
    buf_fini(&errors);
    snprintf(path, sizeof(path), "%s/certificate", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/key", folder);
    unlink(path);
    rmdir(folder);
}

static void
expect_errors(int count, const char *part)
{
    ck_assert_int_eq(identity_read(&identity, &conf, &errors), count);
    buf_add_char(&errors, '\0');
    ck_assert_msg(strstr(errors.data, part) != NULL, "%s", errors.data);
    ck_assert(!identity_is_set(&identity));
    errors.len = 0;
}

START_TEST(test_both_files_are_taken_octet_by_octet)
{
    ck_assert_int_eq(identity_read(&identity, &conf, &errors), 0);
    ck_assert(identity_is_set(&identity));
    ck_assert_uint_eq(identity.certificate.len, 15);
    ck_assert_mem_eq(identity.certificate.pem, "chain\0of octets", 15);
    ck_assert_uint_eq(identity.key.len, 3);
    ck_assert_str_eq(identity.key.path, conf.tls_key);
}
END_TEST

START_TEST(test_without_names_there_is_none)
{
    conf.tls_certificate[0] = conf.tls_key[0] = '\0';
    ck_assert_int_eq(identity_read(&identity, &conf, &errors), 0);
    ck_assert(!identity_is_set(&identity));
}
END_TEST

START_TEST(test_a_file_that_can_not_be_read_is_named_with_its_setting)
{
    char expected[2 * CONF_TEXT_MAX];

    strcat(conf.tls_key, "s");
    snprintf(expected, sizeof(expected), "tls_key: can't read %s: No such file or directory\n",
             conf.tls_key);
    expect_errors(1, expected);
    strcpy(conf.tls_certificate, folder);
    expect_errors(2, "Is a directory\ntls_key: ");
}
END_TEST

START_TEST(test_an_empty_file_a_huge_one_and_a_device_are_refused)
{
    ck_assert_int_eq(truncate(conf.tls_key, 0), 0);
    expect_errors(1, "is no file of 1 octet to 1 MiB");
    ck_assert_int_eq(truncate(conf.tls_key, 1024 * 1024 + 1), 0);
    expect_errors(1, "is no file of 1 octet to 1 MiB");
    ck_assert_int_eq(truncate(conf.tls_key, 1024 * 1024), 0);
    ck_assert_int_eq(identity_read(&identity, &conf, &errors), 0);
    identity_fini(&identity);
    strcpy(conf.tls_certificate, "/dev/zero");
    expect_errors(1, "tls_certificate: /dev/zero is no file");
}
END_TEST

/* Row: rights of the key, and whether somebody should know. */
static const struct {
    mode_t mode;
    bool warned;
} rights[] = {{0600, false}, {0400, false}, {0640, false},
              {0644, true},  {0602, true},  {0660, true}};

START_TEST(test_a_key_that_others_can_read_or_change_is_warned_of)
{
    char text[512];
    int out[2];
    ssize_t n;

    ck_assert_int_eq(chmod(conf.tls_key, rights[_i].mode), 0);
    ck_assert_int_eq(pipe2(out, O_NONBLOCK), 0);
    fflush(stderr);
    ck_assert_int_eq(dup2(out[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(identity_load(&identity, &conf), 0);
    n = read(out[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    ck_assert_int_eq(strstr(text, "Try: chmod 600 ") != NULL, rights[_i].warned);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tc = tcase_create("identity");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_both_files_are_taken_octet_by_octet);
    tcase_add_test(tc, test_without_names_there_is_none);
    tcase_add_test(tc, test_a_file_that_can_not_be_read_is_named_with_its_setting);
    tcase_add_test(tc, test_an_empty_file_a_huge_one_and_a_device_are_refused);
    tcase_add_loop_test(tc, test_a_key_that_others_can_read_or_change_is_warned_of, 0,
                        sizeof(rights) / sizeof(rights[0]));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
