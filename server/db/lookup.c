/*
 * lookup: the name of PostgreSQL's host, looked up by libevent's resolver without blocking, before
 * each connection: the address may have changed since the last one. /etc/hosts counts.
 */
#include "db/parts.h"

#include "common/log.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ADDRESSES_MAX = 8, ADDRESS_TEXT = NI_MAXHOST };

static unsigned
list_addresses(const struct evutil_addrinfo *found, char *list, size_t size)
{
    char address[ADDRESS_TEXT];
    unsigned n = 0;
    size_t len = 0;

    list[0] = '\0';
    for (; found != NULL && n < ADDRESSES_MAX; found = found->ai_next) {
        if (getnameinfo(found->ai_addr, (socklen_t)found->ai_addrlen, address, sizeof(address),
                        NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        if (len + strlen(address) + 2 > size)
            break;
        len += (size_t)snprintf(list + len, size - len, "%s%s", n > 0 ? "," : "", address);
        n++;
    }
    return n;
}

static void
on_found(int error, struct evutil_addrinfo *found, void *arg)
{
    struct db_conn *c = arg;
    char list[ADDRESSES_MAX * 64], why[200];
    unsigned n = 0;

    if (error == EVUTIL_EAI_CANCEL)
        return;
    c->lookup = NULL;
    if (error == 0) {
        n = list_addresses(found, list, sizeof(list));
        evutil_freeaddrinfo(found);
    }
    if (n > 0) {
        conn_connect(c, list, n);
        return;
    }
    snprintf(why, sizeof(why), "the host \"%s\" is not found: %s", c->db->url.host,
             error != 0 ? evutil_gai_strerror(error) : "no address");
    conn_failed(c, why);
}

void
lookup_begin(struct db_conn *c)
{
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct evdns_getaddrinfo_request *request;

    conn_move(c, CONN_LOOKUP);
    if (c->db->dns == NULL)
        c->db->dns = evdns_base_new(c->db->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                     EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (c->db->dns == NULL) {
        conn_failed(c, "no name can be looked up (is /etc/resolv.conf right?)");
        return;
    }
    request = evdns_getaddrinfo(c->db->dns, c->db->url.host, NULL, &hints, on_found, c);
    /* NULL: on_found() has been called already, and the connection may be in any state. */
    if (request != NULL && c->state == CONN_LOOKUP)
        c->lookup = request;
}

void
lookup_end(struct db_conn *c)
{
    if (c->lookup != NULL)
        evdns_getaddrinfo_cancel(c->lookup);
    c->lookup = NULL;
}
