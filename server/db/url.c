/*
 * url: see url.h. Libpq would look up the name of a host by itself, with getaddrinfo(), and the
 * whole loop would wait for that: so a name is taken out here, looked up by libevent (lookup.c),
 * and given to libpq as an address. Sockets and addresses need no look-up; of several hosts in one
 * url, names are left to libpq, which is said in the log.
 *
 * A password with an unescaped @ or / makes libpq take parts of it for a host, a port or a name,
 * and its messages would then show these parts: such urls are refused before anybody can print
 * them.
 */
#include "db/url.h"

#include "common/log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
option(const PQconninfoOption *options, const char *keyword)
{
    if (options == NULL)
        return NULL;
    for (; options->keyword != NULL; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val != NULL && *options->val != '\0' ? options->val : NULL;
    return NULL;
}

static const char *
option_or(const PQconninfoOption *given, const PQconninfoOption *defaults, const char *keyword)
{
    const char *value = option(given, keyword);

    return value != NULL ? value : option(defaults, keyword);
}

static bool
is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Does it look as if parts of a password had got here? */
static bool
is_suspicious(const PQconninfoOption *given)
{
    const char *host = option(given, "host"), *port = option(given, "port"),
               *name = option(given, "dbname");

    return (host != NULL && host[0] != '/' && host[0] != '@' && strchr(host, '@') != NULL) ||
           (port != NULL && port[strspn(port, "0123456789,")] != '\0') ||
           (name != NULL && strchr(name, '@') != NULL);
}

static void
take_host(struct db_url *url, const char *host)
{
    if (host == NULL || host[0] == '/' || host[0] == '@')
        return;
    if (strchr(host, ',') != NULL)
        log_warnx("db_url names several hosts: while libpq looks up their names, everything waits");
    else if (is_numeric(host))
        url->numeric = xstrdup(host);
    else
        url->host = xstrdup(host);
}

int
url_parse(struct db_url *url, const char *text, char *why, size_t size)
{
    char *libpq_says = NULL; /* may hold parts of the password: never printed */
    PQconninfoOption *given = PQconninfoParse(text, &libpq_says), *defaults = NULL;
    int result = -1;

    *url = (struct db_url){0};
    PQfreemem(libpq_says);
    if (given == NULL || is_suspicious(given)) {
        snprintf(why, size,
                 "db_url is not understood; it looks like postgres://user:password@host:port/name, "
                 "with %%XX for special characters in the password");
        goto done;
    }
    defaults = PQconndefaults();
    if (option_or(given, defaults, "hostaddr") == NULL)
        take_host(url, option_or(given, defaults, "host"));
    if (option_or(given, defaults, "options") != NULL)
        url->options = xstrdup(option_or(given, defaults, "options"));
    url->text = xstrdup(text);
    result = 0;
done:
    PQconninfoFree(given);
    PQconninfoFree(defaults);
    return result;
}

void
url_free(struct db_url *url)
{
    free(url->text);
    free(url->host);
    free(url->numeric);
    free(url->options);
    *url = (struct db_url){0};
}

/* "name,name,name": libpq wants as many hosts as addresses. */
static char *
repeat_host(const char *host, unsigned times)
{
    const size_t len = strlen(host);
    char *list = xmalloc((len + 1) * (times + 1)), *p = list;

    for (unsigned i = 0; i < times; i++) {
        memcpy(p, host, len);
        p += len;
        *p++ = ',';
    }
    p[p > list ? -1 : 0] = '\0';
    return list;
}

PGconn *
url_connect(const struct db_url *url, const char *addresses, unsigned naddresses,
            const char *options)
{
    const char *keywords[10], *values[10];
    size_t size = (url->options != NULL ? strlen(url->options) : 0) + strlen(options) + 2;
    char *all_options = xmalloc(size), *hosts = NULL;
    PGconn *pg;
    int n = 0;

#define SETTING(keyword, value) (keywords[n] = (keyword), values[n++] = (value))
    snprintf(all_options, size, "%s %s", url->options != NULL ? url->options : "", options);
    SETTING("dbname", url->text); /* expanded; what follows wins */
    SETTING("application_name", "interleave");
    SETTING("client_encoding", "UTF8");
    SETTING("gssencmode", "disable");
    SETTING("options", all_options);
    if (addresses != NULL) {
        hosts = repeat_host(url->host, naddresses);
        SETTING("host", hosts);
        SETTING("hostaddr", addresses);
    } else if (url->numeric != NULL) {
        SETTING("hostaddr", url->numeric);
    }
    SETTING(NULL, NULL);
#undef SETTING
    pg = PQconnectStartParams(keywords, values, 1);
    free(all_options);
    free(hosts);
    return pg;
}
