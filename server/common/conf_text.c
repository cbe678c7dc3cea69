/*
 * Which texts are right: the rows of kind CONF_TEXT in the table of settings name these functions.
 * What a text looks like is checked here; whether it works on this machine shows when it is used.
 */
#include "common/conf_table.h"
#include "common/cpus.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HOST_OCTETS_MAX = 253 };

/* Do all words pass? Returns how many, -1: one does not. */
static int
count_words(const char *text, bool (*passes)(const char *word))
{
    char word[HOST_OCTETS_MAX + 1];
    int n = 0;

    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        const size_t len = strcspn(text, " ");

        if (len >= sizeof(word))
            return -1;
        memcpy(word, text, len);
        word[len] = '\0';
        if (!passes(word))
            return -1;
        text += len;
        n++;
    }
    return n;
}

/* As listen takes them: IPv4, IPv6 with or without brackets, or "localhost". */
static bool
is_address(const char *word)
{
    char bare[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    const size_t len = strlen(word);

    if (strcmp(word, "localhost") == 0 || inet_pton(AF_INET, word, address) == 1 ||
        inet_pton(AF_INET6, word, address) == 1)
        return true;
    if (len < 2 || len - 2 >= sizeof(bare) || word[0] != '[' || word[len - 1] != ']')
        return false;
    memcpy(bare, word + 1, len - 2);
    bare[len - 2] = '\0';
    return inet_pton(AF_INET6, bare, address) == 1;
}

/* No scheme, port or path: nothing but the name. */
static bool
is_host(const char *word)
{
    return word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-._")] == '\0';
}

bool
conf_is_addresses(const char *text)
{
    return count_words(text, is_address) > 0;
}

bool
conf_is_hosts(const char *text)
{
    return count_words(text, is_host) >= 0;
}

bool
conf_is_cpus(const char *text)
{
    unsigned cpus[CONF_CPUS_MAX];

    return cpus_parse(text, cpus, CONF_CPUS_MAX) > 0;
}

bool
conf_is_cpu(const char *text)
{
    const size_t len = strspn(text, "0123456789");

    return len > 0 && len <= 4 && text[len] == '\0' && atoi(text) < CONF_CPUS_MAX;
}

/* libpq alone knows its strings, and is not here; this sees a value that is none at all. */
bool
conf_is_database(const char *text)
{
    return text[0] == '\0' || strncmp(text, "postgres://", 11) == 0 ||
           strncmp(text, "postgresql://", 13) == 0 ||
           (strchr(text, '=') != NULL && strstr(text, "://") == NULL);
}

/* Whether a file is there shows when it is opened. */
bool
conf_is_path(const char *text)
{
    return strlen(text) == 0 || text[strlen(text) - 1] != '/';
}

bool
conf_is_folder(const char *text)
{
    struct stat st;

    return text[0] == '\0' || (stat(text, &st) == 0 && S_ISDIR(st.st_mode));
}
