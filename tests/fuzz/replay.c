/*
 * replay: gives files to a fuzzing program that was built without a fuzzer: for compilers that have
 * none, and for measuring what a corpus covers.
 *
 *   fuzz_head FILE...
 */
#include "fuzz.h"

enum { FILE_MAX = 1 << 20 };

int
main(int argc, char **argv)
{
    static char octets[FILE_MAX];

    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "re");
        char *exact;
        size_t len;

        if (f == NULL) {
            perror(argv[i]);
            return 1;
        }
        len = fread(octets, 1, sizeof(octets), f);
        fclose(f);
        exact = fuzz_exact(octets, len);
        (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, len);
        free(exact);
    }
    return 0;
}
