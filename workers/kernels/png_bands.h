/*
 * A PNG made by several tasks side by side, from pixels in the job's area. A kernel uses it as its
 * last stage: layout in plan(), png_bands tasks, encode in run(), check in next(), answer.
 *
 *   area:  | pixels, rows from the top, 8 bits a channel | slot of band 0 | slot of band 1 | ...
 *
 * See png_bands.c for how a PNG can be compressed in pieces.
 */
#ifndef KERNELS_PNG_BANDS_H
#define KERNELS_PNG_BANDS_H

#include "common/attr.h"
#include "kernels/kernel.h"

/* All of it follows from the size of the picture alone: the same bands on any number of workers. */
struct png_layout {
    unsigned width, height;
    unsigned channels;  /* 1 grey, 3 RGB, 4 RGBA */
    size_t row;         /* octets of a row of pixels */
    unsigned band_rows; /* of each band but the last, which may have fewer */
    unsigned bands;
    size_t slot; /* octets for the compressed band, its worst case */
    size_t area_size;
};

/* Width and height at least 1; the caller has bounded them (area_size fits into size_t). */
struct png_layout png_layout(unsigned width, unsigned height, unsigned channels);

/* Task t->index = number of the band: compresses it into its slot; says length and checksums in
 * t->small. Returns early when the task is cancelled. */
void png_band_encode(const struct png_layout *, struct task *t);

/* Do the small results of the last stage fit the layout? 0, or -1. */
MUST_CHECK int png_bands_check(const struct png_layout *, const struct kernel_job *);

/* The whole file, signature to IEND. 0, or -1: a result can't be right or there is no room. */
MUST_CHECK int png_bands_answer(const struct png_layout *, const struct kernel_job *,
                                struct kernel_answer *);

#endif
