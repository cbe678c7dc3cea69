/*
 * A reader of PNG files of its own, for tests: strict where a lenient one would hide a mistake.
 * 8 bits a channel, grey, RGB or RGBA, not interlaced; only IHDR, IDAT and IEND.
 */
#ifndef TESTS_PNG_READER_H
#define TESTS_PNG_READER_H

#include <stddef.h>

struct png_image {
    unsigned width, height, channels;
    unsigned char *pixels; /* rows from the top */
};

/* "" when all is well, else what is wrong. Free the image in both cases. */
const char *png_read(struct png_image *, const unsigned char *file, size_t len);
void png_image_free(struct png_image *);

#endif
