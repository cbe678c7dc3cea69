/*
 * The sieve of Eratosthenes for a range of numbers, in segments that fit into the fastest cache, on
 * a wheel of 30. Runs in a worker or on the loop; touches static memory of its process only. Of 30
 * numbers in a row only eight can be prime, those that 2, 3 and 5 do not divide, so an octet holds
 * 30 numbers, a bit for each:
 *
 *      bit     0  1  2  3  4  5  6  7
 *      30 i + {1, 7, 11,13,17,19,23,29}            set: nothing has divided it yet
 *
 * For each prime p, its multiples are crossed out: those by 1, 7, 11, ... 29, then by 31, 37, ...
 * A turn is eight of them, p * (30 k + each remainder). It covers p octets, and the next turn is
 * the same p octets on, with the same bits. Two turns look alike whenever p has the same remainder
 * r by 30, so for each r the compiler makes one loop whose eight bits are constants:
 *
 *      p * (30 k + w) = 30 * (p k + p/30 * w + r w/30) + (r w mod 30)        w = 1, 7, ... 29
 *                             '------------------- octet ---'   '--- bit ---'
 *
 * A turn may lie across an end of the segment. It is done whole: margins on both sides take what
 * lies outside, and the next segment begins with the same turn. No test is needed in the loop.
 *
 * Primes from 7 to 29 are so dense that their crossings are a pattern, copied into each segment.
 */
#include "kernels/sieve.h"

#include "kernels/clones.h"

#include <assert.h>
#include <string.h>

enum {
    WHEEL = SIEVE_WHEEL,
    BITS = SIEVE_BITS,
    BASE_MAX = 141422,         /* sqrt(SIEVE_N_MAX), rounded up: larger primes cross out nothing */
    CLASS_PRIMES = 1700,       /* primes up to BASE_MAX with one remainder by 30: 1,630 at most */
    SEGMENT_LEAST = 32 * 1024, /* fits into any first-level cache */
    SEGMENT_MOST = 64 * 1024,  /* with large primes it pays to be longer: fewer turns begin */
    MARGIN = 141504,           /* a turn covers p octets; whole cache lines */
    PATTERN_7 = 7 * 11 * 13 * 17, /* octets after which the pattern of these primes repeats */
    PATTERN_19 = 19 * 23 * 29,
};

static const unsigned char remainders[BITS] = {1, 7, 11, 13, 17, 19, 23, 29};
static const unsigned char bit_of[WHEEL] = {
    [1] = 1, [7] = 2, [11] = 4, [13] = 8, [17] = 16, [19] = 32, [23] = 64, [29] = 128,
};

/* Primes above 30 with the same remainder by 30. */
struct prime_class {
    unsigned count;
    uint32_t p[CLASS_PRIMES];
};

/* Made once in each process; the same for all tasks. */
struct base {
    bool made;
    struct prime_class classes[BITS];
    unsigned char pattern_7[PATTERN_7];
    unsigned char pattern_19[PATTERN_19];
};

/* The segment that is being sieved. One in each process, which computes one task at a time. */
struct sieve {
    uint64_t begin;        /* first octet of the segment: number / 30 */
    uint32_t len;          /* octets */
    unsigned char *bits;   /* the segment, in `room` */
    unsigned active[BITS]; /* primes of each class whose square is reached */
    /* where the next turn of each begins, in octets from `begin`: between -p and 0, or ahead */
    int32_t next[BITS][CLASS_PRIMES];
    _Alignas(64) unsigned char room[MARGIN + SEGMENT_MOST + MARGIN]; /* the segment in the middle */
};

static struct base base;
static struct sieve sieve;

static void
pattern_make(unsigned char *pattern, unsigned octets, const unsigned *primes, unsigned count)
{
    memset(pattern, 0xff, octets);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned m = primes[i]; m < octets * WHEEL; m += primes[i])
            pattern[m / WHEEL] &= (unsigned char)~bit_of[m % WHEEL];
    }
}

/* About a millisecond, once. The plainest of sieves is good enough for the small primes. */
static void
base_make(struct base *b)
{
    static const unsigned dense[] = {7, 11, 13, 17, 19, 23, 29};
    static bool composite[BASE_MAX + 1];

    for (unsigned p = 2; p <= BASE_MAX; p++) {
        if (composite[p])
            continue;
        for (uint64_t m = (uint64_t)p * p; m <= BASE_MAX; m += p)
            composite[m] = true;
        for (unsigned c = 0; c < BITS && p > WHEEL; c++) {
            struct prime_class *class = &b->classes[c];

            if (p % WHEEL != remainders[c])
                continue;
            assert(class->count < CLASS_PRIMES);
            class->p[class->count++] = p;
        }
    }
    pattern_make(b->pattern_7, PATTERN_7, dense, 4);
    pattern_make(b->pattern_19, PATTERN_19, dense + 4, 3);
    b->made = true;
}

/* to[i] = pattern, or to[i] &= pattern, from octet `begin` of the number line on. */
static void
pattern_lay(unsigned char *to, uint32_t len, const unsigned char *pattern, uint32_t octets,
            uint64_t begin, bool first)
{
    uint32_t phase = (uint32_t)(begin % octets);

    for (uint32_t at = 0, n; at < len; at += n, phase = 0) {
        n = octets - phase < len - at ? octets - phase : len - at;
        if (first) {
            memcpy(to + at, pattern + phase, n);
            continue;
        }
        for (uint32_t i = 0; i < n; i++)
            to[at + i] &= pattern[phase + i];
    }
}

