/*
 * input: see fuzz.h.
 */
#include "fuzz.h"

#include <string.h>

void
fuzz_input_read(struct fuzz_input *in, const uint8_t *data, size_t len)
{
    *in = (struct fuzz_input){.octets = malloc(len + 1)};
    FUZZ_CHECK(in->octets != NULL);
    for (size_t i = 0; i < len; i++) {
        if (data[i] != FUZZ_CUT)
            in->octets[in->len++] = (char)data[i];
        else if (in->ncuts < FUZZ_CUTS_MAX - 1)
            in->cuts[in->ncuts++] = in->len;
    }
    in->cuts[in->ncuts++] = in->len;
}

void
fuzz_input_free(struct fuzz_input *in)
{
    free(in->octets);
}

char *
fuzz_exact(const void *octets, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    FUZZ_CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, octets, len);
    return copy;
}
