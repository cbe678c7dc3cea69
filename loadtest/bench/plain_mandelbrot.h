/*
 * The Mandelbrot set as one would write it down: the measure for our own kernel. See
 * plain_mandelbrot.c.
 */
#ifndef BENCH_PLAIN_MANDELBROT_H
#define BENCH_PLAIN_MANDELBROT_H

#include <stddef.h>
#include <stdint.h>

/* Steps of each point until it has escaped, at most `iter`, row by row into steps[width * height].
 * block = points computed together: 8, 16 or 32; width is a multiple of it. */
void plain_mandelbrot(unsigned block, unsigned width, unsigned height, int64_t iter,
                      int64_t *steps);

/* The picture of these steps, compressed in one piece into out[room], which is enough: its
 * length. */
size_t plain_picture(const int64_t *steps, unsigned width, unsigned height, int64_t iter,
                     unsigned char *out, size_t room);

#endif
