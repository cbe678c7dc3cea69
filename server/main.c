/*
 * interleave: the command line. Reads the settings, and runs the supervisor with them.
 *
 *   exit status   0 fine, 1 failed at run time, 2 wrong usage, 78 wrong configuration (EX_CONFIG)
 *
 * All options stand in one table, from which getopt_long() is fed and --help is printed. Every
 * error of the configuration is named in one run, not only the first.
 */
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/proctitle.h"
#include "common/version.h"
#include "front.h"
#include "supervisor/identity.h"
#include "supervisor/settings.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

enum { OPTION_HELP = 256, OPTION_VERSION };

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PRINT, ACTION_HELP, ACTION_VERSION };

static const struct {
    int value; /* the letter, or a number above all letters */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *sentence;
} options[] = {
    {'c', "config", "FILE", "read this configuration file"},
    {'o', "option", "KEY=VALUE", "set one key; wins over the file, may be repeated"},
    {'t', "test", NULL, "check the configuration, name all errors, and stop"},
    {'T', "print", NULL, "print all settings in force with where each came from, and stop"},
    {OPTION_HELP, "help", NULL, "print this text"},
    {OPTION_VERSION, "version", NULL, "print the version"},
};

enum { NOPTIONS = sizeof(options) / sizeof(options[0]) };

struct command {
    enum action action;
    struct settings_source source;
};

static void
print_help(void)
{
    printf("interleave %s: an HTTP server that shows its work.\n"
           "Usage: interleave [-c FILE] [-o KEY=VALUE]... [-t|-T]\n\n",
           INTERLEAVE_VERSION);
    for (int i = 0; i < NOPTIONS; i++) {
        char left[64];

        snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
                 options[i].argument != NULL ? " " : "",
                 options[i].argument != NULL ? options[i].argument : "");
        if (options[i].value < OPTION_HELP)
            printf("  -%c, %-20s %s\n", options[i].value, left, options[i].sentence);
        else
            printf("      %-20s %s\n", left, options[i].sentence);
    }
    printf(
        "\nSignals: HUP reads the configuration again; TERM and INT finish running requests and\n"
        "stop; a second one stops at once.\n"
        "Exit status: 0 fine, 1 failed at run time, 2 wrong usage, 78 wrong configuration.\n");
}

/* ---- command line ---- */

/* The table as getopt_long() wants it. */
static void
fill_getopt(struct option *longs, char *shorts)
{
    for (int i = 0; i < NOPTIONS; i++) {
        longs[i] = (struct option){.name = options[i].name,
                                   .has_arg = options[i].argument != NULL ? required_argument
                                                                          : no_argument,
                                   .val = options[i].value};
        if (options[i].value >= OPTION_HELP)
            continue;
        *shorts++ = (char)options[i].value;
        if (options[i].argument != NULL)
            *shorts++ = ':';
    }
    longs[NOPTIONS] = (struct option){0};
    *shorts = '\0';
}

/* 0, or -1: wrong usage, which has been told on stderr. `texts` has room for all -o. */
static int
parse_command(int argc, char **argv, char **texts, struct command *out)
{
    struct option longs[NOPTIONS + 1];
    char shorts[2 * NOPTIONS + 1];
    int found;

    *out = (struct command){.action = ACTION_RUN, .source = {.options = texts}};
    fill_getopt(longs, shorts);
    while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        switch (found) {
        case 'c':
            out->source.path = optarg;
            break;
        case 'o':
            texts[out->source.noptions++] = optarg;
            break;
        case 't':
            out->action = ACTION_CHECK;
            break;
        case 'T':
            out->action = ACTION_PRINT;
            break;
        case OPTION_HELP:
            out->action = ACTION_HELP;
            return 0;
        case OPTION_VERSION:
            out->action = ACTION_VERSION;
            return 0;
        default:
            return -1; /* getopt_long() has told */
        }
    }
    if (optind == argc)
        return 0;
    fprintf(stderr, "%s: what is \"%s\" for? A configuration file is given with -c\n", argv[0],
            argv[optind]);
    return -1;
}

/* ---- the ground on which all stands ---- */

/* Sockets must never land on 0, 1 or 2, where somebody would write a log line into them. */
static void
open_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Connections are descriptors: as many as the system lets us have. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("the limit of open files stays as it is");
}

static int
run(const struct settings_source *source, struct conf_set *settings, uint64_t started_ns)
{
    char worker[PATH_MAX];
    const struct supervisor_setup setup = {
        .source = *source,
        .settings = settings,
        .front = front_main,
        .worker_path = worker,
        .started_ns = started_ns,
    };

    raise_descriptor_limit();
    if (children_find_beside("interleave-worker", worker, sizeof(worker)) != 0) {
        log_error("/proc/self/exe: the worker program lies beside this one. Is /proc mounted?");
        conf_free(settings);
        return EXIT_FAILURE;
    }
    if (conf_values(settings)->workers != 0 && access(worker, X_OK) != 0) {
        log_error("the worker program %s. Try: make, or -o workers=0", worker);
        conf_free(settings);
        return EXIT_FAILURE;
    }
    return supervisor_run(&setup);
}

static int
print_settings(struct conf_set *settings)
{
    struct buf text = {0};

    conf_print_settings(settings, &text);
    fwrite(text.data, 1, text.len, stdout);
    buf_fini(&text);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Settings are right; what is left is in the files that they name. */
static int
check_settings(const struct command *command, struct conf_set *settings)
{
    struct identity identity;
    struct buf why = {0};
    int wrong = identity_read(&identity, conf_values(settings), &why);

    if (wrong == 0 && identity_is_set(&identity) && front_check_identity(&identity, &why) != 0) {
        buf_add_char(&why, '\n');
        wrong++;
    }
    if (why.len > 0)
        fwrite(why.data, 1, why.len, stderr);
    if (wrong == 0)
        printf("%s: the configuration is fine\n",
               command->source.path != NULL ? command->source.path : "default settings");
    identity_fini(&identity);
    buf_fini(&why);
    return wrong == 0 ? EXIT_SUCCESS : EX_CONFIG;
}

static int
with_settings(const struct command *command, uint64_t started_ns)
{
    struct buf errors = {0};
    struct conf_set *settings = settings_read(&command->source, &errors);
    int status;

    if (settings == NULL) {
        fwrite(errors.data, 1, errors.len, stderr);
        buf_fini(&errors);
        return EX_CONFIG;
    }
    buf_fini(&errors);
    log_init("supervisor", (enum log_level)conf_values(settings)->log_level);
    if (command->action == ACTION_RUN) {
        proctitle_set("interleave: supervisor");
        return run(&command->source, settings, started_ns);
    }
    status = command->action == ACTION_PRINT ? print_settings(settings)
                                             : check_settings(command, settings);
    conf_free(settings);
    return status;
}

int
main(int argc, char **argv)
{
    const uint64_t started_ns = clock_ns();
    struct command command;
    char **texts;
    int status;

    open_standard_descriptors();
    proctitle_init(argc, argv);
    texts = xcalloc((unsigned long)argc, sizeof(*texts));
    if (parse_command(argc, argv, texts, &command) != 0) {
        fprintf(stderr, "Try: interleave --help\n");
        status = EXIT_USAGE;
    } else if (command.action == ACTION_HELP) {
        print_help();
        status = EXIT_SUCCESS;
    } else if (command.action == ACTION_VERSION) {
        printf("interleave %s\n", INTERLEAVE_VERSION);
        status = EXIT_SUCCESS;
    } else {
        status = with_settings(&command, started_ns);
    }
    free(texts);
    return status;
}
