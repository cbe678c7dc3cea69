/*
 * /cpu/primes: how many primes are there up to n? Runs in a worker or on the loop.
 *
 *   stage 0   a section = a range of numbers, sieved by its task (sieve.c); the small result is
 *             how many primes it has found, and the largest
 *   next      adds up
 *
 * Memory does not grow with n or with the number of sections; the result is exact.
 */
#include "kernels/primes.h"

#include "kernels/sieve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PARAM_N };

static const struct param primes_params[] = {
    [PARAM_N] = {.name = "n",
                 .min = 1000,
                 .max = SIEVE_N_MAX,
                 .def = 300000000,
                 .help = "up to which number"},
    {.name = NULL},
};

/* Where section i of `count` begins, in octets. Later numbers cost up to a third more, since more
 * primes cross them out; so earlier sections are longer: 8/7 of the mean, the last 6/7. */
static uint64_t
section_begin(uint64_t n, uint64_t i, uint64_t count)
{
    uint64_t octets = n / SIEVE_WHEEL + 1;

    return octets * i * (8 * count - i) / (7 * count * count);
}

static int
primes_run(struct task *t)
{
    uint64_t n = (uint64_t)t->params[PARAM_N];
    uint64_t begin = section_begin(n, t->index, t->count);
    uint64_t end = section_begin(n, t->index + 1, t->count);
    struct sieve_found found;

    t->small_len = 0;
    if (sieve_range(begin, end, n, t, &found))
        return 0;
    memcpy(t->small, &found, sizeof(found));
    t->small_len = sizeof(found);
    return 0;
}

static double
primes_units(const int64_t *params)
{
    return (double)params[PARAM_N];
}

static int
primes_plan(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
            size_t why_size)
{
    uint64_t octets = (uint64_t)params[PARAM_N] / SIEVE_WHEEL + 1;

    (void)why;
    (void)why_size;
    out->tasks = sections < octets / 2 ? sections : (unsigned)(octets / 2);
    out->area_size = 0;
    return 0;
}

/* Adds up; refuses what no task can have found in its range. */
static int
primes_next(struct kernel_job *job)
{
    uint64_t n = (uint64_t)job->params[PARAM_N];
    struct sieve_found *sum = job->state;

    sum->primes = 3; /* 2, 3 and 5, which the wheel leaves out */
    for (unsigned i = 0; i < job->tasks; i++) {
        uint64_t begin = section_begin(n, i, job->tasks);
        uint64_t end = section_begin(n, i + 1, job->tasks);
        struct sieve_found found;

        if (job->small[i].len != sizeof(found))
            return -1;
        memcpy(&found, job->small[i].data, sizeof(found));
        if (found.primes > (end - begin) * SIEVE_BITS ||
            (found.primes == 0) != (found.largest == 0))
            return -1;
        if (found.primes > 0 && (found.largest < begin * SIEVE_WHEEL ||
                                 found.largest >= end * SIEVE_WHEEL || found.largest > n))
            return -1;
        sum->primes += found.primes;
        if (found.largest > 0)
            sum->largest = found.largest;
    }
    return 0;
}

static int
primes_answer(const struct kernel_job *job, struct kernel_answer *out)
{
    const struct sieve_found *sum = job->state;
    int len = snprintf(out->text, out->text_size,
                       "\"n\":%" PRId64 ",\"primes\":%" PRIu64 ",\"largest\":%" PRIu64,
                       job->params[PARAM_N], sum->primes, sum->largest);

    if (len < 0 || (size_t)len >= out->text_size)
        return -1;
    out->pieces[0] = (struct kernel_piece){out->text, (size_t)len};
    out->count = 1;
    return 0;
}

const struct kernel kernel_primes = {
    .name = "primes",
    .path = "/cpu/primes",
    .help = "counts the primes up to n, in sections: pure computing, as long as you like",
    .example = "n=10000000000&sections=2",
    .content_type = "application/json",
    .params = primes_params,
    .loop_ok = true,
    .sections = true,
    .state_size = sizeof(struct sieve_found),
    .units = primes_units,
    .unit_ns = 0.1,
    .plan = primes_plan,
    .run = primes_run,
    .next = primes_next,
    .answer = primes_answer,
};
