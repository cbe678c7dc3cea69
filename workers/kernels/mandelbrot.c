/*
 * /image/mandelbrot: the Mandelbrot set, a picture whose rows cost very different amounts of
 * computing: a point outside escapes after a few steps, a point inside takes all `iter` of them.
 * That is why the work is cut into more sections than there are workers.
 *
 *   stage 0   a section = some whole rows: pixels into the area
 *   stage 1   a task = a band of the PNG: filtered and compressed (png_bands.c)
 *
 * A CPU has vector registers of 2, 4 or 8 numbers, so LANES points are computed together, the
 * same step for all of them. Points need different numbers of steps; so that no lane idles:
 *
 *   a round is ROUND steps of all lanes, without a look at the results in between
 *   a lane that has left the circle goes back to where the round began and does it again one
 *   step at a time, to learn the exact step; then it takes the next point of the section
 *
 * Points inside are computed in full, though a formula knows most of them: uneven work is what
 * this picture is for.
 *
 * The octets of the picture do not depend on sections, workers or CPU: only + - * / of IEEE 754
 * are used, one by one (see clones.h), and no function of libm. `overlay` is the exception: it
 * tints each section by the worker that computed it.
 */
#include "kernels/mandelbrot.h"
#include "kernels/clones.h"
#include "kernels/kernel.h"
#include "kernels/png_bands.h"

#include <string.h>

enum {
    LANES = 32,
    ROUND = 16,
    TICK_ROUNDS = 16, /* 1 to 30 us, as points are deep or shallow */
    PIXEL_STEPS = 60, /* what a pixel costs besides its steps, counted in steps */
    CHANNELS = 3,
    IDLE = INT32_MIN / 2, /* `steps` of a lane that has no point: far from any limit */
};

/* |z|^2 beyond which a point has escaped. 4 would do for the set; the colours are smooth only if
 * the circle is much larger. */
static const double ESCAPED = 65536.0;

/* What is shown: 3.2 x 2.4 around this centre, or more of it to fill the shape of the picture. */
static const double CENTRE_X = -0.6;
static const double VIEW_WIDTH = 3.2;
static const double VIEW_HEIGHT = 2.4;
static const double SET_AREA = 1.5066; /* of the Mandelbrot set: for the cost of a picture */

enum { PARAM_W, PARAM_H, PARAM_ITER, PARAM_OVERLAY };

static const struct param mandelbrot_params[] = {
    {.name = "w", .min = 16, .max = 4096, .def = 800, .unit = "pixels", .help = "width"},
    {.name = "h", .min = 16, .max = 4096, .def = 600, .unit = "pixels", .help = "height"},
    {.name = "iter",
     .min = 16,
     .max = 10000,
     .def = 500,
     .unit = "steps",
     .help = "steps after which a point counts as inside: more detail, more work"},
    {.name = "overlay",
     .min = 0,
     .max = 1,
     .def = 0,
     .help = "1 tints each section by the worker that computed it"},
    {.name = NULL},
};

struct rgb {
    unsigned char r, g, b;
};

/* Points near the set take more steps: with each doubling comes the next colour, and after the
 * last the first. */
static const struct rgb palette[] = {
    {20, 2, 32},     {2, 4, 22},     {6, 14, 58},   {20, 66, 148}, {112, 184, 226},
    {250, 246, 222}, {252, 178, 28}, {150, 50, 18}, {60, 10, 44},
};
enum { PALETTE_COLOURS = sizeof(palette) / sizeof(palette[0]) };

/* Workers' colours (Okabe and Ito's, which colour-blind people tell apart), the loop's first. */
static const struct rgb tints[] = {
    {0, 0, 0},      {230, 159, 0}, {86, 180, 233}, {0, 158, 115},
    {240, 228, 66}, {0, 114, 178}, {213, 94, 0},   {204, 121, 167},
};
enum { TINTS = sizeof(tints) / sizeof(tints[0]) };

/* The points of one section, as the lanes take them. */
struct section {
    unsigned width, height;
    double scale;  /* distance between two pixels in the plane */
    unsigned x, y; /* the next point that no lane has taken */
    unsigned end_y;
    unsigned char *pixels; /* of the whole picture */
    const struct rgb *tint;
};

struct lanes {
    double x[LANES], y[LANES];   /* z when the round began */
    double cx[LANES], cy[LANES]; /* c, the point itself */
    double nx[LANES], ny[LANES]; /* z when it ended */
    double mag[LANES];           /* |z|^2 then */
    int32_t steps[LANES];        /* done when it ended */
    size_t pixel[LANES];         /* offset in `pixels` */
    int busy;                    /* lanes that have a point */
    int32_t limit;
};

