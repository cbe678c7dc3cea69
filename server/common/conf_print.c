/*
 * What is printed from the table of settings: -T, /config, the sample file, the manual page.
 */
#include "common/conf.h"

#include "common/buf.h"
#include "common/conf_table.h"

#include <stdio.h>
#include <string.h>

bool
conf_row(const struct conf_set *set, unsigned i, struct conf_origin *out)
{
    if (conf_keys[i].name == NULL)
        return false;
    *out = (struct conf_origin){
        .key = conf_keys[i].name,
        .sentence = conf_keys[i].sentence,
        .unit = conf_keys[i].unit,
        .reloadable = conf_keys[i].reloadable,
    };
    conf_show(&set->values, &conf_keys[i], out->value, sizeof(out->value));
    snprintf(out->origin, sizeof(out->origin), "%s", set->origins[i]);
    return true;
}

void
conf_print_settings(const struct conf_set *set, struct buf *b)
{
    char value[CONF_TEXT_MAX];

    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        conf_show(&set->values, &conf_keys[i], value, sizeof(value));
        buf_addf(b, "%-18s = %-12s ; %s\n", conf_keys[i].name, value, set->origins[i]);
    }
}

/* A text as comment lines of at most 80 columns. */
static void
add_comment(struct buf *b, const char *text)
{
    while (*text != '\0') {
        size_t len = strlen(text);

        if (len > 78) {
            len = 78;
            while (len > 40 && text[len] != ' ')
                len--;
        }
        buf_addf(b, "; %.*s\n", (int)len, text);
        text += len + (text[len] == ' ');
    }
}

void
conf_print_sample(struct buf *b)
{
    const char *section = "";
    char range[512];

    add_comment(
        b, "All settings of interleave with their defaults. Sections are headings only; a key is "
           "found wherever it stands. interleave -t checks a file, -T prints what is in force.");
    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        const struct conf_key *key = &conf_keys[i];

        if (strcmp(section, key->section) != 0) {
            section = key->section;
            buf_addf(b, "\n[%s]\n", section);
        }
        buf_add_char(b, '\n');
        add_comment(b, key->sentence);
        conf_range(key, range, sizeof(range));
        if (key->kind != CONF_TEXT)
            buf_addf(b, "; %s%s\n", range, key->reloadable ? "" : "; a change needs a restart");
        buf_addf(b, ";%s = %s\n", key->name, key->def);
    }
}

void
conf_print_manual(struct buf *b)
{
    char range[512];

    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        const struct conf_key *key = &conf_keys[i];

        conf_range(key, range, sizeof(range));
        buf_addf(b, ".TP\n.B %s\n%s\n(%s; default %s)\n", key->name, key->sentence, range,
                 key->def[0] != '\0' ? key->def : "empty");
    }
}

uint64_t
conf_hash(const struct conf_set *set)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    char value[CONF_TEXT_MAX];

    for (unsigned i = 0; conf_keys[i].name != NULL; i++) {
        if (conf_keys[i].secret)
            continue;
        conf_show(&set->values, &conf_keys[i], value, sizeof(value));
        for (const char *p = value;; p++) {
            hash = (hash ^ (unsigned char)*p) * 0x100000001b3ULL;
            if (*p == '\0')
                break;
        }
    }
    return hash;
}
