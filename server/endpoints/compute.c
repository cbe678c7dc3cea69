/*
 * Every kernel's endpoint: parameters in, job, answer out. A kernel with content type
 * application/json gives members of the reply object; any other gives the whole body, which is sent
 * in parts as the client takes it.
 */
#include "endpoints/endpoints.h"

#include "request/runner.h"

#include <stdio.h>
#include <string.h>

const struct param sections_param = {
    .name = "sections",
    .kind = PARAM_INT,
    .min = 1,
    .max = 64,
    .def = PARAM_AUTO,
    .def_text = "auto",
    .help = "into how many tasks the CPU work is cut; auto: of a few milliseconds each",
};
const struct param run_param = {
    .name = "run",
    .kind = PARAM_CHOICE,
    .def = PARAM_NO_DEFAULT,
    .def_text = "as configured",
    .choices = executor_names,
    .help = "where the CPU work runs; loop: takes turns with other requests; loop-blocking: all "
            "of them wait",
};

struct compute_state {
    struct compute compute;
    enum executor executor;
    const struct kernel_piece *pieces;
    unsigned npieces, piece;
    size_t sent; /* octets of the present piece */
};

enum executor
compute_executor(const struct req *r, int64_t run)
{
    static const enum executor of_conf[] = {
        [RUN_WORKERS] = EXEC_WORKERS,
        [RUN_LOOP] = EXEC_LOOP,
        [RUN_LOOP_BLOCKING] = EXEC_LOOP_BLOCKING,
    };

    return run < 0 ? of_conf[r->runner->conf->run] : (enum executor)run;
}

void
compute_add_how(struct buf *b, const struct job *job, enum executor executor)
{
    buf_addf(b, ",\"sections\":%u,\"workers\":%u,\"cpus\":%u,\"run\":\"%s\"", job->tasks,
             job->workers, job->cpus, executor_names[executor]);
}

static struct next
compute_piece(struct req *r)
{
    enum { PART_OCTETS = 64 * 1024 };
    struct compute_state *s = r->state;
    const struct kernel_piece *p;
    size_t len;
    const char *data;

    while (s->piece < s->npieces && s->sent == s->pieces[s->piece].len) {
        s->piece++;
        s->sent = 0;
    }
    if (s->piece == s->npieces)
        return reply_end(r);
    p = &s->pieces[s->piece];
    data = (const char *)p->data + s->sent;
    len = p->len - s->sent < PART_OCTETS ? p->len - s->sent : PART_OCTETS;
    s->sent += len;
    return reply_part(r, data, len, compute_piece);
}

static struct next
compute_answer_object(struct req *r)
{
    struct compute_state *s = r->state;
    struct buf *b = req_scratch(r);

    buf_add_char(b, '{');
    for (unsigned i = 0; i < s->npieces; i++)
        buf_add(b, s->pieces[i].data, s->pieces[i].len);
    compute_add_how(b, &s->compute.job, s->executor);
    return reply_ran(r, b);
}

static struct next
compute_answer(struct req *r)
{
    struct compute_state *s = r->state;
    const struct kernel *kernel = r->route->kernel;
    int64_t length = 0;

    if (job_answer(&s->compute.job, &s->pieces, &s->npieces) != 0)
        return reply_fail(r, FAIL_JOB_DIED, "the results of the workers can't be right");
    if (strcmp(kernel->content_type, "application/json") == 0)
        return compute_answer_object(r);
    for (unsigned i = 0; i < s->npieces; i++)
        length += (int64_t)s->pieces[i].len;
    reply_begin(r, 200, kernel->content_type, length);
    return next_step(compute_piece);
}

struct next
compute_start(struct req *r)
{
    struct compute_state *s = req_state_new(r, sizeof(*s));
    const struct kernel *kernel = r->route->kernel;
    unsigned own = 0;
    int64_t sections = PARAM_AUTO, run;

    while (kernel->params[own].name != NULL)
        own++;
    if (kernel->sections)
        sections = r->params[own];
    run = r->params[kernel->sections ? own + 1 : own];
    s->executor = compute_executor(r, run);
    if (s->executor != EXEC_WORKERS && !kernel->loop_ok)
        return reply_fail(r, FAIL_JOB_INPUT, "%s needs workers: it can't run on the loop",
                          kernel->path);
    if (s->executor != EXEC_WORKERS && !r->runner->demo)
        return reply_fail(
            r, FAIL_NOT_FOUND,
            "run=%s is off, since this server listens beyond loopback; demo = yes turns it on",
            executor_names[s->executor]);
    req_compute(r, &s->compute, kernel, r->params, (unsigned)sections, s->executor);
    return wait_all(r, compute_answer);
}
