/*
 * What is printed from the table of settings: -T and /config, the sample file, the manual page's
 * list. The last two are committed files; a unit test compares them, and writes them with UPDATE=1.
 */
#include "common/buf.h"
#include "common/conf.h"
#include "common/conf_table.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 80 };

bool
conf_row(const struct conf_set *set, unsigned i, struct conf_origin *out)
{
    const struct conf_key *key = &conf_keys[i];

    if (key->name == NULL)
        return false;
    *out = (struct conf_origin){
        .key = key->name,
        .sentence = key->sentence,
        .reloadable = key->reloadable,
    };
    conf_show(&set->values, key, out->value, sizeof(out->value));
    snprintf(out->origin, sizeof(out->origin), "%s",
             set->origins[i] != NULL ? set->origins[i] : "default");
    return true;
}

void
conf_print_settings(const struct conf_set *set, struct buf *b)
{
    struct conf_origin row;

    for (unsigned i = 0; conf_row(set, i, &row); i++)
        buf_addf(b, "%-18s = %-13s # %s; %s\n", row.key, row.value, row.origin, row.sentence);
}

/* What a value may be: "(between 0 and 65535; a change needs a restart)". */
static void
add_range(struct buf *b, const struct conf_key *key)
{
    buf_add_char(b, '(');
    conf_add_range(b, key);
    buf_add_text(b, key->reloadable ? ")" : "; a change needs a restart)");
}

/* A text as comment lines. */
static void
add_comment(struct buf *b, const char *text, size_t len)
{
    while (len > 0) {
        size_t n = len;

        if (n > COLUMNS - 2) {
            n = COLUMNS - 2;
            while (n > COLUMNS / 2 && text[n] != ' ')
                n--;
        }
        buf_addf(b, "# %.*s\n", (int)n, text);
        n += n < len && text[n] == ' ';
        text += n;
        len -= n;
    }
}

void
conf_print_sample(struct buf *b)
{
    static const char head[] =
        "All settings of interleave with their defaults: take the \";\" away and change the "
        "value. Comments begin with \"#\" or \";\", at the begin of a line or behind a blank. "
        "Headings may be left out. \"interleave -t -c FILE\" checks a file, \"-T\" prints what is "
        "in force.";
    const char *section = "";
    struct buf comment = {0};

    add_comment(b, head, strlen(head));
    for (const struct conf_key *key = conf_keys; key->name != NULL; key++) {
        if (strcmp(section, key->section) != 0) {
            section = key->section;
            buf_addf(b, "\n[%s]\n", section);
        }
        comment.len = 0;
        buf_addf(&comment, "%s ", key->sentence);
        add_range(&comment, key);
        buf_add_char(b, '\n');
        add_comment(b, comment.data, comment.len);
        buf_addf(b, ";%s =%s%s\n", key->name, key->def[0] != '\0' ? " " : "", key->def);
    }
    buf_fini(&comment);
}

/* Text for roff: no request at the begin of a line, hyphens that can be copied as such. */
static void
add_roff(struct buf *b, const char *text, size_t len)
{
    if (len > 0 && (text[0] == '.' || text[0] == '\''))
        buf_add_text(b, "\\&");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-')
            buf_add_text(b, "\\-");
        else if (text[i] == '\\')
            buf_add_text(b, "\\e");
        else
            buf_add_char(b, text[i]);
    }
}

void
conf_print_manual(struct buf *b)
{
    const char *section = "";
    struct buf range = {0};

    for (const struct conf_key *key = conf_keys; key->name != NULL; key++) {
        if (strcmp(section, key->section) != 0) {
            section = key->section;
            buf_addf(b, ".SS [%s]\n", section);
        }
        buf_addf(b, ".TP\n.B %s = ", key->name);
        add_roff(b, key->def, strlen(key->def));
        buf_add_char(b, '\n');
        add_roff(b, key->sentence, strlen(key->sentence));
        buf_add_char(b, '\n');
        range.len = 0;
        add_range(&range, key);
        add_roff(b, range.data, range.len);
        buf_add_char(b, '\n');
    }
    buf_fini(&range);
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
