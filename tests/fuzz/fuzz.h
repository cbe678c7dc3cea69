/*
 * For the programs that are fed with made up input: each has one function that takes any octets and
 * ends the program when a promise is broken. libFuzzer calls it (VARIANT=fuzz), or replay.c does,
 * with the files it is given (VARIANT=coverage).
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A promise: unlike an assert it says so even where NDEBUG is set. */
#define FUZZ_CHECK(promise)                                                                        \
    do {                                                                                           \
        if (!(promise)) {                                                                          \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Input that says itself where it is to be cut: there stands FUZZ_CUT, an octet that occurs in no
 * text. So the fuzzer chooses the places, and files can still be read. */
enum { FUZZ_CUT = 0xfe, FUZZ_CUTS_MAX = 64 };

struct fuzz_input {
    char *octets; /* without the marks */
    size_t len;
    size_t cuts[FUZZ_CUTS_MAX]; /* ascending; the last one is len */
    unsigned ncuts;
};

void fuzz_input_read(struct fuzz_input *, const uint8_t *data, size_t len);
void fuzz_input_free(struct fuzz_input *);

/* A copy in a block of exactly this size, so that reading beyond is seen. */
char *fuzz_exact(const void *octets, size_t len);

#endif