static double
view_scale(const int64_t *params)
{
    double across = VIEW_WIDTH / (double)params[PARAM_W];
    double down = VIEW_HEIGHT / (double)params[PARAM_H];

    return across > down ? across : down;
}

/* Steps of all points: those inside take `iter`, the others few. */
static double
mandelbrot_units(const int64_t *params)
{
    double scale = view_scale(params);
    double pixels = (double)params[PARAM_W] * (double)params[PARAM_H];

    return pixels * PIXEL_STEPS + SET_AREA / (scale * scale) * (double)params[PARAM_ITER];
}

static struct png_layout
mandelbrot_layout(const int64_t *params)
{
    return png_layout((unsigned)params[PARAM_W], (unsigned)params[PARAM_H], CHANNELS);
}

static int
mandelbrot_plan(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
                size_t why_size)
{
    struct png_layout png = mandelbrot_layout(params);

    (void)why;
    (void)why_size;
    out->tasks = sections < png.height ? sections : png.height;
    out->area_size = png.area_size;
    return 0;
}

/* log2(1 + t) for t from 0 to 1, to 1 in 100: a parabola that is exact at both ends. */
static CLONES_INLINE double
log2_between(double t)
{
    return t * (1.34375 - 0.34375 * t);
}

/* log2 of a positive number: its exponent, and in between the parabola. Continuous, which is what
 * the eye sees. */
