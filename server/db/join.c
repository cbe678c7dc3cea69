/*
 * join: a connection that PostgreSQL has accepted prepares all statements of its class, in one
 * round trip, before it takes queries. If one can't be prepared, the connection is closed again:
 * most likely the schema is not there, and the server stays up until it is.
 *
 *   Parse, Parse, ... [watch_client] Sync  -->   result NULL  result NULL ... SYNC: up
 */
#include "db/parts.h"

#include "common/log.h"

#include <stdio.h>
#include <string.h>

static int
prepare_all(struct db_conn *c)
{
    for (unsigned i = 0; i < DB_STATEMENTS; i++) {
        const struct db_statement_row *row = &db_statement_table[i];

        if (row->class != c->pool->class)
            continue;
        if (PQsendPrepare(c->pg, row->name, row->text, row->nparams, row->types) != 1)
            return -1;
        c->joining++;
        if (i == SQL_WATCH_CLIENT) {
            if (PQsendQueryPrepared(c->pg, row->name, 0, NULL, NULL, NULL, 0) != 1)
                return -1;
            c->joining++;
        }
    }
    return PQpipelineSync(c->pg) == 1 ? 0 : -1;
}

void
join_begin(struct db_conn *c)
{
    conn_move(c, CONN_JOINING);
    c->joining = 0;
    c->reason[0] = '\0';
    if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1 || prepare_all(c) != 0) {
        conn_failed(c, PQerrorMessage(c->pg));
        return;
    }
    conn_listen(c);
    conn_flush(c);
}

static void
join_end(struct db_conn *c)
{
    if (c->joining > 0 || c->reason[0] != '\0') {
        conn_failed(c, c->reason[0] != '\0' ? c->reason : "an answer is missing");
        return;
    }
    c->db->server_version = PQserverVersion(c->pg);
    conn_move(c, CONN_UP);
    c->up_ns = c->progress_ns = c->synced_ns = c->state_ns;
    pool_note_up(c->pool, c->state_ns);
}

/* The first error counts; what follows was not tried. */
static void
note_refusal(struct db_conn *c, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    /* 3F: no such schema; 42P01, 42883: no such table, function */
    const bool missing =
        state != NULL && (strncmp(state, "3F", 2) == 0 || strcmp(state, "42P01") == 0 ||
                          strcmp(state, "42883") == 0);

    if (c->reason[0] == '\0')
        snprintf(c->reason, sizeof(c->reason), "a statement can't be prepared: %s%s",
                 text != NULL ? text : PQresultErrorMessage(result),
                 missing ? " (the files of sql/schema have to be applied)" : "");
}

void
join_read(struct db_conn *c)
{
    while (c->state == CONN_JOINING && !PQisBusy(c->pg)) {
        PGresult *result = PQgetResult(c->pg);
        const ExecStatusType status = PQresultStatus(result);

        if (result == NULL && c->joining == 0)
            break;
        if (result == NULL)
            c->joining--;
        else if (status == PGRES_PIPELINE_SYNC)
            join_end(c);
        else if (status == PGRES_FATAL_ERROR)
            note_refusal(c, result);
        PQclear(result);
    }
    if (c->state == CONN_JOINING && PQstatus(c->pg) != CONNECTION_OK)
        conn_failed(c, c->reason[0] != '\0' ? c->reason : PQerrorMessage(c->pg));
    else if (c->state == CONN_JOINING)
        conn_flush(c);
}
