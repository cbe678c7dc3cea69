/*
 * One function, compiled several times: the compiler makes a copy for each set of vector
 * instructions, and the loader picks the best one that the CPU has. Nothing that ships needs
 * -march=native, and the copies give the same octets: kernels are compiled with
 * -ffp-contract=off, or the copy for AVX-512 would fuse multiply and add and round differently.
 *
 * -DNO_TARGET_CLONES turns it off: the loader picks before a sanitizer is ready.
 */
#ifndef KERNELS_CLONES_H
#define KERNELS_CLONES_H

#if defined(__x86_64__) && !defined(NO_TARGET_CLONES)
#define CLONES_VECTOR   __attribute__((target_clones("avx512f", "avx2", "default")))
#define CLONES_POPCOUNT __attribute__((target_clones("popcnt", "default")))
#else
#define CLONES_VECTOR
#define CLONES_POPCOUNT
#endif

/* Part of the function that is cloned. A call would leave the copy for older instructions, and the
 * change from one kind to the other is slow. */
#define CLONES_INLINE inline __attribute__((always_inline))

#endif
