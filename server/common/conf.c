/*
 * conf: a set of settings: defaults, then a file (conf_read.c), then -o options; what comes later
 * wins. Runs in the supervisor; the front end inherits the result.
 *
 * A mistake never ends the reading: it is a line in `errors`, the key keeps the value that it had,
 * and all mistakes are named in one run. No error shows the value of a secret.
 */
#include "common/conf.h"

#include "common/buf.h"
#include "common/conf_table.h"
#include "common/cpus.h"
#include "common/distance.h"
#include "common/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_OCTETS_MAX = 64 };

struct conf_set *
conf_new(void)
{
    struct conf_set *set = xcalloc(1, sizeof(*set));
    struct buf why = {0};

    for (unsigned i = 0; conf_keys[i].name != NULL; i++)
        if (conf_set_text(&set->values, &conf_keys[i], conf_keys[i].def, &why) != 0)
            fatalx("default of a setting: %.*s", (int)why.len, why.data);
    buf_fini(&why);
    return set;
}

void
conf_free(struct conf_set *set)
{
    if (set == NULL)
        return;
    for (unsigned i = 0; i < CONF_KEYS_MAX; i++)
        free(set->origins[i]);
    free(set);
}

const struct conf *
conf_values(const struct conf_set *set)
{
    return &set->values;
}

/* ---- keys ---- */

bool
conf_is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    return len > 0 && len <= NAME_OCTETS_MAX;
}

int
conf_find_key(const char *name, const char **like)
{
    char plain[NAME_OCTETS_MAX + 1]; /* Max-Body is taken for max_body when guessing */
    size_t len = 0;
    unsigned best = 3;

    *like = NULL;
    for (; len < NAME_OCTETS_MAX && name[len] != '\0'; len++)
        plain[len] = name[len] == '-' ? '_' : (char)tolower((unsigned char)name[len]);
    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        const char *key = conf_keys[i].name;
        unsigned d;

        if (strcmp(key, name) == 0)
            return (int)i;
        d = text_distance(plain, len, key, strlen(key), best);
        if (d < best && d <= strlen(key) / 2) {
            best = d;
            *like = key;
        }
    }
    return -1;
}

int
conf_refuse_name(const char *name, const char *like, const char *origin, struct buf *errors)
{
    buf_addf(errors, "%s: there is no setting %s", origin, name);
    if (like != NULL)
        buf_addf(errors, "; did you mean %s?", like);
    else
        buf_add_text(errors, "; interleave -T lists all there are");
    buf_add_char(errors, '\n');
    return 1;
}

int
conf_put(struct conf_set *set, unsigned i, const char *text, const char *origin, struct buf *errors)
{
    const size_t before = errors->len;

    buf_addf(errors, "%s: ", origin);
    set->failed[i] = conf_set_text(&set->values, &conf_keys[i], text, errors) != 0;
    if (set->failed[i]) {
        buf_add_char(errors, '\n');
        return 1;
    }
    errors->len = before;
    free(set->origins[i]);
    set->origins[i] = xstrdup(origin);
    return 0;
}

int
conf_read_option(struct conf_set *set, const char *option, struct buf *errors)
{
    const char *equals = strchr(option, '='), *like;
    const size_t len = equals != NULL ? (size_t)(equals - option) : strlen(option);
    const bool is_name = conf_is_name(option, len);
    char name[NAME_OCTETS_MAX + 1];
    int i;

    if (equals == NULL || !is_name) { /* what is no name may be anything, even a password */
        buf_addf(errors, "-o %.*s: this is not KEY=VALUE\n", is_name ? (int)len : 3,
                 is_name ? option : "...");
        return 1;
    }
    memcpy(name, option, len);
    name[len] = '\0';
    i = conf_find_key(name, &like);
    if (i < 0)
        return conf_refuse_name(name, like, "-o", errors);
    return conf_put(set, (unsigned)i, equals + 1, "-o", errors);
}

