/*
 * banner: see banner.h. Runs in the supervisor; puts a text together and writes it once.
 * Written with write(2): what stdio keeps would be written again by a forked child.
 */
#include "supervisor/banner.h"

#include "common/buf.h"
#include "common/version.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* "http://127.0.0.1:8080/      live picture": how wide the middle column is. */
enum { MIDDLE_COLUMN = 28 };

static void
add_count(struct buf *out, unsigned n, const char *what)
{
    buf_addf(out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

static void
add_processes(struct buf *out, const struct banner *b)
{
    buf_add_text(out, "1 loop · ");
    if (b->workers == 0)
        buf_add_text(out, "no workers");
    else
        add_count(out, b->workers, "worker");
    buf_add_text(out, " (");
    add_count(out, b->cpus, "CPU");
    buf_addf(out, ") · %s\n", b->config_path != NULL ? b->config_path : "default settings");
}

static void
add_line(struct buf *out, const char *verb, const char *middle, const char *sentence)
{
    int width = MIDDLE_COLUMN;

    if (strlen(middle) >= MIDDLE_COLUMN)
        width = (int)strlen(middle) + 1;
    buf_addf(out, "  %-5s %-*s%s\n", verb, width, middle, sentence);
}

void
banner_add(struct buf *out, const struct banner *b)
{
    struct buf middle = {0};

    if (b->step == NULL) {
        buf_addf(out, "interleave %s · pid %d · http://%s:%u/ · ", INTERLEAVE_VERSION, b->pid,
                 b->host, b->port);
        if (b->tls_port != 0)
            buf_addf(out, "https://%s:%u/ · ", b->host, b->tls_port);
        add_processes(out, b);
        return;
    }
    buf_addf(out, "%s server     pid %d · ", b->step, b->pid);
    add_processes(out, b);
    buf_add_char(out, '\n');
    buf_addf(&middle, "http://%s:%u/", b->host, b->port);
    add_line(out, "Open", middle.data, "live picture of what runs where");
    if (b->tls_port != 0) {
        middle.len = 0;
        buf_addf(&middle, "https://%s:%u/", b->host, b->tls_port);
        add_line(out, "", middle.data, "the same over TLS");
    }
    middle.len = 0;
    buf_addf(&middle, "curl %s:%u/", b->host, b->port);
    add_line(out, "Try", middle.data, "things to try, as text");
    add_line(out, "Stop", "Ctrl-C", "running requests are finished first");
    buf_fini(&middle);
}

void
banner_print(const struct banner *b)
{
    struct buf text = {0};
    size_t done = 0;

    banner_add(&text, b);
    while (done < text.len) {
        ssize_t n = write(STDOUT_FILENO, text.data + done, text.len - done);

        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            done += (size_t)n;
    }
    buf_fini(&text);
}
