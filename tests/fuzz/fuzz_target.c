/* links: server/http/target.c server/http/grammar.c tests/fuzz/input.c */
/*
 * Targets of requests against regular expressions written from RFC 3986 and RFC 9112 section 3.2:
 * the same ones are taken, and path, query and host are what the expressions say. What was made of
 * a target is taken again as it is.
 *
 *   OPTIONS *                        a method in front is that one, else GET
 *   http://localhost:80/path?query
 */
#include "fuzz.h"
#include "http/target.h"

#include <arpa/inet.h>
#include <regex.h>
#include <string.h>
#include <strings.h>

enum { TARGET_MAX = 400, GROUPS = 7 };

#define HEX    "%[0-9A-Fa-f][0-9A-Fa-f]"
#define PCHAR  "([A-Za-z0-9._~!$&'()*+,;=:@/-]|" HEX ")"
#define NAME   "([A-Za-z0-9._~!$&'()*+,;=-]|" HEX ")"
#define PATH   "/" PCHAR "*"
#define QUERY  "\\?((" PCHAR "|\\?)*)"
#define HOST   "(\\[[^]/?]*\\]|" NAME "+)(:[0-9]*)?"
#define SCHEME "[Hh][Tt][Tt][Pp]://"

static regex_t origin, absolute;
enum { ORIGIN_PATH = 1, ORIGIN_QUERY = 4, HOST_ALL = 1, HOST_NAME = 2, ABSOLUTE_REST = 5 };

static void
compile(void)
{
    static bool compiled;

    if (compiled)
        return;
    compiled = true;
    FUZZ_CHECK(regcomp(&origin, "^(" PATH ")(" QUERY ")?$", REG_EXTENDED) == 0);
    FUZZ_CHECK(regcomp(&absolute, "^" SCHEME "(" HOST ")(([/?].*)?)$", REG_EXTENDED) == 0);
}

static bool
is_slice(struct slice_text s, const char *text, regmatch_t m)
{
    size_t len = (size_t)(m.rm_eo - m.rm_so);

    return m.rm_so < 0 ? s.len == 0 : s.len == len && memcmp(s.p, text + m.rm_so, len) == 0;
}

/* In brackets there is an address of IPv6. */
static bool
is_literal(const char *p, size_t len)
{
    char text[TARGET_MAX];
    struct in6_addr address;

    snprintf(text, sizeof(text), "%.*s", (int)len - 2, p + 1);
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* Path and query as sent. */
static bool
expect_origin(const char *text, const struct http_head *h, bool taken)
{
    regmatch_t m[GROUPS];

    if (regexec(&origin, text, GROUPS, m, 0) != 0 || strstr(text, "%00") != NULL)
        return false;
    if (taken)
        FUZZ_CHECK(is_slice(h->path, text, m[ORIGIN_PATH]) &&
                   is_slice(h->query, text, m[ORIGIN_QUERY]));
    return true;
}

static bool
expect_absolute(const char *text, const struct http_head *h, bool taken)
{
    regmatch_t m[GROUPS];
    const char *rest, *port;
    char with_slash[TARGET_MAX + 2];

    if (regexec(&absolute, text, GROUPS, m, 0) != 0)
        return false;
    if (text[m[HOST_NAME].rm_so] == '[' &&
        !is_literal(text + m[HOST_NAME].rm_so, (size_t)(m[HOST_NAME].rm_eo - m[HOST_NAME].rm_so)))
        return false;
    rest = text + m[ABSOLUTE_REST].rm_so;
    for (port = rest; port[-1] >= '0' && port[-1] <= '9'; port--)
        ;
    if (port[-1] == ':' && strtoull(port, NULL, 10) > 65535)
        return false;
    with_slash[0] = '/';
    memcpy(with_slash + 1, rest, strlen(rest) + 1);
    if (strstr(text, "%00") != NULL)
        return false;
    if (taken)
        FUZZ_CHECK(is_slice(h->host, text, m[HOST_ALL]));
    if (rest[0] == '\0') {
        if (taken)
            FUZZ_CHECK(h->path.len == 1 && h->query.len == 0 &&
                       h->path.p[0] == (h->method == HTTP_OPTIONS ? '*' : '/'));
        return true;
    }
    return expect_origin(rest[0] == '/' ? rest : with_slash, h, taken);
}

/* What has been made of a target is a target, and means the same. */
static void
check_again(const struct http_head *h)
{
    struct http_head again = {.method = h->method, .target = h->target};

    FUZZ_CHECK(target_read(&again) == 0);
    FUZZ_CHECK(again.path.len == h->path.len && again.path.p == h->path.p);
    FUZZ_CHECK(again.query.len == h->query.len || h->target.len == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char options[] = "OPTIONS ";
    struct http_head head = {.method = HTTP_GET};
    char text[TARGET_MAX + 1], *exact;
    bool taken, expected;

    compile();
    if (len >= sizeof(options) - 1 && memcmp(data, options, sizeof(options) - 1) == 0) {
        head.method = HTTP_OPTIONS;
        data += sizeof(options) - 1;
        len -= sizeof(options) - 1;
    }
    if (len == 0 || len > TARGET_MAX)
        return 0;
    memcpy(text, data, len);
    text[len] = '\0';
    exact = fuzz_exact(data, len);
    head.target = (struct slice_text){exact, len};
    taken = target_read(&head) == 0;
    FUZZ_CHECK(taken || (head.failure == FAIL_BAD_REQUEST && head.why != NULL));
    if (strlen(text) != len)
        expected = false;
    else if (strcmp(text, "*") == 0)
        expected = head.method == HTTP_OPTIONS;
    else if (text[0] == '/')
        expected = expect_origin(text, &head, taken);
    else
        expected = expect_absolute(text, &head, taken);
    FUZZ_CHECK(taken == expected);
    if (taken)
        check_again(&head);
    free(exact);
    return 0;
}
