/*
 * grammar: see grammar.h. Pure; owns one constant table.
 */
#include "http/grammar.h"

#include <string.h>

#define ALNUM (OCTET_TOKEN | OCTET_TARGET | OCTET_NAME)

/* Letters and digits may stand everywhere; of the others each row says where. */
const uint8_t octet_classes[256] = {
    ['0' ... '9'] = ALNUM | OCTET_HEX | OCTET_DIGIT,
    ['A' ... 'F'] = ALNUM | OCTET_HEX,
    ['G' ... 'Z'] = ALNUM,
    ['a' ... 'f'] = ALNUM | OCTET_HEX,
    ['g' ... 'z'] = ALNUM,
    /* unreserved */
    ['-'] = ALNUM,
    ['.'] = ALNUM,
    ['_'] = ALNUM,
    ['~'] = ALNUM,
    /* sub-delims */
    ['!'] = ALNUM,
    ['$'] = ALNUM,
    ['&'] = ALNUM,
    ['\''] = ALNUM,
    ['*'] = ALNUM,
    ['+'] = ALNUM,
    ['('] = OCTET_TARGET | OCTET_NAME,
    [')'] = OCTET_TARGET | OCTET_NAME,
    [','] = OCTET_TARGET | OCTET_NAME,
    [';'] = OCTET_TARGET | OCTET_NAME,
    ['='] = OCTET_TARGET | OCTET_NAME,
    /* what paths and queries have on top */
    [':'] = OCTET_TARGET,
    ['@'] = OCTET_TARGET,
    ['/'] = OCTET_TARGET,
    ['?'] = OCTET_TARGET,
    /* what tokens have on top */
    ['#'] = OCTET_TOKEN,
    ['%'] = OCTET_TOKEN,
    ['^'] = OCTET_TOKEN,
    ['`'] = OCTET_TOKEN,
    ['|'] = OCTET_TOKEN,
};

bool
grammar_is_escape(const char *p, const char *end)
{
    if (end - p < 3 || p[0] != '%' || !octet_is(p[1], OCTET_HEX) || !octet_is(p[2], OCTET_HEX))
        return false;
    return p[1] != '0' || p[2] != '0';
}

static inline bool
is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Eight octets at a time: has any of them its value below 0x20, or equal to 0x7f? A tab stops us
 * too; then the octets are looked at one by one. */
static inline bool
has_suspect(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101ULL, highs = 0x8080808080808080ULL;
    uint64_t del = eight ^ (ones * 0x7f);
    uint64_t below = (eight - ones * 0x20) & ~eight;

    return ((below | ((del - ones) & ~del)) & highs) != 0;
}

bool
grammar_is_value(const char *p, size_t len)
{
    const char *end = p + len;

    for (; end - p >= 8; p += 8) {
        uint64_t eight;

        memcpy(&eight, p, sizeof(eight));
        if (!has_suspect(eight))
            continue;
        for (unsigned i = 0; i < 8; i++)
            if (is_control(p[i]))
                return false;
    }
    for (; p < end; p++)
        if (is_control(*p))
            return false;
    return true;
}