/* Primes whose square has been reached join. A prime's first turn is the one with its square, so
 * that it never crosses out itself. */
static void
sieve_join(struct sieve *s, const struct base *b, unsigned c)
{
    const struct prime_class *class = &b->classes[c];
    uint64_t end = (s->begin + s->len) * WHEEL;

    while (s->active[c] < class->count) {
        uint32_t p = class->p[s->active[c]];
        uint32_t turn = p / WHEEL;

        if ((uint64_t)p * p >= end)
            break;
        if (turn < (uint32_t)s->begin / p)
            turn = (uint32_t)s->begin / p;
        s->next[c][s->active[c]++] = (int32_t)((int64_t)turn * p - (int64_t)s->begin);
    }
}

/* Crosses out in the segment what the active primes with remainder r divide. */
static CLONES_INLINE void
cross_out(const struct prime_class *class, int32_t *next, unsigned active, unsigned char *bits,
          int32_t len, const unsigned r)
{
    for (unsigned j = 0; j < active; j++) {
        const uint32_t p = class->p[j];
        const uint32_t q = p / WHEEL;
        unsigned char *turn = bits + next[j];

        while (turn < bits + len) {
#pragma GCC unroll 8
            for (unsigned i = 0; i < BITS; i++) {
                const unsigned w = remainders[i];

                turn[q * w + r * w / WHEEL] &= (unsigned char)~bit_of[r * w % WHEEL];
            }
            turn += p;
        }
        /* the last turn done may go on in the next segment */
        if (next[j] < len)
            turn -= p;
        next[j] = (int32_t)(turn - bits) - len;
    }
}

/* One copy of the loop for each remainder: its bits become constants in the instructions. */
static void
sieve_cross_out(struct sieve *s, const struct base *b, unsigned c)
{
    const struct prime_class *class = &b->classes[c];
    int32_t *next = s->next[c];
    unsigned n = s->active[c];
    int32_t len = (int32_t)s->len;

    switch (remainders[c]) {
    case 1:
        cross_out(class, next, n, s->bits, len, 1);
        break;
    case 7:
        cross_out(class, next, n, s->bits, len, 7);
        break;
    case 11:
        cross_out(class, next, n, s->bits, len, 11);
        break;
    case 13:
        cross_out(class, next, n, s->bits, len, 13);
        break;
    case 17:
        cross_out(class, next, n, s->bits, len, 17);
        break;
    case 19:
        cross_out(class, next, n, s->bits, len, 19);
        break;
    case 23:
        cross_out(class, next, n, s->bits, len, 23);
        break;
    case 29:
        cross_out(class, next, n, s->bits, len, 29);
        break;
    }
}

CLONES_POPCOUNT static uint64_t
bits_count(const unsigned char *bits, uint32_t len)
{
    uint64_t count = 0;
    uint32_t i = 0;

    for (; i + 8 <= len; i += 8) {
        uint64_t eight;

        memcpy(&eight, bits + i, sizeof(eight));
        count += (uint64_t)__builtin_popcountll(eight);
    }
    for (; i < len; i++)
        count += (uint64_t)__builtin_popcount(bits[i]);
    return count;
}

/* The segment is sieved: adds what is left in it up to n. */
static void
sieve_count(struct sieve *s, uint64_t n, struct sieve_found *found)
{
    uint32_t last = s->len - 1;

    if ((s->begin + last) * WHEEL + remainders[BITS - 1] > n) {
        for (unsigned i = 0; i < BITS; i++) {
            if ((s->begin + last) * WHEEL + remainders[i] > n)
                s->bits[last] &= (unsigned char)~bit_of[remainders[i]];
        }
    }
    found->primes += bits_count(s->bits, s->len);
    while (last > 0 && s->bits[last] == 0)
        last--;
    for (unsigned i = 0; i < BITS; i++) {
        if ((s->bits[last] & bit_of[remainders[i]]) != 0)
            found->largest = (s->begin + last) * WHEEL + remainders[i];
    }
}

/* A segment is at least as long as the largest prime, if it fits: else most of what a prime does
 * in a segment is to begin. */
static uint32_t
segment_length(uint64_t n)
{
    uint32_t len = SEGMENT_LEAST;

    while (len < SEGMENT_MOST && (uint64_t)len * len < n)
        len += 4096;
    return len;
}

bool
sieve_range(uint64_t begin, uint64_t end, uint64_t n, struct task *t, struct sieve_found *found)
{
    uint32_t most = segment_length(n);
    struct sieve *s = &sieve;

    if (!base.made)
        base_make(&base);
    *found = (struct sieve_found){0};
    s->bits = s->room + MARGIN;
    memset(s->active, 0, sizeof(s->active));
    for (s->begin = begin; s->begin < end; s->begin += s->len) {
        s->len = end - s->begin < most ? (uint32_t)(end - s->begin) : most;
        pattern_lay(s->bits, s->len, base.pattern_7, PATTERN_7, s->begin, true);
        pattern_lay(s->bits, s->len, base.pattern_19, PATTERN_19, s->begin, false);
        if (s->begin == 0)
            s->bits[0] = 0xfe; /* 7 to 29 are prime, though the patterns say no; 1 is not */
        for (unsigned c = 0; c < BITS; c++) {
            sieve_join(s, &base, c);
            sieve_cross_out(s, &base, c);
            if (task_tick(t)) /* every 5 to 15 us */
                return true;
        }
        sieve_count(s, n, found);
    }
    return false;
}
