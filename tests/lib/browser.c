/*
 * browser: see browser.h. Messages are JSON, each with a NUL behind it; the child reads them from
 * descriptor 3 and writes to 4. One page, in a session of its own; events that come while an answer
 * is waited for are looked through for what went wrong.
 */
#include "browser.h"

#include "common/buf.h"
#include "e2e.h"

#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A page may take its time on a busy machine: a lesson runs for seconds. */
enum { PATIENCE_S = 60 };

struct browser {
    pid_t pid; /* leads a process group */
    int to, from;
    int last_id;
    char profile[64];
    char *session; /* NULL: none yet */
    char origin[64];
    struct buf heard;  /* octets not yet used */
    struct buf wrongs; /* NUL behind it */
};

/* ---- messages ---- */

static void
note(struct browser *b, const char *what, const char *detail)
{
    buf_addf(&b->wrongs, "%s: %s\n", what, detail != NULL ? detail : "?");
}

static const char *
text_at(const json_t *root, const char *outer, const char *inner)
{
    return json_string_value(json_object_get(json_object_get(root, outer), inner));
}

static void
note_request(struct browser *b, const char *url)
{
    static const char *const own[] = {"data:", "blob:", "about:"};

    if (strncmp(url, b->origin, strlen(b->origin)) == 0)
        return;
    for (unsigned i = 0; i < 3; i++)
        if (strncmp(url, own[i], strlen(own[i])) == 0)
            return;
    note(b, "asked another host", url);
}

static void
take_event(struct browser *b, const char *method, const json_t *params)
{
    if (strcmp(method, "Runtime.exceptionThrown") == 0) {
        const json_t *details = json_object_get(params, "exceptionDetails");
        const char *text = text_at(details, "exception", "description");

        note(b, "exception",
             text != NULL ? text : json_string_value(json_object_get(details, "text")));
    } else if (strcmp(method, "Runtime.consoleAPICalled") == 0) {
        const json_t *args = json_object_get(params, "args");
        const char *type = json_string_value(json_object_get(params, "type"));

        if (type != NULL && strcmp(type, "error") == 0)
            note(b, "console",
                 json_string_value(json_object_get(json_array_get(args, 0), "value")));
    } else if (strcmp(method, "Log.entryAdded") == 0) {
        const char *level = text_at(params, "entry", "level");

        if (level != NULL && strcmp(level, "error") == 0) {
            note(b, "log", text_at(params, "entry", "text"));
            note(b, "    of", text_at(params, "entry", "url"));
        }
    } else if (strcmp(method, "Network.requestWillBeSent") == 0) {
        note_request(b, text_at(params, "request", "url"));
    }
}

/* The next message; NULL after `deadline`. */
static json_t *
hear(struct browser *b, time_t deadline)
{
    for (;;) {
        const char *end = b->heard.len > 0 ? memchr(b->heard.data, '\0', b->heard.len) : NULL;
        struct pollfd fd = {.fd = b->from, .events = POLLIN};
        char some[65536];
        ssize_t n;

        if (end != NULL) {
            const size_t len = (size_t)(end - b->heard.data) + 1;
            json_error_t error;
            json_t *message = json_loads(b->heard.data, 0, &error);

            ck_assert_msg(message != NULL, "Chromium says no JSON: %s", error.text);
            memmove(b->heard.data, b->heard.data + len, b->heard.len - len);
            b->heard.len -= len;
            return message;
        }
        if (time(NULL) > deadline)
            return NULL;
        if (poll(&fd, 1, 1000) <= 0)
            continue;
        n = read(b->from, some, sizeof(some));
        ck_assert_msg(n > 0, "Chromium has gone");
        buf_add(&b->heard, some, (size_t)n);
    }
}

/* Takes `params`. The result, borrowed from *message, which is json_decref()ed by the caller. */
static const json_t *
ask(struct browser *b, const char *method, json_t *params, json_t **message)
{
    const time_t deadline = time(NULL) + PATIENCE_S;
    const int id = ++b->last_id;
    json_t *command = json_pack("{s:i,s:s,s:o}", "id", id, "method", method, "params",
                                params != NULL ? params : json_object());
    char *text;

    if (b->session != NULL)
        json_object_set_new(command, "sessionId", json_string(b->session));
    text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    ck_assert_int_eq(write(b->to, text, strlen(text) + 1), (ssize_t)strlen(text) + 1);
    free(text);
    while ((*message = hear(b, deadline)) != NULL) {
        const json_t *answer = json_object_get(*message, "id");
        const char *event = json_string_value(json_object_get(*message, "method"));

        if (answer != NULL && json_integer_value(answer) == id) {
            ck_assert_msg(json_object_get(*message, "error") == NULL, "%s: %s", method,
                          text_at(*message, "error", "message"));
            return json_object_get(*message, "result");
        }
        if (event != NULL)
            take_event(b, event, json_object_get(*message, "params"));
        json_decref(*message);
    }
    ck_abort_msg("Chromium does not answer %s within %d s", method, PATIENCE_S);
    return NULL;
}

