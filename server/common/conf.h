/*
 * The configuration: ONE flat table of keys (conf_table.c) gives the parser, the checks, -t, -T,
 * /config, the manual page and the sample file, so that they can't drift.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum conf_workers { CONF_AUTO = -1 };
enum conf_demo { DEMO_AUTO, DEMO_NO, DEMO_YES };
enum conf_run { RUN_WORKERS, RUN_LOOP, RUN_LOOP_BLOCKING };
enum conf_sync { SYNC_TURN, SYNC_QUERY };

enum { CONF_TEXT_MAX = 1024, CONF_CPUS_MAX = 1024 };

/* Durations in milliseconds, sizes in octets. */
struct conf {
    /* listening */
    char listen[CONF_TEXT_MAX];       /* addresses, separated by blanks */
    int64_t port;                     /* 0: any free one */
    int64_t demo;                     /* enum conf_demo */
    char server_names[CONF_TEXT_MAX]; /* further host names that are ours, separated by blanks */
    int64_t tls_port;                 /* as port */
    char tls_certificate[CONF_TEXT_MAX], tls_key[CONF_TEXT_MAX]; /* paths; empty: no https */
    /* processes */
    int64_t workers;                 /* CONF_AUTO or 0..256 */
    char worker_cpus[CONF_TEXT_MAX]; /* "spread", "none" or a list "0,2-3" */
    char loop_cpu[CONF_TEXT_MAX];    /* "any" or a number */
    int64_t run;                     /* enum conf_run: default of the parameter run */
    /* limits */
    int64_t max_connections;
    int64_t max_in_progress; /* 0: no limit */
    int64_t max_queue;       /* requests waiting in front of max_in_progress */
    int64_t max_target, max_head, max_fields, max_body, max_picture, max_memory, max_bytes_per_turn;
    /* time */
    int64_t head_timeout, body_timeout, idle_timeout, write_timeout, drain_timeout, job_timeout;
    /* database */
    char db_url[CONF_TEXT_MAX]; /* secret */
    int64_t db_fast, db_write, db_slow, db_slow_ready;
    int64_t db_sync; /* enum conf_sync */
    int64_t db_fast_queue, db_write_queue, db_slow_queue;
    int64_t db_fast_wait, db_write_wait, db_slow_wait;
    int64_t db_suspect, db_answer; /* 250 ms, 2 s at the head of a FIFO */
    int64_t db_connect;            /* time-out of one attempt */
    /* trace */
    int64_t trace;       /* 0 off, 1 on */
    int64_t trace_bytes; /* 8 MiB */
    /* page */
    char web_root[CONF_TEXT_MAX]; /* a folder; empty: the embedded files */
    /* log */
    int64_t log_level; /* enum log_level */
};

/* A setting as text with where it came from: -T and /config print these. Secrets print as ***; all
 * else can be given to conf_read_option() again. */
struct conf_origin {
    const char *key;
    char value[CONF_TEXT_MAX];
    char origin[CONF_TEXT_MAX]; /* "default", "config/x.conf:12", "-o" */
    const char *sentence;
    bool reloadable;
};

struct conf_set; /* the values with their origins */

/* All defaults. */
struct conf_set *conf_new(void);
void conf_free(struct conf_set *);
/* Reads an INI file (inih) / one "key=value"; what is read later wins. ALL errors, each one line
 * "file:line: ..., allowed range, did you mean", are added to errors; returns how many. */
MUST_CHECK int conf_read_file(struct conf_set *, const char *path, struct buf *errors);
MUST_CHECK int conf_read_option(struct conf_set *, const char *option, struct buf *errors);
/* Checks between keys, and whether the CPUs named are there. */
MUST_CHECK int conf_check(struct conf_set *, struct buf *errors);
const struct conf *conf_values(const struct conf_set *);
/* Row i in table order; false behind the last. */
bool conf_row(const struct conf_set *, unsigned i, struct conf_origin *out);
/* The -T listing; a fully commented sample file; the keys for the manual page (roff). */
void conf_print_settings(const struct conf_set *, struct buf *);
void conf_print_sample(struct buf *);
void conf_print_manual(struct buf *);
/* FNV-1a hash of all effective values but secrets: stands in /status and results.json. */
uint64_t conf_hash(const struct conf_set *);

#endif
