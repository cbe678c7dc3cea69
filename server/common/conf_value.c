/*
 * One value of the configuration: from text, to text, and its range in words. What is shown can be
 * read again and means the same, but for secrets.
 *
 * Numbers are whole; a duration needs its unit, since 10 could be seconds or milliseconds.
 */
#include "common/buf.h"
#include "common/conf_table.h"
#include "common/distance.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTED_OCTETS_MAX = 60 };

struct unit {
    const char *name;
    int64_t factor;
    bool shown; /* values are shown in the largest such unit that divides them */
};

static const struct unit durations[] = {
    {"h", 3600000, true}, {"m", 60000, false}, {"s", 1000, true}, {"ms", 1, true}, {NULL, 0, false},
};
static const struct unit sizes[] = {
    {"TiB", 1LL << 40, true}, {"GiB", 1 << 30, true}, {"MiB", 1 << 20, true},
    {"KiB", 1 << 10, true},   {"", 1, true},          {"G", 1 << 30, false},
    {"M", 1 << 20, false},    {"K", 1 << 10, false},  {"k", 1 << 10, false},
    {"B", 1, false},          {NULL, 0, false},
};
static const struct unit none[] = {{"", 1, true}, {NULL, 0, false}};

static const struct unit *
units_of(const struct conf_key *key)
{
    switch (key->kind) {
    case CONF_DURATION:
        return durations;
    case CONF_SIZE:
        return sizes;
    case CONF_INT:
    case CONF_CHOICE:
    case CONF_TEXT:
        break;
    }
    return none;
}

/* ---- to text ---- */

static void
show_number(const struct conf_key *key, int64_t value, char *out, size_t size)
{
    const struct unit *unit = units_of(key);

    if (key->kind == CONF_CHOICE) {
        snprintf(out, size, "%s", key->words[value]);
        return;
    }
    if (key->words != NULL && value == key->first_word) {
        snprintf(out, size, "%s", key->words[0]);
        return;
    }
    while (unit->factor != 1 && (!unit->shown || value == 0 || value % unit->factor != 0))
        unit++;
    snprintf(out, size, "%" PRId64 "%s", value / unit->factor, unit->name);
}

void
conf_show(const struct conf *values, const struct conf_key *key, char *out, size_t size)
{
    const char *place = (const char *)values + key->offset;
    int64_t number;

    if (key->kind == CONF_TEXT) {
        snprintf(out, size, "%s", key->secret && place[0] != '\0' ? "***" : place);
        return;
    }
    memcpy(&number, place, sizeof(number));
    show_number(key, number, out, size);
}

void
conf_add_range(struct buf *b, const struct conf_key *key)
{
    char low[32], high[32];

    if (key->kind == CONF_TEXT) {
        buf_add_text(b, key->form);
        return;
    }
    if (key->kind == CONF_CHOICE) {
        for (unsigned i = 0; key->words[i] != NULL; i++)
            buf_addf(b, "%s %s", i == 0 ? "one of" : ",", key->words[i]);
        return;
    }
    show_number(key, key->min, low, sizeof(low));
    show_number(key, key->max, high, sizeof(high));
    buf_addf(b, "between %s and %s", low, high);
    if (key->words != NULL)
        buf_addf(b, ", or %s", key->words[0]);
}

