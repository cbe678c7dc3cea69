/*
 * A real Chromium without a window, for end-to-end tests: led over its DevTools protocol through a
 * pair of pipes (--remote-debugging-pipe), with a profile of its own.
 *
 *   browser_open() -> browser_go(), browser_until() ... -> browser_close()
 *
 * All that went wrong in a page is noted: errors in its console, requests to other hosts. Every
 * function fails the running test when what it does can't be done.
 */
#ifndef TESTS_BROWSER_H
#define TESTS_BROWSER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct browser;

/* Is there a Chromium on this machine? */
bool browser_is_there(void);
struct browser *browser_open(void);
/* Ends it, with all its processes. */
void browser_close(struct browser *);

/* Shows this page of http://127.0.0.1:port, and waits until it is loaded. */
void browser_go(struct browser *, int port, const char *path);
/* The value of an expression in the page; json_decref(). */
json_t *browser_eval(struct browser *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Likewise of one that gives a text; free(). */
char *browser_text(struct browser *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
double browser_number(struct browser *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Waits in the page until the expression is true. */
void browser_until(struct browser *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From now on as wide and high (CSS pixels), dark or light. */
void browser_look(struct browser *, int width, int height, bool dark);
/* All of the page as PNG. */
void browser_shot(struct browser *, const char *path);

/* What went wrong since the last call, a line each; "" if nothing did. Valid until the next. */
const char *browser_wrongs(struct browser *);

#endif
