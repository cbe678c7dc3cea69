/* links: tests/lib/malformed.c */
/*
 * Corpora as files that people can read: one input a line, with \r, \n, \t, \\ and \xNN for octets
 * that have no picture. A fuzzer wants them one a file.
 *
 *   seeds table DIR          the requests of the table of strange ones, as files
 *   seeds bodies DIR         what stands behind their heads
 *   seeds unpack FILE DIR    each line as a file
 *   seeds pack FILE...       prints a line for each file
 */
#include "../lib/malformed.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
fail(const char *what)
{
    fprintf(stderr, "seeds: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
write_seed(const char *dir, const char *kind, unsigned number, const char *octets, size_t len)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s-%03u", dir, kind, number);
    f = fopen(path, "we");
    if (f == NULL || fwrite(octets, 1, len, f) != len || fclose(f) != 0)
        fail(path);
}

/* In place; the length. */
static size_t
unescape(char *line)
{
    char *out = line;

    for (const char *p = line; *p != '\0'; p++) {
        char digits[3] = "";

        if (*p != '\\') {
            *out++ = *p;
            continue;
        }
        switch (*++p) {
        case 'r':
            *out++ = '\r';
            break;
        case 'n':
            *out++ = '\n';
            break;
        case 't':
            *out++ = '\t';
            break;
        case 'x':
            memcpy(digits, p + 1, strnlen(p + 1, 2));
            *out++ = (char)strtoul(digits, NULL, 16);
            p += strlen(digits);
            break;
        case '\\':
            *out++ = '\\';
            break;
        default:
            errno = EINVAL;
            fail(line);
        }
    }
    return (size_t)(out - line);
}

static void
unpack(const char *path, const char *dir)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    unsigned n = 0;

    if (f == NULL)
        fail(path);
    while (getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        write_seed(dir, "seed", n++, line, unescape(line));
    }
    free(line);
    fclose(f);
}

static void
pack(const char *path)
{
    FILE *f = fopen(path, "re");
    int c;

    if (f == NULL)
        fail(path);
    while ((c = getc(f)) != EOF) {
        if (c == '\r' || c == '\n' || c == '\t')
            printf("\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : 't');
        else if (c == '\\')
            printf("\\\\");
        else if (c < 0x80 && isprint(c))
            putchar(c);
        else
            printf("\\x%02x", (unsigned)c);
    }
    putchar('\n');
    fclose(f);
}

static void
bodies(const char *dir)
{
    for (unsigned i = 0; i < malformed_count; i++) {
        const struct malformed *m = &malformed_table[i];
        const char *end = memmem(m->octets, m->len, "\r\n\r\n", 4);

        if (end != NULL)
            write_seed(dir, "body", i, end + 4, m->len - (size_t)(end + 4 - m->octets));
    }
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "table") == 0) {
        for (unsigned i = 0; i < malformed_count; i++)
            write_seed(argv[2], "table", i, malformed_table[i].octets, malformed_table[i].len);
    } else if (argc == 3 && strcmp(argv[1], "bodies") == 0) {
        bodies(argv[2]);
    } else if (argc == 4 && strcmp(argv[1], "unpack") == 0) {
        unpack(argv[2], argv[3]);
    } else if (argc > 2 && strcmp(argv[1], "pack") == 0) {
        for (int i = 2; i < argc; i++)
            pack(argv[i]);
    } else {
        fprintf(stderr, "usage: seeds table DIR | bodies DIR | unpack FILE DIR | pack FILE...\n");
        return 1;
    }
    return 0;
}
