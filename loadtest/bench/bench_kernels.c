/*
 * What the kernels cost, in CPU time of one process, beside the best that we know of:
 *
 *   primes      against primesieve -t1, which is run here (SKIP where it is not installed)
 *   mandelbrot  against a plain vectorised loop (plain_mandelbrot.c), the best of three shapes
 *
 * and what belongs to being a kernel: what cutting costs, and how far apart the ticks are. The two
 * sides of a comparison take turns, so that a noisy machine is noisy for both; figures are
 * medians. Lines as in loadtest/goals: what | reach | measured | verdict.
 *
 *   bench_kernels [ROUNDS]        default 5, about 20 s; exit code 1: a goal was missed
 */
#include "common/clock.h"
#include "kernel_drive.h"
#include "kernels/mandelbrot.h"
#include "kernels/primes.h"
#include "kernels/spin.h"
#include "plain_mandelbrot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MOST = 101, WIDTH = 1600, HEIGHT = 1200, ITER = 3000 };

static unsigned rounds = 5;
static bool missed;

static void
line(const char *what, const char *reach, const char *measured, const char *verdict)
{
    printf("%-62s | %-22s | %-34s | %s\n", what, reach, measured, verdict);
    fflush(stdout);
}

static void
line_ratio(const char *what, double most, double ours, double other)
{
    char reach[32], measured[64];
    double ratio = ours / other;

    snprintf(reach, sizeof(reach), "at most %.2f x", most);
    snprintf(measured, sizeof(measured), "%.1f ms / %.1f ms = %.2f x", ours / 1e6, other / 1e6,
             ratio);
    line(what, reach, measured, ratio <= most ? "ok" : "MISSED");
    missed |= ratio > most;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *values)
{
    qsort(values, rounds, sizeof(*values), compare_doubles);
    return values[rounds / 2];
}

/* Runs a kernel whole; its CPU time in ns, of the stages from `first` to `last`. */
static double
kernel_cpu(const struct kernel *kernel, const int64_t *params, unsigned sections, unsigned last)
{
    struct drive d;
    uint64_t sum = 0;

    if (drive_all(&d, kernel, params, sections) != 0) {
        fprintf(stderr, "bench_kernels: %s failed\n", kernel->name);
        exit(EXIT_FAILURE);
    }
    for (unsigned stage = 0; stage <= last; stage++)
        sum += d.cpu_ns[stage];
    drive_close(&d);
    return (double)sum;
}

