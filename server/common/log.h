/*
 * Logging: whole lines to stderr, each written by one write(2), from every process under its own
 * name:  "2026-11-23T07:09:40.123Z front[4711] warning: text: No such file or directory".
 * Secrets never reach a log: whoever formats a connection string masks it first.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/attr.h"

enum log_level {
    LOG_ERROR, /* something was lost or refused that a user will notice */
    LOG_WARN,  /* something went wrong and was handled */
    LOG_INFO,  /* life of the processes: started, reloaded, drained */
    LOG_DEBUG, /* for developers */
};

/* Names this process in its lines; `name` must live on. Lines above `level` are dropped. */
void log_init(const char *name, enum log_level level);

/* With errno's text behind it / without (the x). errno is preserved. */
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warnx(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_errorx(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Logs with errno's text (fatalx: without) and ends this process with abort() (core, non-zero):
 * for broken invariants and memory that can't be had. */
void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) NO_RETURN;
void fatalx(const char *fmt, ...) PRINTF_LIKE(1, 2) NO_RETURN;

/* malloc, calloc, realloc, strdup that end the process instead of returning NULL. Only for sizes
 * that no client controls. Freed with free(). */
void *xmalloc(unsigned long size);
void *xcalloc(unsigned long n, unsigned long size);
void *xrealloc(void *old, unsigned long size);
char *xstrdup(const char *text);

#endif
