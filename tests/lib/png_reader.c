/*
 * See png_reader.h.
 */
#include "png_reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SIZE_MOST = 1 << 14 };

static uint32_t
get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const char *
read_ihdr(struct png_image *image, const unsigned char *data, size_t len)
{
    static const unsigned channels[7] = {[0] = 1, [2] = 3, [6] = 4};

    if (len != 13)
        return "IHDR has not 13 octets";
    image->width = get_u32(data);
    image->height = get_u32(data + 4);
    if (image->width == 0 || image->height == 0 || image->width > SIZE_MOST ||
        image->height > SIZE_MOST)
        return "width or height is 0 or too much";
    if (data[8] != 8 || data[9] > 6 || channels[data[9]] == 0)
        return "not 8 bits of grey, RGB or RGBA";
    if (data[10] != 0 || data[11] != 0 || data[12] != 0)
        return "compression, filter or interlace is not 0";
    image->channels = channels[data[9]];
    return "";
}

/* Joins the IDAT chunks into `stream`. */
static const char *
read_chunks(struct png_image *image, const unsigned char *file, size_t len, unsigned char *stream,
            size_t *stream_len)
{
    size_t at = 8;
    const char *wrong;

    if (len < 8 || memcmp(file, "\x89PNG\r\n\x1a\n", 8) != 0)
        return "no signature";
    for (;;) {
        const unsigned char *chunk = file + at;
        size_t size;

        if (len - at < 12 || (size = get_u32(chunk)) > len - at - 12)
            return "a chunk is cut off";
        if (crc32(0, chunk + 4, (uInt)size + 4) != get_u32(chunk + 8 + size))
            return "a chunk has a wrong checksum";
        at += 12 + size;
        if (at == 12 + size + 8) {
            if (memcmp(chunk + 4, "IHDR", 4) != 0)
                return "the first chunk is not IHDR";
            if (*(wrong = read_ihdr(image, chunk + 8, size)) != '\0')
                return wrong;
        } else if (memcmp(chunk + 4, "IDAT", 4) == 0) {
            memcpy(stream + *stream_len, chunk + 8, size);
            *stream_len += size;
        } else if (memcmp(chunk + 4, "IEND", 4) == 0) {
            return size != 0 || at != len ? "something follows IEND" : "";
        } else {
            return "a chunk that we do not write";
        }
    }
}

static unsigned char
paeth(int left, int above, int corner)
{
    int p = left + above - corner;
    int a = abs(p - left), b = abs(p - above), c = abs(p - corner);

    return (unsigned char)(a <= b && a <= c ? left : b <= c ? above : corner);
}

static const char *
unfilter(struct png_image *image, const unsigned char *raw)
{
    size_t step = image->channels, row = (size_t)image->width * step;

    for (size_t y = 0; y < image->height; y++) {
        unsigned char *out = image->pixels + y * row;
        const unsigned char *in = raw + y * (row + 1) + 1;

        for (size_t i = 0; i < row; i++) {
            int left = i >= step ? out[i - step] : 0;
            int above = y > 0 ? *(out + i - row) : 0;
            int corner = y > 0 && i >= step ? *(out + i - row - step) : 0;
            const int guess[] = {0, left, above, (left + above) / 2, paeth(left, above, corner)};

            if (in[-1] > 4)
                return "a row has an unknown filter";
            out[i] = (unsigned char)(in[i] + guess[in[-1]]);
        }
    }
    return "";
}

static const char *
inflate_all(struct png_image *image, unsigned char *stream, size_t stream_len)
{
    size_t raw_len = ((size_t)image->width * image->channels + 1) * image->height;
    unsigned char *raw = malloc(raw_len + 1); /* one more shows a stream that is too long */
    z_stream z = {.next_in = stream, .avail_in = (uInt)stream_len};
    const char *wrong = "the zlib stream is broken, or its checksum wrong";
    int rc;

    z.next_out = raw;
    z.avail_out = (uInt)raw_len + 1;
    if (raw == NULL || inflateInit(&z) != Z_OK)
        abort();
    rc = inflate(&z, Z_FINISH);
    if (rc == Z_STREAM_END && z.avail_in > 0)
        wrong = "something follows the zlib stream";
    else if (rc == Z_STREAM_END && z.total_out != raw_len)
        wrong = "the zlib stream has not the length of the picture";
    else if (rc == Z_STREAM_END)
        wrong = unfilter(image, raw);
    inflateEnd(&z);
    free(raw);
    return wrong;
}

const char *
png_read(struct png_image *image, const unsigned char *file, size_t len)
{
    unsigned char *stream = malloc(len + 1);
    size_t stream_len = 0;
    const char *wrong;

    *image = (struct png_image){0};
    if (stream == NULL)
        abort();
    wrong = read_chunks(image, file, len, stream, &stream_len);
    if (*wrong == '\0') {
        image->pixels = malloc((size_t)image->width * image->channels * image->height);
        if (image->pixels == NULL)
            abort();
        wrong = inflate_all(image, stream, stream_len);
    }
    free(stream);
    return wrong;
}

void
png_image_free(struct png_image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}
