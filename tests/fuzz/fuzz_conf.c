/* links: server/common/conf.c server/common/conf_table.c server/common/conf_read.c server/common/conf_value.c server/common/conf_text.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c tests/fuzz/input.c */
/*
 * Configuration files. Each mistake is one line that names the file, and no octet of the file
 * reaches a terminal as a control character. What was set can be written down (-T) and read again,
 * and means the same.
 */
#include "common/buf.h"
#include "common/conf.h"
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file without a name: its address, by which it is opened anew each time. */
static const char *
write_file(const uint8_t *data, size_t len)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("conf", MFD_CLOEXEC);
        FUZZ_CHECK(fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    FUZZ_CHECK(ftruncate(fd, 0) == 0);
    FUZZ_CHECK(pwrite(fd, data, len, 0) == (ssize_t)len);
    return path;
}

static void
check_errors(const struct buf *errors, int wrong, const char *path)
{
    const char *p = errors->data, *end = p + errors->len;
    int lines = 0;

    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));

        FUZZ_CHECK(lf != NULL && (size_t)(lf - p) > strlen(path));
        FUZZ_CHECK(memcmp(p, path, strlen(path)) == 0);
        for (; p < lf; p++)
            FUZZ_CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
        p = lf + 1;
        lines++;
    }
    FUZZ_CHECK(lines == wrong);
}

/* All settings but secrets, given as options to a new set. */
static void
check_again(const struct conf_set *set)
{
    struct conf_set *again = conf_new();
    static struct conf_origin row;
    struct buf errors = {0};

    for (unsigned i = 0; conf_row(set, i, &row); i++) {
        char option[CONF_TEXT_MAX + 64];

        if (strcmp(row.value, "***") == 0 || strcmp(row.origin, "default") == 0)
            continue;
        snprintf(option, sizeof(option), "%s=%s", row.key, row.value);
        FUZZ_CHECK(conf_read_option(again, option, &errors) == 0);
    }
    FUZZ_CHECK(errors.len == 0);
    buf_fini(&errors);
    FUZZ_CHECK(conf_hash(again) == conf_hash(set));
    conf_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *path = write_file(data, len);
    struct conf_set *set = conf_new();
    struct buf errors = {0};
    int wrong = conf_read_file(set, path, &errors);

    check_errors(&errors, wrong, path);
    check_again(set);
    FUZZ_CHECK(conf_check(set, &errors) == 0 || errors.len > 0);
    buf_fini(&errors);
    conf_free(set);
    return 0;
}
