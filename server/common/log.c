/*
 * log: see log.h. A line is formatted into a stack buffer and written at once, so that lines of
 * several processes never mix.
 */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_OCTETS = 2048 };

static const char *process_name = "interleave";
static enum log_level max_level = LOG_INFO;

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void
log_init(const char *name, enum log_level level)
{
    process_name = name;
    max_level = level;
}

static size_t
line_head(char *line, size_t size, enum log_level level)
{
    struct timespec ts;
    struct tm tm;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
    len +=
        (size_t)snprintf(line + len, size - len, ".%03dZ %s[%d] %s: ", (int)(ts.tv_nsec / 1000000),
                         process_name, (int)getpid(), level_names[level]);
    return len;
}

static void log_line(enum log_level level, int error, const char *fmt, va_list args)
    PRINTF_LIKE(3, 0);

static void
log_line(enum log_level level, int error, const char *fmt, va_list args)
{
    char line[LINE_MAX_OCTETS];
    size_t len, room = sizeof(line) - 1;
    int n;

    if (level > max_level)
        return;
    len = line_head(line, room, level);
    n = vsnprintf(line + len, room - len, fmt, args);
    if (n > 0)
        len += (size_t)n;
    if (error != 0 && len < room) {
        n = snprintf(line + len, room - len, ": %s", strerror(error));
        if (n > 0)
            len += (size_t)n;
    }
    if (len > room)
        len = room;
    line[len++] = '\n';
    while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
        ;
}

#define LOG_FUNCTION(name, level, with_errno)                                                      \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        int saved = errno;                                                                         \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, fmt);                                                                       \
        log_line(level, (with_errno) ? saved : 0, fmt, args);                                      \
        va_end(args);                                                                              \
        errno = saved;                                                                             \
    }

LOG_FUNCTION(log_warn, LOG_WARN, 1)
LOG_FUNCTION(log_warnx, LOG_WARN, 0)
LOG_FUNCTION(log_error, LOG_ERROR, 1)
LOG_FUNCTION(log_errorx, LOG_ERROR, 0)
LOG_FUNCTION(log_info, LOG_INFO, 0)
LOG_FUNCTION(log_debug, LOG_DEBUG, 0)

void
fatal(const char *fmt, ...)
{
    int saved = errno;
    va_list args;

    va_start(args, fmt);
    log_line(LOG_ERROR, saved, fmt, args);
    va_end(args);
    abort();
}

void
fatalx(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_line(LOG_ERROR, 0, fmt, args);
    va_end(args);
    abort();
}

void *
xmalloc(unsigned long size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL)
        fatal("out of memory: %lu octets", size);
    return p;
}

void *
xcalloc(unsigned long n, unsigned long size)
{
    void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL)
        fatal("out of memory: %lu x %lu octets", n, size);
    return p;
}

void *
xrealloc(void *old, unsigned long size)
{
    void *p = realloc(old, size > 0 ? size : 1);

    if (p == NULL)
        fatal("out of memory: %lu octets", size);
    return p;
}

char *
xstrdup(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        fatal("out of memory: a text of %lu octets", (unsigned long)strlen(text));
    return copy;
}
