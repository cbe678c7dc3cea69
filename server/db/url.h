/*
 * Inside db/: where PostgreSQL is, from the setting db_url.
 */
#ifndef DB_URL_H
#define DB_URL_H

#include "common/attr.h"
#include "common/conf.h"

#include <libpq-fe.h>

struct db_url {
    char *text;    /* secret */
    char *host;    /* to be looked up before each connection; NULL: nothing to look up */
    char *numeric; /* a host that is an address already, or NULL */
    char *options; /* of the user, may be NULL */
};

/* 0, or -1 and a sentence without any secret in why. */
MUST_CHECK int url_parse(struct db_url *, const char *text, char *why, size_t size);
void url_free(struct db_url *);

/* Starts a connection, as PQconnectStart() does. addresses: what the host was found to be, a list
 * of naddresses separated by commas; or NULL. options are added to the user's own. */
PGconn *url_connect(const struct db_url *, const char *addresses, unsigned naddresses,
                    const char *options);

#endif
