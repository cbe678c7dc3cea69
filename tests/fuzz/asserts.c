/*
 * What the assertions of Check call, for programs that use the worlds of tests/lib without being
 * run by Check: a failed one ends the program, a kept one is nothing to write down.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
_mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void
_ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    fprintf(stderr, "%s:%d: %s (%s)\n", file, line, expr, msg != NULL ? msg : "");
    abort();
}
