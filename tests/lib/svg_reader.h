/*
 * Reads a picture of /trace.svg as a program that knows nothing of how it was made: is it
 * well-formed XML, which bars are drawn where, which spans does its <metadata> have; and derives
 * from those spans what the picture claims.
 */
#ifndef TESTS_SVG_READER_H
#define TESTS_SVG_READER_H

#include <jansson.h>
#include <stddef.h>

struct svg_bar {
    double x, y, width, height;
    char class[16]; /* "cpu0", "block3", "wait1", "queue2", "alone"; "" */
    char fill[24];
};

struct svg {
    char *text;
    char *title, *desc; /* without entities */
    json_t *meta;
    struct svg_bar *bars;
    size_t count;
};

/* Fails the test unless it is one well-formed document with role, title, desc and metadata. */
struct svg *svg_read(const char *text);
void svg_free(struct svg *);

/* A member of the metadata. */
double svg_number_of(const struct svg *, const char *name);

/* From the spans alone: the most tasks in progress at one moment (a request counts as one, or as
 * many as it has tasks, if that is more), and the most CPUs occupied. */
unsigned svg_in_progress(const struct svg *);
unsigned svg_running(const struct svg *);
/* From the bars alone: the same, and how long, in ms, at least two CPUs were occupied. */
unsigned svg_running_bars(const struct svg *, double *two_ms);
/* How often the colour changes from one bar on this CPU to the next, and how long it has bars, ms.
 */
unsigned svg_switches(const struct svg *, unsigned cpu, double *busy_ms);
/* Fails the test unless bars of CPUs and slices agree, but for what is narrower than the grain. */
void svg_check_bars(const struct svg *);

#endif
