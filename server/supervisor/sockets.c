/*
 * sockets: see sockets.h. Runs in the supervisor, once; what can fail is said by listen.c.
 */
#include "supervisor/sockets.h"

#include "common/buf.h"
#include "common/log.h"

static void
gather(struct sockets *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->plain.count; i++)
        s->fds[n++] = s->plain.fds[i];
    for (unsigned i = 0; i < s->tls.count; i++)
        s->fds[n++] = s->tls.fds[i];
}

int
sockets_open(struct sockets *s, const struct conf *conf, bool with_tls)
{
    struct buf error = {0};

    *s = (struct sockets){.tls.tls = true};
    if (listen_open(&s->plain, conf->listen, (unsigned)conf->port, &error) != 0)
        goto fail;
    if (with_tls && listen_open(&s->tls, conf->listen, (unsigned)conf->tls_port, &error) != 0)
        goto fail;
    gather(s);
    if (s->plain.beyond_loopback && conf->demo != DEMO_YES)
        log_warnx("LISTENING BEYOND THIS MACHINE (%s port %u): anybody who reaches it can use the "
                  "server; its demo endpoints are off (demo = yes turns them on)",
                  conf->listen, s->plain.port);
    buf_fini(&error);
    return 0;
fail:
    log_errorx("%.*s", (int)error.len, error.data);
    buf_fini(&error);
    sockets_close(s);
    return -1;
}

void
sockets_close(struct sockets *s)
{
    listen_close(&s->plain);
    listen_close(&s->tls);
}
