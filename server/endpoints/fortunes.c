/*
 * /fortunes of the TechEmpower set: all rows of a small table and one that is added here, sorted by
 * the octets of their messages, as a page. What stands in the table is text, whatever it looks
 * like: one row is a script.
 */
#include "endpoints/endpoints.h"

#include <stdlib.h>
#include <string.h>

enum { FORTUNE_ID, FORTUNE_MESSAGE };

static const char added_message[] = "Additional fortune added at request time.";

struct fortunes {
    struct query rows;
};

struct fortune {
    int64_t id;
    const char *message;
    size_t len;
};

static int
by_message(const void *a, const void *b)
{
    const struct fortune *x = a, *y = b;
    int order = memcmp(x->message, y->message, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void
add_page(struct buf *b, const struct fortune *list, size_t count)
{
    buf_add_text(b, "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table>"
                    "<tr><th>id</th><th>message</th></tr>");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(b, "<tr><td>");
        buf_add_u64(b, (uint64_t)list[i].id);
        buf_add_text(b, "</td><td>");
        buf_add_html(b, list[i].message, list[i].len);
        buf_add_text(b, "</td></tr>");
    }
    buf_add_text(b, "</table></body></html>");
}

static struct next
fortunes_answer(struct req *r)
{
    struct fortunes *s = r->state;
    const struct db_query *q = &s->rows.q;
    const size_t count = (size_t)db_rows(q) + 1;
    struct fortune *list = arena_alloc(&r->arena, count * sizeof(*list));
    struct buf *b = req_scratch(r);

    for (size_t i = 0; i + 1 < count; i++) {
        list[i].id = db_int(q, (int)i, FORTUNE_ID);
        list[i].message = db_text(q, (int)i, FORTUNE_MESSAGE, &list[i].len);
    }
    list[count - 1] = (struct fortune){0, added_message, sizeof(added_message) - 1};
    qsort(list, count, sizeof(*list), by_message);
    add_page(b, list, count);
    return reply_text(r, 200, "text/html; charset=utf-8", b->data, b->len);
}

struct next
fortunes_ask(struct req *r)
{
    struct fortunes *s = req_state_new(r, sizeof(*s));

    req_query(r, &s->rows, SQL_FORTUNES, NULL, 0);
    return wait_all(r, fortunes_answer);
}