void
conf_add_quoted(struct buf *b, const char *text)
{
    size_t len = strlen(text), shown = len;

    if (shown > QUOTED_OCTETS_MAX) {
        shown = QUOTED_OCTETS_MAX;
        /* not amid a character, which has three such octets at most */
        while (shown > QUOTED_OCTETS_MAX - 3 && (text[shown] & 0xc0) == 0x80)
            shown--;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < shown; i++)
        buf_add_char(b, (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
    buf_add_text(b, shown < len ? "...\"" : "\"");
}

/* ---- from text ---- */

/* Says what the key must be and what it is; always -1. */
static int
refuse(const struct conf_key *key, const char *text, const char *hint, struct buf *why)
{
    buf_addf(why, "%s must be ", key->name);
    conf_add_range(why, key);
    buf_add_text(why, hint);
    if (key->secret)
        return -1;
    if (text[0] == '\0') {
        buf_add_text(why, "; it is empty");
        return -1;
    }
    buf_add_text(why, "; it is ");
    conf_add_quoted(why, text);
    return -1;
}

/* Is it one of the words? Its index, or -1. */
static int
find_word(const struct conf_key *key, const char *text)
{
    for (int i = 0; key->words != NULL && key->words[i] != NULL; i++)
        if (strcmp(key->words[i], text) == 0)
            return i;
    return -1;
}

/* refuse(), with the word that was perhaps meant. */
static int
refuse_word(const struct conf_key *key, const char *text, const char *hint, struct buf *why)
{
    const char *like = NULL;
    unsigned best = 3;

    (void)refuse(key, text, hint, why);
    for (unsigned i = 0; key->words != NULL && key->words[i] != NULL; i++) {
        const size_t len = strlen(key->words[i]);
        const unsigned d = text_distance(text, strlen(text), key->words[i], len, best);

        if (d < best && d <= len / 2) {
            best = d;
            like = key->words[i];
        }
    }
    if (like != NULL && !key->secret)
        buf_addf(why, "; did you mean %s?", like);
    return -1;
}

/* A number too large or too small for 64 bits becomes the largest or smallest one. -1: none. */
static int
parse_number(const char *text, const struct unit *units, int64_t *out)
{
    const char *digits = text + (*text == '-');
    char *end;
    long long n;

    if (*digits < '0' || *digits > '9')
        return -1;
    n = strtoll(text, &end, 10);
    end += strspn(end, " \t");
    for (; units->name != NULL; units++) {
        if (strcmp(end, units->name) != 0)
            continue;
        if (__builtin_mul_overflow(n, units->factor, out))
            *out = n < 0 ? INT64_MIN : INT64_MAX;
        return 0;
    }
    return -1;
}

static int
set_number(char *place, const struct conf_key *key, const char *text, struct buf *why)
{
    static const char *const hints[] = {
        [CONF_INT] = " (a whole number)",
        [CONF_DURATION] = " (a whole number with ms, s, m or h)",
        [CONF_SIZE] = " (a whole number of octets, or one with KiB, MiB or GiB)",
    };
    const int word = find_word(key, text);
    int64_t n = 0;

    if (key->kind == CONF_CHOICE) {
        if (word < 0)
            return refuse_word(key, text, "", why);
        n = word;
    } else if (word >= 0) {
        n = key->first_word + word;
    } else {
        assert(key->kind < sizeof(hints) / sizeof(hints[0]));
        if (parse_number(text, units_of(key), &n) != 0)
            return refuse_word(key, text, hints[key->kind], why);
        if (n < key->min || n > key->max)
            return refuse(key, text, "", why);
    }
    memcpy(place, &n, sizeof(n));
    return 0;
}

/* Copies a text without blanks around it and, unless it is a secret, with one blank between its
 * words. False: it is too long, or contains other control characters than tabs. */
static bool
copy_text(char *out, size_t size, const char *text, bool verbatim)
{
    size_t n = 0;

    for (text += strspn(text, " \t"); *text != '\0'; text++) {
        const bool blank = *text == ' ' || *text == '\t';

        if (((unsigned char)*text < 0x20 && !blank) || *text == 0x7f)
            return false;
        if (blank && text[1 + strspn(text + 1, " \t")] == '\0')
            break;
        if (blank && !verbatim && n > 0 && out[n - 1] == ' ')
            continue;
        if (n + 1 >= size)
            return false;
        out[n++] = blank && !verbatim ? ' ' : *text;
    }
    out[n] = '\0';
    return true;
}

static int
set_text(char *place, const struct conf_key *key, const char *text, struct buf *why)
{
    char copy[CONF_TEXT_MAX];

    if (!copy_text(copy, sizeof(copy), text, key->secret)) {
        buf_addf(why, "%s may have at most %d octets and no control characters", key->name,
                 CONF_TEXT_MAX - 1);
        return -1;
    }
    if (find_word(key, copy) < 0 && !key->is_right(copy))
        return refuse_word(key, copy, "", why);
    memcpy(place, copy, strlen(copy) + 1);
    return 0;
}

int
conf_set_text(struct conf *values, const struct conf_key *key, const char *text, struct buf *why)
{
    char *place = (char *)values + key->offset;

    return key->kind == CONF_TEXT ? set_text(place, key, text, why)
                                  : set_number(place, key, text, why);
}
