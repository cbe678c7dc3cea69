/*
 * All kernels. Front end and workers link the same table: a kernel's place in it is its number in
 * messages. A new kernel is one file, its header and one line here; its endpoint, /help and
 * /openapi.json follow from its row.
 */
#include "kernels/crash.h"
#include "kernels/kernel.h"
#include "kernels/mandelbrot.h"
#include "kernels/primes.h"
#include "kernels/spin.h"

const struct kernel *const kernel_table[] = {
    &kernel_primes, &kernel_mandelbrot, &kernel_spin,
#ifdef TEST_KERNELS
    &kernel_crash,
#endif
    NULL,
};
