/*
 * identity: see identity.h. Runs in the supervisor, which understands nothing of what stands in the
 * files: whether they are PEM, and fit each other, is the front end's to find out. Here it is seen
 * whether they can be read: what can fail names the key of the configuration and the file.
 */
#include "supervisor/identity.h"

#include "common/buf.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_OCTETS_MAX = 1024 * 1024 };

static void
wipe(struct identity_part *part)
{
    if (part->pem != NULL)
        explicit_bzero(part->pem, part->len);
    free(part->pem);
    *part = (struct identity_part){0};
}

void
identity_fini(struct identity *identity)
{
    wipe(&identity->certificate);
    wipe(&identity->key);
}

bool
identity_is_set(const struct identity *identity)
{
    return identity->certificate.pem != NULL;
}

/* All of a file that is open. 0, -1 errno. */
static int
read_all(int fd, struct identity_part *part)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0)
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > FILE_OCTETS_MAX) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    part->pem = xmalloc((size_t)st.st_size);
    while (part->len < (size_t)st.st_size) {
        n = read(fd, part->pem + part->len, (size_t)st.st_size - part->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0) /* it has become shorter: what is there is judged by the front end */
            break;
        part->len += (size_t)n;
    }
    return 0;
}

/* How many errors: 0 or 1. */
static int
read_part(struct identity_part *part, const char *key, const char *path, struct buf *errors)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = -1;

    part->path = path;
    if (fd >= 0) {
        result = read_all(fd, part);
        close(fd);
    }
    if (result == 0)
        return 0;
    if (errno == EINVAL)
        buf_addf(errors, "%s: %s is no file of 1 octet to 1 MiB\n", key, path);
    else
        buf_addf(errors, "%s: can't read %s: %s\n", key, path, strerror(errno));
    return 1;
}

int
identity_read(struct identity *out, const struct conf *conf, struct buf *errors)
{
    int wrong = 0;

    *out = (struct identity){0};
    if (conf->tls_certificate[0] == '\0' || conf->tls_key[0] == '\0')
        return 0; /* one without the other is an error between keys (conf.c) */
    wrong += read_part(&out->certificate, "tls_certificate", conf->tls_certificate, errors);
    wrong += read_part(&out->key, "tls_key", conf->tls_key, errors);
    if (wrong > 0)
        identity_fini(out);
    return wrong;
}

static void
warn_of_key(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        log_warnx("tls_key: others than its owner can read or change %s. Try: chmod 600 %s", path,
                  path);
}

int
identity_load(struct identity *out, const struct conf *conf)
{
    struct buf errors = {0};
    const int wrong = identity_read(out, conf, &errors);
    char *rest, *line;

    buf_add_char(&errors, '\0');
    rest = errors.data;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0')
            log_errorx("%s", line);
    buf_fini(&errors);
    if (wrong == 0 && identity_is_set(out))
        warn_of_key(conf->tls_key);
    return wrong == 0 ? 0 : -1;
}
