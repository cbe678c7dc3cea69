/*
 * With what a server proves over TLS who it is: its certificate chain and the private key of it, as
 * octets. The supervisor reads the files and understands nothing of them; the front end makes keys
 * of them, and names the file when it can't.
 */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stddef.h>

struct identity_part {
    const char *path; /* for people */
    char *pem;        /* not ended by NUL */
    size_t len;
};

struct identity {
    struct identity_part certificate; /* its own first, then those that lead to a root */
    struct identity_part key;
};

#endif
