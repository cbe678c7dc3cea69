/*
 * /image/mandelbrot, see mandelbrot.c.
 */
#ifndef KERNELS_MANDELBROT_H
#define KERNELS_MANDELBROT_H

#include "kernels/kernel.h"

extern const struct kernel kernel_mandelbrot;

#endif