static CLONES_INLINE double
log2_about(double v)
{
    uint64_t bits;
    double exponent, mantissa;

    memcpy(&bits, &v, sizeof(bits));
    exponent = (double)((int64_t)(bits >> 52) - 1023);
    bits = (bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL;
    memcpy(&mantissa, &bits, sizeof(mantissa));
    return exponent + log2_between(mantissa - 1.0);
}

static CLONES_INLINE unsigned char
blend(unsigned from, unsigned to, unsigned share)
{
    return (unsigned char)((from * (256 - share) + to * share) / 256);
}

/* The colour of a point that was at distance^2 `mag`, beyond the circle, after `steps` steps. One
 * more step doubles log2(mag); so log2 of that is the fraction of a step, 0 to 1, by which it is
 * beyond, and bands of equal steps flow into one another. */
static CLONES_INLINE struct rgb
colour_escaped(int32_t steps, double mag)
{
    double fraction = log2_between(log2_about(mag) / 16.0 - 1.0); /* 16 = log2(ESCAPED) */
    double doublings = log2_about((double)steps + 1.0 - fraction);
    unsigned place = (unsigned)(doublings * 256.0);
    struct rgb from = palette[place / 256 % PALETTE_COLOURS];
    struct rgb to = palette[(place / 256 + 1) % PALETTE_COLOURS];
    unsigned share = place % 256;

    return (struct rgb){blend(from.r, to.r, share), blend(from.g, to.g, share),
                        blend(from.b, to.b, share)};
}

static CLONES_INLINE void
section_put(const struct section *s, size_t pixel, struct rgb colour)
{
    unsigned char *at = s->pixels + pixel;

    if (s->tint != NULL) {
        colour.r = blend(colour.r, s->tint->r, 96);
        colour.g = blend(colour.g, s->tint->g, 96);
        colour.b = blend(colour.b, s->tint->b, 96);
    }
    at[0] = colour.r;
    at[1] = colour.g;
    at[2] = colour.b;
}

/* Gives lane k the next point of the section, or none. */
static CLONES_INLINE void
lane_take(struct lanes *l, int k, struct section *s)
{
    l->x[k] = l->y[k] = 0.0;
    l->cx[k] = l->cy[k] = 0.0; /* z stays 0: never escapes */
    l->steps[k] = IDLE;
    if (s->y == s->end_y)
        return;
    l->cx[k] = CENTRE_X + ((double)s->x + 0.5 - (double)s->width / 2.0) * s->scale;
    l->cy[k] = ((double)s->height / 2.0 - (double)s->y - 0.5) * s->scale;
    l->steps[k] = 0;
    l->pixel[k] = ((size_t)s->y * s->width + s->x) * CHANNELS;
    l->busy++;
    if (++s->x == s->width) {
        s->x = 0;
        s->y++;
    }
}

/* One round of all lanes. True: some lane has escaped or reached the limit. */
static CLONES_INLINE bool
lanes_round(struct lanes *l)
{
    double x[LANES], y[LANES];
    int settle = 0;

    memcpy(x, l->x, sizeof(x));
    memcpy(y, l->y, sizeof(y));
    for (int step = 0; step < ROUND; step++) {
        for (int k = 0; k < LANES; k++) {
            double xx = x[k] * x[k];
            double yy = y[k] * y[k];
            double xy = x[k] * y[k];

            x[k] = xx - yy + l->cx[k];
            y[k] = xy + xy + l->cy[k];
        }
    }
    for (int k = 0; k < LANES; k++)
        l->mag[k] = x[k] * x[k] + y[k] * y[k];
    for (int k = 0; k < LANES; k++)
        l->steps[k] += ROUND;
    memcpy(l->nx, x, sizeof(x));
    memcpy(l->ny, y, sizeof(y));
    /* What escaped long ago is infinite or not a number by now: !(a <= b) is true for both. */
    for (int k = 0; k < LANES; k++)
        settle |= !(l->mag[k] <= ESCAPED) | (l->steps[k] >= l->limit);
    return settle != 0;
}

/* Lane k has escaped, or reached the limit, in this round: does the round again, step by step, to
 * find where; colours the pixel. */
static CLONES_INLINE void
lane_settle(const struct lanes *l, int k, const struct section *s)
{
    double x = l->x[k], y = l->y[k];
    double cx = l->cx[k], cy = l->cy[k];
    int32_t steps = l->steps[k] - ROUND;
    double xx = x * x, yy = y * y;

    for (; xx + yy <= ESCAPED && steps < l->limit; steps++) {
        double xy = x * y;

        x = xx - yy + cx;
        y = xy + xy + cy;
        xx = x * x;
        yy = y * y;
    }
    section_put(s, l->pixel[k],
                steps < l->limit ? colour_escaped(steps, xx + yy) : (struct rgb){0, 0, 0});
}

static CLONES_INLINE void
lanes_settle(struct lanes *l, struct section *s)
{
    for (int k = 0; k < LANES; k++) {
        if (l->mag[k] <= ESCAPED && l->steps[k] < l->limit) {
            l->x[k] = l->nx[k];
            l->y[k] = l->ny[k];
        } else {
            lane_settle(l, k, s);
            l->busy--;
            lane_take(l, k, s);
        }
    }
}

CLONES_VECTOR static void
section_compute(struct section *s, int32_t limit, struct task *t)
{
    struct lanes l = {.limit = limit};
    unsigned rounds = 0;

    for (int k = 0; k < LANES; k++)
        lane_take(&l, k, s);
    while (l.busy > 0) {
        if (++rounds % TICK_ROUNDS == 0 && task_tick(t))
            return;
        if (lanes_round(&l)) {
            lanes_settle(&l, s);
        } else {
            memcpy(l.x, l.nx, sizeof(l.x));
            memcpy(l.y, l.ny, sizeof(l.y));
        }
    }
}

static int
mandelbrot_run(struct task *t)
{
    struct png_layout png = mandelbrot_layout(t->params);
    struct section s;

    t->small_len = 0;
    if (t->stage == 1) {
        png_band_encode(&png, t);
        return 0;
    }
    s = (struct section){
        .width = png.width,
        .height = png.height,
        .scale = view_scale(t->params),
        .y = (unsigned)((uint64_t)png.height * t->index / t->count),
        .end_y = (unsigned)((uint64_t)png.height * (t->index + 1) / t->count),
        .pixels = t->area,
        .tint = t->params[PARAM_OVERLAY] != 0 ? &tints[t->worker % TINTS] : NULL,
    };
    section_compute(&s, (int32_t)t->params[PARAM_ITER], t);
    return 0;
}

static int
mandelbrot_next(struct kernel_job *job)
{
    struct png_layout png = mandelbrot_layout(job->params);

    if (job->stage == 0)
        return (int)png.bands;
    return png_bands_check(&png, job);
}

static int
mandelbrot_answer(const struct kernel_job *job, struct kernel_answer *out)
{
    struct png_layout png = mandelbrot_layout(job->params);

    return png_bands_answer(&png, job, out);
}

const struct kernel kernel_mandelbrot = {
    .name = "mandelbrot",
    .path = "/image/mandelbrot",
    .help = "the Mandelbrot set as PNG: sections of very uneven cost, then compressed in bands",
    .example = "w=1200&h=900&iter=2000&overlay=1",
    .content_type = "image/png",
    .params = mandelbrot_params,
    .loop_ok = true,
    .sections = true,
    .units = mandelbrot_units,
    .unit_ns = 0.3,
    .plan = mandelbrot_plan,
    .run = mandelbrot_run,
    .next = mandelbrot_next,
    .answer = mandelbrot_answer,
};