/* CPU time in ns of `primesieve -t1 1e9`; -1: not installed. */
static double
primesieve_cpu(void)
{
    struct rusage usage;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
            execlp("primesieve", "primesieve", "-t1", "-q", "1e9", (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        return -1;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

static void
bench_primes(void)
{
    static const char what[] = "primes up to 10^9 in one section, against primesieve -t1";
    static const int64_t n = 1000000000;
    double ours[ROUNDS_MOST] = {0}, theirs[ROUNDS_MOST] = {0}, cut[ROUNDS_MOST] = {0};

    for (unsigned i = 0; i < rounds; i++) {
        ours[i] = kernel_cpu(&kernel_primes, &n, 1, 0);
        cut[i] = kernel_cpu(&kernel_primes, &n, 20, 0);
        theirs[i] = primesieve_cpu();
    }
    if (median(theirs) > 0)
        line_ratio(what, 3.0, median(ours), theirs[rounds / 2]);
    else
        line(what, "at most 3.00 x", "primesieve is not installed", "SKIP");
    line_ratio("primes up to 10^9 in 20 sections, against one", 1.15, median(cut), median(ours));
}

enum { BLOCKS = 3 };

/* CPU times in ns, by round. */
struct mandelbrot_times {
    double whole[ROUNDS_MOST], pixels[ROUNDS_MOST], cut[ROUNDS_MOST];
    double plain_whole[BLOCKS][ROUNDS_MOST], plain_steps[BLOCKS][ROUNDS_MOST];
};

static void
plain_cpu(unsigned block, double *steps_ns, double *whole_ns)
{
    const size_t room = (size_t)8 * WIDTH * HEIGHT;
    int64_t *steps = malloc(sizeof(*steps) * WIDTH * HEIGHT);
    unsigned char *out = malloc(room);
    uint64_t begin = clock_thread_cpu_ns();

    if (steps == NULL || out == NULL)
        abort();
    plain_mandelbrot(block, WIDTH, HEIGHT, ITER, steps);
    *steps_ns = (double)(clock_thread_cpu_ns() - begin);
    plain_picture(steps, WIDTH, HEIGHT, ITER, out, room);
    *whole_ns = (double)(clock_thread_cpu_ns() - begin);
    free(steps);
    free(out);
}

static double
best_block(double (*times)[ROUNDS_MOST])
{
    double best = median(times[0]);

    for (unsigned b = 1; b < BLOCKS; b++)
        best = median(times[b]) < best ? median(times[b]) : best;
    return best;
}

static void
bench_mandelbrot(void)
{
    static const int64_t params[] = {WIDTH, HEIGHT, ITER, 0};
    static const unsigned blocks[BLOCKS] = {8, 16, 32};
    static struct mandelbrot_times t;
    char measured[64];

    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned b = 0; b < BLOCKS; b++)
            plain_cpu(blocks[b], &t.plain_steps[b][i], &t.plain_whole[b][i]);
        t.pixels[i] = kernel_cpu(&kernel_mandelbrot, params, 1, 0);
        t.whole[i] = kernel_cpu(&kernel_mandelbrot, params, 1, 1);
        t.cut[i] = kernel_cpu(&kernel_mandelbrot, params, 100, 1);
    }
    line_ratio("mandelbrot 1600x1200x3000 as PNG, against a plain loop and zlib", 1.1,
               median(t.whole), best_block(t.plain_whole));
    snprintf(measured, sizeof(measured), "%.1f ms and %.1f ms", median(t.pixels) / 1e6,
             best_block(t.plain_steps) / 1e6);
    line("  pixels in colour, and that loop's steps without any picture", "-", measured, "-");
    line_ratio("  in 100 sections, against one", 1.1, median(t.cut), median(t.whole));
}

/* CPU time between two ticks. */
struct gaps {
    uint64_t last;
    unsigned count;
    unsigned long_ones; /* over 65 us */
};

static bool
note_gap(void *arg)
{
    struct gaps *g = arg;
    uint64_t now = clock_thread_cpu_ns();

    g->long_ones += now - g->last > 65 * NS_PER_US;
    g->count++;
    g->last = now;
    return false;
}

static void
bench_ticks(const struct kernel *kernel, const int64_t *params, const char *what)
{
    struct gaps gaps = {0};
    struct drive d;
    char measured[64];
    double mean;

    if (drive_open(&d, kernel, params, 1) != 0)
        abort();
    d.tick = note_gap;
    d.tick_arg = &gaps;
    do {
        gaps.last = clock_thread_cpu_ns();
        drive_stage(&d);
    } while (drive_next(&d) > 0);
    mean = (double)(d.cpu_ns[0] + d.cpu_ns[1]) / gaps.count;
    snprintf(measured, sizeof(measured), "%.1f us, %.2f %% over 65 us", mean / 1e3,
             100.0 * gaps.long_ones / gaps.count);
    line(what, "at most 65 us, mean", measured, mean <= 65e3 ? "ok" : "MISSED");
    missed |= mean > 65e3;
    drive_close(&d);
}

static void
bench_spin(void)
{
    static const int64_t cpu_ms = 300;
    double burnt[ROUNDS_MOST] = {0};

    for (unsigned i = 0; i < rounds; i++)
        burnt[i] = kernel_cpu(&kernel_spin, &cpu_ms, 75, 0);
    line_ratio("300 ms of CPU time in 75 sections, against 300 ms", 1.02, median(burnt), 300e6);
}

int
main(int argc, char **argv)
{
    static const int64_t n_low = 1000000000, n_high = 20000000000, cpu_ms = 100;
    static const int64_t shallow[] = {WIDTH, HEIGHT, 16, 0}, deep[] = {800, 600, 10000, 0};

    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2 || rounds < 1 || rounds > ROUNDS_MOST) {
        fprintf(stderr, "usage: bench_kernels [ROUNDS]   1 to %d\n", ROUNDS_MOST);
        return 2;
    }
    bench_primes();
    bench_mandelbrot();
    bench_spin();
    bench_ticks(&kernel_primes, &n_low, "ticks: primes up to 10^9");
    bench_ticks(&kernel_primes, &n_high, "ticks: primes up to 2 x 10^10");
    bench_ticks(&kernel_mandelbrot, shallow, "ticks: mandelbrot 1600x1200x16");
    bench_ticks(&kernel_mandelbrot, deep, "ticks: mandelbrot 800x600x10000");
    bench_ticks(&kernel_spin, &cpu_ms, "ticks: 100 ms of CPU time");
    return missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
