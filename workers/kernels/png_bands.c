/*
 * A PNG compressed in pieces that know nothing of one another. Runs in the workers (one task a
 * band); next() and answer() in the front end only look at lengths and join checksums.
 *
 *   file:  signature  IHDR  IDAT (band 0)  IDAT (band 1) ... IDAT (checksum)  IEND
 *
 * All IDAT chunks together hold one zlib stream. Three facts make it divisible:
 *
 *   - A deflate stream that ends by a full flush ends at a whole octet and is not marked as last;
 *     the next one, which refers to nothing before it, can simply follow. So band 0 begins with
 *     the header of the zlib stream, and only the last band is finished.
 *   - The Adler-32 of a whole follows from those of its parts and their lengths.
 *   - A row is filtered by the difference to the row above; that one is in the area, whoever
 *     computed it.
 *
 * Bands follow from the size of the picture alone, so the file is the same for any number of
 * workers: about 16 bands, each between 32 KiB (several tasks even for small pictures) and 1 MiB
 * (a few milliseconds) before compression.
 *
 * Filter Up for all rows and zlib's run-length strategy: measured on such pictures it is as fast
 * as level 1 and its files are 10 % smaller; level 6 saves 20 % more for four times the time.
 */
#include "kernels/png_bands.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

enum {
    BANDS = 16,
    BAND_LEAST = 32 * 1024,
    BAND_MOST = 1024 * 1024,
    PART = 4096, /* octets of a row given to zlib at once: a tick in between, every 20 us or so */
    FILTER_UP = 2,
};

/* The header of a zlib stream: deflate, window of 32 KiB, a checksum of these two octets. */
static const unsigned char zlib_header[] = {0x78, 0x01};

/* What a task says about its band, in its small result. */
struct band_result {
    uint32_t length; /* in its slot */
    uint32_t crc;    /* of the chunk: "IDAT" and the data */
    uint32_t adler;  /* of the filtered rows */
};

struct png_layout
png_layout(unsigned width, unsigned height, unsigned channels)
{
    struct png_layout l = {.width = width, .height = height, .channels = channels};
    size_t raw, band;

    assert(width > 0 && height > 0 && channels > 0);
    l.row = (size_t)width * channels;
    raw = l.row * height;
    band = raw / BANDS;
    if (band < BAND_LEAST)
        band = BAND_LEAST;
    if (band > BAND_MOST)
        band = BAND_MOST;
    l.band_rows = (unsigned)(band / l.row);
    if (l.band_rows == 0)
        l.band_rows = 1;
    if (l.band_rows > height)
        l.band_rows = height;
    l.bands = (height + l.band_rows - 1) / l.band_rows;
    band = (l.row + 1) * l.band_rows;
    l.slot = band + band / 8 + band / 64 + 64; /* zlib's bound for any strategy, and a flush */
    l.area_size = raw + l.slot * l.bands;
    return l;
}

static unsigned
band_rows(const struct png_layout *l, unsigned band)
{
    unsigned first = band * l->band_rows;

    return l->height - first < l->band_rows ? l->height - first : l->band_rows;
}

static size_t
slot_offset(const struct png_layout *l, unsigned band)
{
    return l->row * l->height + l->slot * band;
}

/* One compressor a process, used again for each band: making one costs more than a small band. */
static z_stream *
compressor_start(void)
{
    static z_stream stream;
    static bool made;

    if (!made) {
        int rc = deflateInit2(&stream, 1, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_RLE);

        assert(rc == Z_OK); /* or memory is out */
        made = true;
    }
    deflateReset(&stream);
    return &stream;
}

static void
compress_part(z_stream *z, unsigned char *data, size_t len, int flush)
{
    int rc;

    z->next_in = data;
    z->avail_in = (uInt)len;
    rc = deflate(z, flush);
    assert(rc == (flush == Z_FINISH ? Z_STREAM_END : Z_OK));
    assert(z->avail_in == 0 && z->avail_out > 0);
}

static void
filter_up(unsigned char *restrict out, const unsigned char *restrict row,
          const unsigned char *restrict above, size_t len)
{
    if (above == NULL) {
        memcpy(out, row, len); /* above the picture all is 0 */
        return;
    }
    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)(row[i] - above[i]);
}

/* Filters and compresses one row. True: cancelled. */
static bool
row_compress(const struct png_layout *l, unsigned y, z_stream *z, uint32_t *adler, struct task *t)
{
    const unsigned char *row = t->area + l->row * y;
    unsigned char part[1 + PART];
    size_t len;

    assert(t->area != NULL);
    for (size_t at = 0; at < l->row; at += len) {
        size_t used = 0;

        if (at == 0)
            part[used++] = FILTER_UP;
        len = l->row - at < PART ? l->row - at : PART;
        filter_up(part + used, row + at, y > 0 ? row + at - l->row : NULL, len);
        used += len;
        *adler = (uint32_t)adler32(*adler, part, (uInt)used);
        compress_part(z, part, used, Z_NO_FLUSH);
        if (task_tick(t))
            return true;
    }
    return false;
}

