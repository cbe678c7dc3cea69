/*
 * The endpoints: first steps, parameter tables and the table of all routes. One file per family;
 * routes.c is THE table.
 */
#ifndef ENDPOINTS_ENDPOINTS_H
#define ENDPOINTS_ENDPOINTS_H

#include "request/req.h"

/* All routes; built once (rows of kernels are made from kernel_table, those of the page's files
 * from what is embedded or in this folder). */
const struct route *routes_all(const char *web_root, unsigned *count);

/* kept.c: what endpoints keep from one request to the next; for struct runner. */
struct endpoints *endpoints_open(void);
void endpoints_close(struct endpoints *);

/* plain.c */
struct next plaintext_answer(struct req *);
struct next json_answer(struct req *);
struct next bytes_begin(struct req *);
struct next echo_begin(struct req *);
extern const struct param bytes_params[];

/* world.c, fortunes.c, updates.c, cached.c: the TechEmpower set */
struct next db_ask(struct req *);
struct next queries_ask(struct req *);
struct next fortunes_ask(struct req *);
struct next updates_read(struct req *);
struct next cached_look(struct req *);

/* sleep.c, lock.c, report.c, mix.c */
struct next sleep_ask(struct req *);
struct next lock_ask(struct req *);
void lock_cleanup(struct req *);
struct next report_ask(struct req *);
struct next mix_wait(struct req *);
extern const struct param sleep_params[], lock_params[], report_params[], mix_params[];

/* compute.c: every kernel's endpoint */
struct next compute_start(struct req *);
extern const struct param sections_param, run_param;
/* The executor that a value of run_param means for this request. */
enum executor compute_executor(const struct req *, int64_t run);
/* Adds ,"sections":..,"workers":..,"cpus":..,"run":".." */
void compute_add_how(struct buf *, const struct job *, enum executor);

/* burst.c */
struct next burst_begin(struct req *);
void burst_cleanup(struct req *);
extern const struct param burst_params[];

/* help.c, openapi.c */
struct next root_answer(struct req *);
struct next help_answer(struct req *);
struct next openapi_answer(struct req *);
struct next problems_answer(struct req *);

/* status.c */
struct next status_answer(struct req *);
struct next livez_answer(struct req *);
struct next readyz_answer(struct req *);
struct next config_answer(struct req *);
struct next version_answer(struct req *);

/* events.c */
struct next events_begin(struct req *);
void events_cleanup(struct req *);
extern const struct param events_params[];

/* trace_files.c */
struct next trace_json_begin(struct req *);
void trace_json_cleanup(struct req *);
struct next trace_svg_begin(struct req *);
void trace_svg_cleanup(struct req *);
extern const struct param trace_json_params[], trace_svg_params[];

#endif
