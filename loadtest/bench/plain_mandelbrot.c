/*
 * The Mandelbrot set by a plain loop that the compiler vectorises: a block of neighbouring points,
 * the same step for all, until none of them is left or the limit is reached. Which block is best
 * depends on compiler and CPU; the caller tries them. Then the picture: one colour for each number
 * of steps, and zlib as our own kernel uses it, all at once. No sections, no ticks.
 */
#include "plain_mandelbrot.h"

#include "kernels/clones.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static CLONES_INLINE void
plain_loop(const int block, unsigned width, unsigned height, int64_t iter, int64_t *steps)
{
    const double scale = 3.2 / (double)width;

    for (unsigned row = 0; row < height; row++) {
        double cy = ((double)height / 2.0 - (double)row - 0.5) * scale;

        for (unsigned column = 0; column < width; column += (unsigned)block) {
            double cx[32], x[32] = {0}, y[32] = {0};
            int64_t n[32] = {0};

            for (int k = 0; k < block; k++)
                cx[k] = -0.6 + ((double)column + k + 0.5 - (double)width / 2.0) * scale;
            for (int64_t i = 0; i < iter; i++) {
                int64_t any = 0;

                for (int k = 0; k < block; k++) {
                    double xx = x[k] * x[k], yy = y[k] * y[k], xy = x[k] * y[k];
                    int64_t in = xx + yy <= 4.0;

                    n[k] += in;
                    any |= in;
                    x[k] = xx - yy + cx[k];
                    y[k] = xy + xy + cy;
                }
                if (any == 0)
                    break;
            }
            for (int k = 0; k < block; k++)
                *steps++ = n[k];
        }
    }
}

CLONES_VECTOR static void
plain_8(unsigned width, unsigned height, int64_t iter, int64_t *steps)
{
    plain_loop(8, width, height, iter, steps);
}

CLONES_VECTOR static void
plain_16(unsigned width, unsigned height, int64_t iter, int64_t *steps)
{
    plain_loop(16, width, height, iter, steps);
}

CLONES_VECTOR static void
plain_32(unsigned width, unsigned height, int64_t iter, int64_t *steps)
{
    plain_loop(32, width, height, iter, steps);
}

void
plain_mandelbrot(unsigned block, unsigned width, unsigned height, int64_t iter, int64_t *steps)
{
    if (block == 8)
        plain_8(width, height, iter, steps);
    else if (block == 16)
        plain_16(width, height, iter, steps);
    else
        plain_32(width, height, iter, steps);
}

static void
plain_colour(int64_t steps, int64_t iter, unsigned char *rgb)
{
    rgb[0] = steps == iter ? 0 : (unsigned char)(steps * 5);
    rgb[1] = steps == iter ? 0 : (unsigned char)(steps * 3 + 40);
    rgb[2] = steps == iter ? 0 : (unsigned char)(steps * 9 + 90);
}

size_t
plain_picture(const int64_t *steps, unsigned width, unsigned height, int64_t iter,
              unsigned char *out, size_t room)
{
    const size_t row = (size_t)width * 3;
    unsigned char *pixels = calloc(height + 1, row); /* a row of 0 above */
    unsigned char *filtered = malloc((row + 1) * height);
    z_stream z = {.next_out = out, .avail_out = (uInt)room};
    int rc;

    if (pixels == NULL || filtered == NULL)
        abort();
    for (size_t i = 0; i < (size_t)width * height; i++)
        plain_colour(steps[i], iter, pixels + row + 3 * i);
    for (unsigned y = 0; y < height; y++) {
        unsigned char *to = filtered + (row + 1) * y;

        *to++ = 2;
        for (size_t i = 0; i < row; i++)
            to[i] = (unsigned char)(pixels[row * (y + 1) + i] - pixels[row * y + i]);
    }
    z.next_in = filtered;
    z.avail_in = (uInt)((row + 1) * height);
    rc = deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS, MAX_MEM_LEVEL, Z_RLE);
    assert(rc == Z_OK);
    rc = deflate(&z, Z_FINISH);
    assert(rc == Z_STREAM_END);
    deflateEnd(&z);
    free(pixels);
    free(filtered);
    return room - z.avail_out;
}