void
png_band_encode(const struct png_layout *l, struct task *t)
{
    unsigned first = t->index * l->band_rows;
    unsigned char *slot = t->area + slot_offset(l, t->index);
    struct band_result result = {.adler = (uint32_t)adler32(0, NULL, 0)};
    size_t head = 0;
    z_stream *z = compressor_start();

    if (t->index == 0) {
        memcpy(slot, zlib_header, sizeof(zlib_header));
        head = sizeof(zlib_header);
    }
    z->next_out = slot + head;
    z->avail_out = (uInt)(l->slot - head);
    for (unsigned y = first; y < first + band_rows(l, t->index); y++) {
        if (row_compress(l, y, z, &result.adler, t))
            return;
    }
    compress_part(z, NULL, 0, t->index + 1 == l->bands ? Z_FINISH : Z_FULL_FLUSH);
    result.length = (uint32_t)(head + z->total_out);
    result.crc = (uint32_t)crc32(0, (const unsigned char *)"IDAT", 4);
    result.crc = (uint32_t)crc32(result.crc, slot, result.length);
    memcpy(t->small, &result, sizeof(result));
    t->small_len = sizeof(result);
}

static int
band_result_read(const struct png_layout *l, const struct kernel_job *job, unsigned band,
                 struct band_result *out)
{
    if (job->small[band].len != sizeof(*out))
        return -1;
    memcpy(out, job->small[band].data, sizeof(*out));
    return out->length <= l->slot ? 0 : -1;
}

int
png_bands_check(const struct png_layout *l, const struct kernel_job *job)
{
    struct band_result result;

    if (job->tasks != l->bands || job->area_size != l->area_size)
        return -1;
    for (unsigned band = 0; band < l->bands; band++) {
        if (band_result_read(l, job, band, &result) != 0)
            return -1;
    }
    return 0;
}

/* Octets of our own between the compressed bands: written into answer->text, one piece for each
 * run. */
struct text {
    struct kernel_answer *answer;
    unsigned char *at;
    unsigned char *begin; /* of the present run */
};

static void
text_add(struct text *x, const void *data, size_t len)
{
    memcpy(x->at, data, len);
    x->at += len;
}

static void
put_u32(unsigned char *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void
text_add_u32(struct text *x, uint32_t v)
{
    put_u32(x->at, v);
    x->at += 4;
}

static void
text_add_chunk(struct text *x, const char *type, const void *data, uint32_t len)
{
    const unsigned char *begin;

    text_add_u32(x, len);
    begin = x->at;
    text_add(x, type, 4);
    text_add(x, data, len);
    text_add_u32(x, (uint32_t)crc32(0, begin, 4 + len));
}

static void
text_end_run(struct text *x)
{
    x->answer->pieces[x->answer->count++] =
        (struct kernel_piece){x->begin, (size_t)(x->at - x->begin)};
    x->begin = x->at;
}

static void
text_add_head(struct text *x, const struct png_layout *l)
{
    static const unsigned char colour_type[] = {[1] = 0, [3] = 2, [4] = 6};
    unsigned char ihdr[13] = {[8] = 8, [9] = colour_type[l->channels]};

    put_u32(ihdr, l->width);
    put_u32(ihdr + 4, l->height);
    text_add(x, "\x89PNG\r\n\x1a\n", 8);
    text_add_chunk(x, "IHDR", ihdr, sizeof(ihdr));
}

int
png_bands_answer(const struct png_layout *l, const struct kernel_job *job,
                 struct kernel_answer *answer)
{
    enum { HEAD_AND_TAIL = 33 + 16 + 12, PER_BAND = 12 };
    struct text x = {answer, (unsigned char *)answer->text, (unsigned char *)answer->text};
    uint32_t adler = (uint32_t)adler32(0, NULL, 0);
    unsigned char whole[4];

    if (answer->text_size < HEAD_AND_TAIL + (size_t)PER_BAND * l->bands ||
        2 * l->bands + 1 > KERNEL_PIECES_MAX || png_bands_check(l, job) != 0)
        return -1;
    answer->count = 0;
    text_add_head(&x, l);
    for (unsigned band = 0; band < l->bands; band++) {
        struct band_result r;

        if (band_result_read(l, job, band, &r) != 0)
            return -1;
        text_add_u32(&x, r.length);
        text_add(&x, "IDAT", 4);
        text_end_run(&x);
        answer->pieces[answer->count++] =
            (struct kernel_piece){job->area + slot_offset(l, band), r.length};
        text_add_u32(&x, r.crc);
        adler =
            (uint32_t)adler32_combine(adler, r.adler, (z_off_t)((l->row + 1) * band_rows(l, band)));
    }
    put_u32(whole, adler);
    text_add_chunk(&x, "IDAT", whole, sizeof(whole));
    text_add_chunk(&x, "IEND", "", 0);
    text_end_run(&x);
    return 0;
}