/* ---- between keys ---- */

static unsigned
row_of(const char *name)
{
    const char *like;
    const int i = conf_find_key(name, &like);

    if (i < 0)
        fatalx("no setting %s", name);
    return (unsigned)i;
}

static int64_t
number_of(const struct conf_set *set, unsigned i)
{
    int64_t n;

    memcpy(&n, (const char *)&set->values + conf_keys[i].offset, sizeof(n));
    return n;
}

static const char *
origin_of(const struct conf_set *set, unsigned i)
{
    return set->origins[i] != NULL ? set->origins[i] : "default";
}

static int
check_order(const struct conf_set *set, const char *large, const char *small, const char *reason,
            struct buf *errors)
{
    const unsigned l = row_of(large), s = row_of(small);
    char at_least[32];

    if (set->failed[l] || set->failed[s] || number_of(set, l) >= number_of(set, s))
        return 0;
    conf_show(&set->values, &conf_keys[s], at_least, sizeof(at_least));
    buf_addf(errors, "%s: %s must be at least %s, which is %s (%s): %s\n",
             origin_of(set, set->origins[l] != NULL ? l : s), large, small, at_least,
             origin_of(set, s), reason);
    return 1;
}

/* Are the CPUs of a list there for us? */
static int
check_cpus(const struct conf_set *set, const char *name, const char *list, struct buf *errors)
{
    unsigned asked[CONF_CPUS_MAX], allowed[CONF_CPUS_MAX];
    const int n = cpus_parse(list, asked, CONF_CPUS_MAX); /* -1: a word such as spread */
    const unsigned nallowed = cpus_allowed(allowed, CONF_CPUS_MAX);
    const unsigned row = row_of(name);
    int wrong = 0;

    for (int i = 0; wrong == 0 && i < n && nallowed > 0; i++) {
        unsigned j = 0;

        while (j < nallowed && allowed[j] != asked[i])
            j++;
        if (j < nallowed)
            continue;
        buf_addf(errors, "%s: %s names CPU %u, where this process may not run; it may on",
                 origin_of(set, row), name, asked[i]);
        for (j = 0; j < nallowed; j++)
            buf_addf(errors, "%s %u", j > 0 ? "," : "", allowed[j]);
        buf_add_char(errors, '\n');
        wrong++;
    }
    return wrong;
}

/* Certificate and key: both or none; and https is not at the port of http. */
static int
check_tls(const struct conf_set *set, struct buf *errors)
{
    const struct conf *c = &set->values;
    const unsigned certificate = row_of("tls_certificate"), key = row_of("tls_key");
    const unsigned port = row_of("tls_port");
    const bool has_certificate = c->tls_certificate[0] != '\0', has_key = c->tls_key[0] != '\0';

    if (set->failed[certificate] || set->failed[key])
        return 0;
    if (has_certificate != has_key) {
        buf_addf(errors, "%s: %s is set, %s is not: https needs both\n",
                 origin_of(set, has_key ? key : certificate),
                 has_key ? "tls_key" : "tls_certificate", has_key ? "tls_certificate" : "tls_key");
        return 1;
    }
    if (!has_key || set->failed[port] || c->port == 0 || c->port != c->tls_port)
        return 0;
    buf_addf(errors, "%s: tls_port is the same as port (%s): http and https need one each\n",
             origin_of(set, port), origin_of(set, row_of("port")));
    return 1;
}

int
conf_check(struct conf_set *set, struct buf *errors)
{
    int wrong = 0;

    wrong += check_order(set, "max_head", "max_target", "a head contains its target", errors);
    wrong += check_order(set, "db_answer", "db_suspect",
                         "a connection is suspect before it is given up", errors);
    wrong += check_tls(set, errors);
    wrong += check_cpus(set, "worker_cpus", set->values.worker_cpus, errors);
    wrong += check_cpus(set, "loop_cpu", set->values.loop_cpu, errors);
    return wrong;
}
