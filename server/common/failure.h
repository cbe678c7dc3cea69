/*
 * Why a request could not be served. The rooms below (http, db, jobs) name the reason; what is
 * told to the client (status, Retry-After, public text) stands in ONE table, request/fail.c.
 */
#ifndef COMMON_FAILURE_H
#define COMMON_FAILURE_H

enum failure {
    FAIL_NONE = 0,

    /* http: the request can't be read; the connection closes after the answer */
    FAIL_BAD_REQUEST,     /* 400: breaks RFC 9112 or 9110 */
    FAIL_HEAD_TIMEOUT,    /* 408: the head took longer than head_timeout */
    FAIL_BODY_TIMEOUT,    /* 408: the body came too slowly */
    FAIL_BODY_TOO_LARGE,  /* 413: Content-Length or chunks above the limit of the route */
    FAIL_TARGET_TOO_LONG, /* 414 */
    FAIL_HEAD_TOO_LARGE,  /* 431: octets or number of fields */
    FAIL_EXPECTATION,     /* 417: an Expect that is not 100-continue */
    FAIL_UNKNOWN_CODING,  /* 501: a transfer coding other than chunked (RFC 9112 6.1) */
    FAIL_UNKNOWN_METHOD,  /* 501 */
    FAIL_VERSION,         /* 505 */
    FAIL_CLIENT_GONE,     /* never answered: nobody is there */

    /* request: it can be read, but not served as asked */
    FAIL_NOT_FOUND,        /* 404 */
    FAIL_METHOD,           /* 405 with Allow */
    FAIL_PRECONDITION,     /* 412: If-Match, If-None-Match */
    FAIL_PARAMETER,        /* 400 with invalid_params */
    FAIL_BODY,             /* 400: the body is not what the endpoint takes */
    FAIL_FORBIDDEN_ORIGIN, /* 403: another web page's request */
    FAIL_MISDIRECTED,      /* 421: a Host that is not ours */
    FAIL_BUSY,             /* 503: the queue in front of max_in_progress is full */
    FAIL_MEMORY,           /* 503: bodies and jobs in flight need more than max_memory */
    FAIL_DRAINING,         /* 503: the server is stopping */

    /* db */
    FAIL_DB_DOWN,            /* 503: no connection to PostgreSQL */
    FAIL_DB_FULL,            /* 503: the queue of this class is full, or waited too long in it */
    FAIL_DB_LATE,            /* 504: sent, but no answer in time */
    FAIL_DB_QUERY,           /* 500: PostgreSQL refused the statement */
    FAIL_DB_LOST,            /* 503: the connection was lost, and the second try too */
    FAIL_DB_OUTCOME_UNKNOWN, /* 503: a write was sent and its answer lost; never sent again */

    /* jobs */
    FAIL_NO_WORKERS,  /* 503: workers = 0, or the pool is in back-off */
    FAIL_JOBS_FULL,   /* 503: too many jobs in progress */
    FAIL_JOB_LATE,    /* 504: job_timeout */
    FAIL_JOB_DIED,    /* 502: two workers died with a task of this job */
    FAIL_JOB_REFUSED, /* 502: its like killed workers within the last minute */
    FAIL_JOB_INPUT,   /* 400 or 415: the kernel can't work on this input */

    FAIL_COUNT
};

#endif
