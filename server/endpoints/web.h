/*
 * The files of the live page (server/web/): embedded by the build, or, where web_root is set, read
 * from a folder each time, for who edits them.
 *
 *   index.html    /             for who accepts text/html; curl gets the text of /help
 *   api.html      /api          any other page: its name without ".html"
 *   app.js ...    /app.js ...   every file: its name
 */
#ifndef ENDPOINTS_WEB_H
#define ENDPOINTS_WEB_H

#include "request/req.h"

#include <stdbool.h>
#include <stddef.h>

/* One embedded file, as it is and compressed by gzip. */
struct web_file {
    const char *name;
    const char *plain, *plain_end;
    const char *gzip, *gzip_end;
};
extern const struct web_file web_files[]; /* build/gen/web.c; ended by a NULL name */

/* The row of each file, at most `max`; called once, before the first request. Returns how many. A
 * page whose address has a row in `taken` already is only to be had by its whole name. */
unsigned web_routes(const char *web_root, struct route *out, unsigned max,
                    const struct route *taken, unsigned ntaken);

/* Is there such a file, so that web_answer() can give it? */
bool web_has(const struct req *, const char *name);
/* Answers with this file: its type, entity tag, conditions and encoding are seen to. `vary`: a
 * further field that the choice of this answer depended on, with ", " behind it; or "". */
struct next web_answer(struct req *, const char *name, const char *vary);
/* An answer that has no tag: 412 where the client names one, 304 for "*". Else goes on. */
struct next web_untagged(struct req *, req_step *step);

#endif
