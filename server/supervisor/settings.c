/*
 * settings: see settings.h. Runs in the supervisor. All errors of file and options are collected,
 * so that a user sees them in one run.
 */
#include "supervisor/settings.h"

#include "common/buf.h"
#include "common/log.h"
#include "supervisor/identity.h"
#include "supervisor/listen.h"

#include <stdio.h>
#include <string.h>

struct conf_set *
settings_read(const struct settings_source *source, struct buf *errors)
{
    struct conf_set *set = conf_new();
    struct identity identity;
    int wrong = 0;

    if (source->path != NULL)
        wrong += conf_read_file(set, source->path, errors);
    for (unsigned i = 0; i < source->noptions; i++)
        wrong += conf_read_option(set, source->options[i], errors);
    wrong += conf_check(set, errors);
    wrong += listen_check(conf_values(set)->listen, errors);
    wrong += identity_read(&identity, conf_values(set), errors);
    identity_fini(&identity); /* it is read again when it is used */
    if (wrong == 0)
        return set;
    conf_free(set);
    return NULL;
}

static int
put_back(struct conf_set *fresh, const char *key, const char *value, struct buf *errors)
{
    char option[2 * CONF_TEXT_MAX];

    snprintf(option, sizeof(option), "%s=%s", key, value);
    return conf_read_option(fresh, option, errors);
}

/* The sockets of https were opened at the start, or were not. How many errors. */
static int
keep_tls(struct conf_set *fresh, const struct conf_set *old, struct buf *errors)
{
    const struct conf *was = conf_values(old), *now = conf_values(fresh);
    const bool had = was->tls_certificate[0] != '\0', has = now->tls_certificate[0] != '\0';
    int refused = 0;

    if (had == has)
        return 0;
    log_warnx("https is turned %s by a restart only: it stays %s", has ? "on" : "off",
              had ? "on" : "off");
    refused += put_back(fresh, "tls_certificate", was->tls_certificate, errors);
    refused += put_back(fresh, "tls_key", was->tls_key, errors);
    return refused;
}

/* 0, or -1: an old value was refused in the new company; the reason stands in `errors`. */
static int
keep_fixed(struct conf_set *fresh, const struct conf_set *old, struct buf *errors)
{
    struct conf_origin now, was;
    int refused = 0;

    for (unsigned i = 0; conf_row(old, i, &was) && conf_row(fresh, i, &now); i++) {
        if (was.reloadable || strcmp(was.value, now.value) == 0)
            continue;
        log_warnx("%s = %s (%s) needs a restart: %s stays in force", now.key, now.value, now.origin,
                  was.value);
        refused += put_back(fresh, was.key, was.value, errors);
    }
    refused += keep_tls(fresh, old, errors);
    refused += conf_check(fresh, errors);
    return refused == 0 ? 0 : -1;
}

static void
log_lines(struct buf *text)
{
    char *rest, *line;

    buf_add_char(text, '\0');
    rest = text->data;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0')
            log_errorx("%s", line);
}

struct conf_set *
settings_read_again(const struct settings_source *source, const struct conf_set *old)
{
    struct buf errors = {0};
    struct conf_set *fresh = settings_read(source, &errors);

    if (fresh != NULL && keep_fixed(fresh, old, &errors) != 0) {
        conf_free(fresh);
        fresh = NULL;
    }
    if (fresh == NULL) {
        log_lines(&errors);
        log_errorx("not reloaded: the settings are wrong, the old ones stay in force");
    }
    buf_fini(&errors);
    return fresh;
}
