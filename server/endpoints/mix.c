/*
 * /work: one request of any mix: it waits in the database, then computes. What it shows is the
 * question "when do workers help": the larger the share of CPU time, the more.
 */
#include "endpoints/endpoints.h"

#include "kernels/kernel.h"
#include "kernels/spin.h"
#include "request/runner.h"

enum { MIX_WAIT_MS, MIX_CPU_MS, MIX_SECTIONS, MIX_RUN };
const struct param mix_params[] = {
    [MIX_WAIT_MS] = {.name = "wait_ms",
                     .kind = PARAM_INT,
                     .min = 0,
                     .max = 10000,
                     .def = 100,
                     .unit = "ms",
                     .help = "how long it waits in PostgreSQL, without CPU"},
    [MIX_CPU_MS] = {.name = "cpu_ms",
                    .kind = PARAM_INT,
                    .min = 0,
                    .max = 10000,
                    .def = 100,
                    .unit = "ms",
                    .help = "how much CPU time it then computes"},
    [MIX_SECTIONS] =
        {.name = "sections",
         .kind = PARAM_INT,
         .min = 1,
         .max = 64,
         .def = PARAM_AUTO,
         .def_text = "auto",
         .help = "into how many tasks the CPU work is cut; auto: of a few milliseconds each"},
    [MIX_RUN] =
        {.name = "run",
         .kind = PARAM_CHOICE,
         .def = PARAM_NO_DEFAULT,
         .def_text = "as configured",
         .choices = executor_names,
         .help = "where the CPU work runs; loop: takes turns with other requests; loop-blocking: "
                 "all of them wait"},
    {.name = NULL},
};

struct mix {
    struct query query;
    struct compute compute;
    enum executor executor;
};

static struct next
mix_answer(struct req *r)
{
    struct mix *s = r->state;
    struct buf *b = req_scratch(r);

    buf_addf(b, "{\"waited_ms\":%lld,\"computed_ms\":%lld", (long long)r->params[MIX_WAIT_MS],
             (long long)r->params[MIX_CPU_MS]);
    if (r->params[MIX_CPU_MS] > 0)
        compute_add_how(b, &s->compute.job, s->executor);
    return reply_ran(r, b);
}

static struct next
mix_compute(struct req *r)
{
    struct mix *s = r->state;

    if (r->params[MIX_CPU_MS] == 0)
        return next_step(mix_answer);
    req_compute(r, &s->compute, &kernel_spin, &r->params[MIX_CPU_MS],
                (unsigned)r->params[MIX_SECTIONS], s->executor);
    return wait_all(r, mix_answer);
}

struct next
mix_wait(struct req *r)
{
    struct mix *s = req_state_new(r, sizeof(*s));

    s->executor = compute_executor(r, r->params[MIX_RUN]);
    if (s->executor != EXEC_WORKERS && !r->runner->demo)
        return reply_fail(r, FAIL_NOT_FOUND,
                          "run=%s is off, since this server listens beyond loopback; demo = yes "
                          "turns it on",
                          executor_names[s->executor]);
    if (r->params[MIX_WAIT_MS] == 0)
        return next_step(mix_compute);
    req_query_int(r, &s->query, SQL_SLEEP, r->params[MIX_WAIT_MS]);
    return wait_all(r, mix_compute);
}
