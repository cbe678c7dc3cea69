/*
 * conf_world: see conf_world.h.
 */
#include "conf_world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
confw_open(struct conf_world *w)
{
    *w = (struct conf_world){.set = conf_new()};
    snprintf(w->path, sizeof(w->path), "/tmp/interleave-unit-%d.conf", (int)getpid());
}

void
confw_close(struct conf_world *w)
{
    unlink(w->path);
    buf_fini(&w->errors);
    conf_free(w->set);
}

int
confw_read_octets(struct conf_world *w, const char *data, size_t len)
{
    FILE *f = fopen(w->path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return conf_read_file(w->set, w->path, &w->errors);
}

int
confw_read(struct conf_world *w, const char *text)
{
    return confw_read_octets(w, text, strlen(text));
}

const char *
confw_errors(struct conf_world *w)
{
    buf_add_char(&w->errors, '\0');
    w->errors.len--;
    return w->errors.data;
}

unsigned
confw_error_lines(struct conf_world *w)
{
    const char *text = confw_errors(w);
    unsigned n = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

void
confw_expect(struct conf_world *w, const char *part)
{
    ck_assert_msg(strstr(confw_errors(w), part) != NULL, "\"%s\" does not say \"%s\"",
                  confw_errors(w), part);
}

struct conf_origin
confw_row(const struct conf_world *w, const char *key)
{
    struct conf_origin row;

    for (unsigned i = 0; conf_row(w->set, i, &row); i++)
        if (strcmp(row.key, key) == 0)
            return row;
    ck_abort_msg("no row %s", key);
}
