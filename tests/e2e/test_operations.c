/*
 * What the server says about itself: help, the OpenAPI file, health, settings, the trace of a
 * request.
 */
#include "e2e.h"
#include "suite.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
}

static void
stop(void)
{
    server_stop(server);
}

START_TEST(test_help_lists_every_address_of_the_openapi_file)
{
    struct reply help = http_get(server, "/help");
    json_t *api = get_json(server, "/openapi.json", 200), *row;
    const char *path;

    ck_assert_str_eq(json_text(api, "openapi"), "3.1.0");
    json_object_foreach(json_object_get(api, "paths"), path, row) {
        char name[128];

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "{"), path);
        ck_assert_msg(strstr(help.body, name) != NULL, "/help lacks %s", path);
    }
    ck_assert_uint_gt(json_object_size(json_object_get(api, "paths")), 15);
    json_decref(api);
    reply_free(&help);
}
END_TEST

/* How often a text occurs in another. */
static unsigned
occurrences(const char *text, const char *wanted)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, wanted)) != NULL; p++)
        n++;
    return n;
}

START_TEST(test_help_has_the_parameters_of_every_address_in_one_manner)
{
    struct reply help = http_get(server, "/help");
    unsigned params = 0;
    char *rest = NULL;

    ck_assert_uint_eq(occurrences(help.body, "      queries   1..500 (1)  "), 2);
    ck_assert_uint_eq(occurrences(help.body, "      count     1..500 (1)  "), 1);
    for (char *line = strtok_r(help.body, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *sentence = strrchr(line, ')');

        if (strncmp(line, "      ", 6) != 0)
            continue;
        sentence = sentence != NULL ? sentence + 1 + strspn(sentence + 1, " ") : line + 6;
        ck_assert_msg(islower((unsigned char)*sentence) || isdigit((unsigned char)*sentence),
                      "no small letter at the begin: %s", line);
        ck_assert_msg(line[strlen(line) - 1] != '.', "a stop at the end: %s", line);
        params++;
    }
    ck_assert_uint_gt(params, 25);
    reply_free(&help);
}
END_TEST

START_TEST(test_the_root_is_help_for_curl_and_a_page_for_a_browser)
{
    struct reply text = http_get(server, "/");
    struct reply page = http_ask(server, "GET", "/", "Accept: text/html,*/*\r\n", NULL, 0);

    ck_assert_ptr_nonnull(strstr(reply_field(&text, "content-type"), "text/plain"));
    ck_assert_ptr_nonnull(strstr(reply_field(&page, "content-type"), "text/html"));
    reply_free(&text);
    reply_free(&page);
}
END_TEST

START_TEST(test_operations_answer)
{
    struct reply r = http_get(server, "/livez");
    json_t *root;

    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    status_wait(server, "workers.alive", 2, 2);
    r = http_get(server, "/readyz");
    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    root = get_json(server, "/config", 200);
    ck_assert_str_eq(json_text(root, "db_url.value"), "***");
    ck_assert_str_eq(json_text(root, "workers.from"), "-o");
    json_decref(root);
    root = get_json(server, "/version", 200);
    ck_assert_str_eq(json_text(root, "name"), "interleave");
    json_decref(root);
    r = http_get(server, "/problems/misdirected");
    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "server_names"));
    reply_free(&r);
    r = http_get(server, "/problems/");
    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "400  /problems/out-of-range"));
    ck_assert_ptr_nonnull(strstr(r.body, "502  /problems/job-died"));
    reply_free(&r);
}
END_TEST

START_TEST(test_the_trace_of_a_request_has_its_query_and_its_tasks)
{
    struct reply r = http_get(server, "/work?wait_ms=20&cpu_ms=20&sections=2");
    char target[128];
    const char *id = reply_field(&r, "x-request-id");
    json_t *root, *events;
    unsigned tasks = 0, queries = 0;

    snprintf(target, sizeof(target), "/trace.json?request=%s", strchr(id, '-') + 1);
    reply_free(&r);
    root = get_json(server, target, 200);
    events = json_object_get(root, "traceEvents");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(events, i), "name"));
        const char *ph = json_string_value(json_object_get(json_array_get(events, i), "ph"));

        tasks += name != NULL && strstr(name, "task") != NULL && strcmp(ph, "X") == 0;
        queries += name != NULL && strstr(name, "query") != NULL && strcmp(ph, "b") == 0;
    }
    ck_assert_uint_eq(tasks, 2);
    ck_assert_uint_eq(queries, 1);
    json_decref(root);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_help_lists_every_address_of_the_openapi_file,
        test_help_has_the_parameters_of_every_address_in_one_manner,
        test_the_root_is_help_for_curl_and_a_page_for_a_browser,
        test_operations_answer,
        test_the_trace_of_a_request_has_its_query_and_its_tasks,
    };

    return suite_run_mode(
        suite_of("operations", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