static void
tell(struct browser *b, const char *method, json_t *params)
{
    json_t *message;

    ask(b, method, params, &message);
    json_decref(message);
}

/* ---- begin and end ---- */

static void
become_chromium(const struct browser *b, const int to[2], const int from[2])
{
    char profile[96];
    const char *const argv[] = {
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--disable-component-update",
        "--remote-debugging-pipe",
        profile,
        "about:blank",
        NULL,
    };
    int ends[2];

    snprintf(profile, sizeof(profile), "--user-data-dir=%s", b->profile);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* first out of the way of 3 and 4 */
    ends[0] = dup(to[0]);
    ends[1] = dup(from[1]);
    while (ends[0] <= 4)
        ends[0] = dup(ends[0]);
    while (ends[1] <= 4)
        ends[1] = dup(ends[1]);
    dup2(ends[0], 3);
    dup2(ends[1], 4);
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(127);
    unsetenv("LD_PRELOAD");
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

bool
browser_is_there(void)
{
    return system("command -v chromium > /dev/null 2>&1") == 0;
}

static char *
ask_text(struct browser *b, const char *method, json_t *params, const char *member)
{
    json_t *message;
    const json_t *result = ask(b, method, params, &message);
    const char *text = json_string_value(json_object_get(result, member));
    char *copy;

    ck_assert_msg(text != NULL, "%s gives no %s", method, member);
    copy = strdup(text);
    json_decref(message);
    return copy;
}

static void
open_page(struct browser *b)
{
    static const char *const domains[] = {"Page.enable", "Runtime.enable", "Log.enable",
                                          "Network.enable"};
    char *target =
        ask_text(b, "Target.createTarget", json_pack("{s:s}", "url", "about:blank"), "targetId");

    b->session = ask_text(b, "Target.attachToTarget",
                          json_pack("{s:s,s:b}", "targetId", target, "flatten", 1), "sessionId");
    free(target);
    for (unsigned i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
        tell(b, domains[i], NULL);
}

struct browser *
browser_open(void)
{
    struct browser *b;
    int to[2], from[2];

    signal(SIGPIPE, SIG_IGN);
    b = calloc(1, sizeof(*b));
    ck_assert_ptr_nonnull(b);
    snprintf(b->profile, sizeof(b->profile), "/tmp/interleave-browser-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(b->profile));
    ck_assert(pipe(to) == 0 && pipe(from) == 0);
    b->pid = fork();
    ck_assert_int_ge(b->pid, 0);
    if (b->pid == 0)
        become_chromium(b, to, from);
    setpgid(b->pid, b->pid);
    close(to[0]);
    close(from[1]);
    b->to = to[1];
    b->from = from[0];
    open_page(b);
    return b;
}

void
browser_close(struct browser *b)
{
    char command[96];

    kill(-b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
    close(b->to);
    close(b->from);
    snprintf(command, sizeof(command), "rm -rf %s", b->profile);
    ck_assert_int_eq(system(command), 0);
    free(b->session);
    buf_fini(&b->heard);
    buf_fini(&b->wrongs);
    free(b);
}

/* ---- pages ---- */

static json_t *
evaluate(struct browser *b, const char *expression)
{
    json_t *message, *value;
    const json_t *result = ask(b, "Runtime.evaluate",
                               json_pack("{s:s,s:b,s:b,s:b}", "expression", expression,
                                         "returnByValue", 1, "awaitPromise", 1, "userGesture", 1),
                               &message);
    const char *wrong =
        text_at(json_object_get(result, "exceptionDetails"), "exception", "description");

    ck_assert_msg(json_object_get(result, "exceptionDetails") == NULL, "%s: %s", expression,
                  wrong != NULL ? wrong : "failed");
    value = json_object_get(json_object_get(result, "result"), "value");
    value = value != NULL ? json_incref(value) : json_null();
    json_decref(message);
    return value;
}

/* The formatted text; free(). */
__attribute__((format(printf, 1, 0))) static char *
format(const char *fmt, va_list ap)
{
    char *text;

    ck_assert_int_ge(vasprintf(&text, fmt, ap), 0);
    return text;
}

#define FORMAT(text, fmt)                                                                          \
    do {                                                                                           \
        va_list ap_;                                                                               \
        va_start(ap_, fmt);                                                                        \
        (text) = format(fmt, ap_);                                                                 \
        va_end(ap_);                                                                               \
    } while (0)

json_t *
browser_eval(struct browser *b, const char *fmt, ...)
{
    char *expression;
    json_t *value;

    FORMAT(expression, fmt);
    value = evaluate(b, expression);
    free(expression);
    return value;
}

char *
browser_text(struct browser *b, const char *fmt, ...)
{
    char *expression, *text;
    json_t *value;

    FORMAT(expression, fmt);
    value = evaluate(b, expression);
    ck_assert_msg(json_is_string(value), "%s is no text", expression);
    text = strdup(json_string_value(value));
    json_decref(value);
    free(expression);
    return text;
}

double
browser_number(struct browser *b, const char *fmt, ...)
{
    char *expression;
    json_t *value;
    double number;

    FORMAT(expression, fmt);
    value = evaluate(b, expression);
    ck_assert_msg(json_is_number(value), "%s is no number", expression);
    number = json_number_value(value);
    json_decref(value);
    free(expression);
    return number;
}

void
browser_until(struct browser *b, const char *fmt, ...)
{
    char *expression, *waiting;
    json_t *value;

    FORMAT(expression, fmt);
    ck_assert_int_ge(asprintf(&waiting,
                              "new Promise((done) => { const end = Date.now() + %d;"
                              " const look = () => { if (%s) done(true);"
                              " else if (Date.now() > end) done(false);"
                              " else setTimeout(look, 20); }; look(); })",
                              (PATIENCE_S - 15) * 1000, expression),
                     0);
    value = evaluate(b, waiting);
    ck_assert_msg(json_is_true(value), "never came true: %s\n%s", expression, browser_wrongs(b));
    json_decref(value);
    free(waiting);
    free(expression);
}

void
browser_go(struct browser *b, int port, const char *path)
{
    char url[256];

    snprintf(b->origin, sizeof(b->origin), "http://127.0.0.1:%d/", port);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    tell(b, "Page.navigate", json_pack("{s:s}", "url", url));
    browser_until(b, "document.readyState === 'complete' && location.href === '%s'", url);
}

void
browser_look(struct browser *b, int width, int height, bool dark)
{
    tell(b, "Emulation.setDeviceMetricsOverride",
         json_pack("{s:i,s:i,s:f,s:b}", "width", width, "height", height, "deviceScaleFactor", 1.0,
                   "mobile", 0));
    tell(b, "Emulation.setScrollbarsHidden", json_pack("{s:b}", "hidden", 1));
    tell(b, "Emulation.setEmulatedMedia",
         json_pack("{s:[{s:s,s:s}]}", "features", "name", "prefers-color-scheme", "value",
                   dark ? "dark" : "light"));
}

void
browser_shot(struct browser *b, const char *path)
{
    char *text =
        ask_text(b, "Page.captureScreenshot",
                 json_pack("{s:s,s:b}", "format", "png", "captureBeyondViewport", 1), "data");
    const size_t len = strlen(text);
    unsigned char *png = malloc(len);
    FILE *file = fopen(path, "we");
    int n;

    ck_assert(png != NULL && file != NULL);
    n = EVP_DecodeBlock(png, (const unsigned char *)text, (int)len);
    ck_assert_int_gt(n, 0);
    /* what pads the last group decodes to zeros */
    n -= text[len - 1] == '=';
    n -= text[len - 2] == '=';
    ck_assert_uint_eq(fwrite(png, 1, (size_t)n, file), (size_t)n);
    fclose(file);
    free(png);
    free(text);
}

const char *
browser_wrongs(struct browser *b)
{
    static char wrongs[4096];

    snprintf(wrongs, sizeof(wrongs), "%.*s", (int)b->wrongs.len,
             b->wrongs.data != NULL ? b->wrongs.data : "");
    b->wrongs.len = 0;
    return wrongs;
}
