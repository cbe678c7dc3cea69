/*
 * guard: see guard.h. IP literals are always ours: rebinding a name is what the check is against.
 */
#include "request/guard.h"

#include "request/req.h"
#include "request/runner.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
text_is(struct slice_text s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.p, text, s.len) == 0;
}

/* The host without its port. */
static struct slice_text
host_name(struct slice_text host)
{
    const char *colon;

    if (host.len > 0 && host.p[0] == '[') {
        const char *close = memchr(host.p, ']', host.len);

        if (close != NULL)
            host.len = (size_t)(close - host.p) + 1;
        return host;
    }
    colon = memchr(host.p, ':', host.len);
    if (colon != NULL)
        host.len = (size_t)(colon - host.p);
    return host;
}

static bool
is_ip_literal(struct slice_text name)
{
    char text[64];
    unsigned char address[16];

    if (name.len >= sizeof(text))
        return false;
    if (name.len > 2 && name.p[0] == '[') {
        memcpy(text, name.p + 1, name.len - 2);
        text[name.len - 2] = '\0';
        return inet_pton(AF_INET6, text, address) == 1;
    }
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, address) == 1;
}

static bool
is_configured(const struct runner *rn, struct slice_text name)
{
    const char *p = rn->conf->server_names;

    while (*p != '\0') {
        size_t len = strcspn(p, " ");

        if (len == name.len && strncasecmp(p, name.p, len) == 0)
            return true;
        p += len + strspn(p + len, " ");
    }
    return false;
}

static bool
name_is_ours(const struct runner *rn, struct slice_text name)
{
    return text_is(name, "localhost") || text_is(name, "localhost.") || is_ip_literal(name) ||
           is_configured(rn, name);
}

/* Most requests name the host that the one before them named. */
static bool
host_is_ours(struct runner *rn, struct slice_text host)
{
    if (host.p == NULL) /* HTTP/1.0 may leave it out */
        return true;
    if (host.len > 0 && host.len == rn->host_len && memcmp(host.p, rn->host, host.len) == 0)
        return true;
    if (!name_is_ours(rn, host_name(host)))
        return false;
    if (host.len <= sizeof(rn->host)) {
        memcpy(rn->host, host.p, host.len);
        rn->host_len = host.len;
    }
    return true;
}

/* Does Origin "http://host:port" name the host this request was sent to? What came over TLS was
 * asked for by https; what came without may have had it as far as a proxy. */
static bool
origin_is_ours(struct slice_text origin, struct slice_text host, bool secure)
{
    const char *slashes = memmem(origin.p, origin.len, "://", 3);
    struct slice_text authority;

    /* "null": a sandboxed page or a file; and without a Host nothing says what is ours */
    if (slashes == NULL || host.p == NULL)
        return false;
    if (secure && (slashes - origin.p != 5 || strncasecmp(origin.p, "https", 5) != 0))
        return false;
    authority.p = slashes + 3;
    authority.len = origin.len - (size_t)(authority.p - origin.p);
    return authority.len == host.len && strncasecmp(authority.p, host.p, host.len) == 0;
}

int
guard_check(struct req *r)
{
    const struct http_head *head = r->head;
    struct slice_text origin, site, mode;

    if (!host_is_ours(r->runner, head->host)) {
        snprintf(r->why, sizeof(r->why), "this server is not %.*s",
                 (int)(head->host.len < 80 ? head->host.len : 80), head->host.p);
        r->failed = FAIL_MISDIRECTED;
        return -1;
    }
    site = http_head_field(head, "sec-fetch-site");
    origin = http_head_field(head, "origin");
    if (site.len == 0 && origin.len == 0)
        return 0;
    if (origin.len > 0 && !origin_is_ours(origin, head->host, head->secure)) {
        snprintf(r->why, sizeof(r->why), "the page that asks is %.*s, not one of this server",
                 (int)(origin.len < 80 ? origin.len : 80), origin.p);
        r->failed = FAIL_FORBIDDEN_ORIGIN;
        return -1;
    }
    if (site.len == 0 || text_is(site, "same-origin") || text_is(site, "none"))
        return 0;
    mode = http_head_field(head, "sec-fetch-mode");
    if (text_is(mode, "navigate") && (r->route->flags & ROUTE_LINKABLE) != 0 &&
        (head->method == HTTP_GET || head->method == HTTP_HEAD))
        return 0;
    snprintf(r->why, sizeof(r->why), "a page of another site asks (Sec-Fetch-Site: %.*s)",
             (int)(site.len < 20 ? site.len : 20), site.p);
    r->failed = FAIL_FORBIDDEN_ORIGIN;
    return -1;
}
