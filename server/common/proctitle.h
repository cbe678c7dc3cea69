/*
 * The title that ps shows for this process ("interleave: front"): written over the memory where the
 * kernel put argv and the environment.
 */
#ifndef COMMON_PROCTITLE_H
#define COMMON_PROCTITLE_H

/* First call in main(), before anybody keeps a pointer into argv or the environment: moves both to
 * the heap (argv[i] and environ point there afterwards), so that the old place can be written. */
void proctitle_init(int argc, char **argv);

/* Sets the title, cut to the room there is. Without proctitle_init(): does nothing. */
void proctitle_set(const char *title);

#endif
