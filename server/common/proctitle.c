/*
 * proctitle: see proctitle.h.
 *
 *   before   | interleave\0 -c\0 x.conf\0 | HOME=/root\0 PATH=/bin\0 ... |
 *              ^ argv[0]                    ^ environ[0]                 ^ end
 *   after    | interleave: supervisor\0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0  |
 *
 * The kernel takes argv and environment as one area: when the octet at the end of argv is not zero
 * it goes on into the environment to the first zero, which gives room for titles longer than the
 * command line was. Used by supervisor and front end. Owns that area and the two copies, which live
 * as long as the process.
 */
#include "common/proctitle.h"

#include "common/log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static char *area;
static size_t area_size;

/* The texts that follow one another in memory from `end` on: moves `end` behind them. */
static const char *
extend_over(char **texts, const char *end)
{
    for (; *texts != NULL; texts++)
        if (*texts == end)
            end += strlen(*texts) + 1;
    return end;
}

static char **
copy_environment(void)
{
    size_t n = 0;
    char **copy;

    while (environ[n] != NULL)
        n++;
    copy = xcalloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(environ[i]);
    return copy;
}

void
proctitle_init(int argc, char **argv)
{
    const char *end;

    if (argc < 1 || argv[0] == NULL)
        return;
    end = extend_over(environ, extend_over(argv, argv[0]));
    area = argv[0];
    area_size = (size_t)(end - area);
    environ = copy_environment();
    for (int i = 0; i < argc; i++)
        argv[i] = xstrdup(argv[i]);
    program_invocation_name = argv[0];
}

void
proctitle_set(const char *title)
{
    size_t len = strlen(title);

    if (area_size == 0)
        return;
    if (len > area_size - 1)
        len = area_size - 1;
    memcpy(area, title, len); // NOLINT(bugprone-not-null-terminated-result): by the next line it is
    memset(area + len, 0, area_size - len);
}
