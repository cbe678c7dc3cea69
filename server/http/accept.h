/*
 * Taking clients in: the listening sockets of a server, connections accepted from them in batches,
 * and what is said to those for whom there is no place.
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "http/server.h"

/* Before the first http_listen(). */
void accept_open(struct http_server *);
/* Accepts no more; what is in the backlog is left to whoever else listens there. */
void accept_stop(struct http_server *);
/* The same, and gives back the spare descriptor. */
void accept_close(struct http_server *);

#endif
