/*
 * The table of statements, made by sql/embed from sql/statements/<name>.sql.
 */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include "db/db.h"

/* The class of what db asks for itself, over a connection of its own. */
enum { DB_CONTROL = DB_CLASSES, DB_ALL_CLASSES };

struct db_statement_row {
    const char *name; /* of the file, and of the prepared statement */
    const char *text;
    unsigned types[DB_PARAMS_MAX]; /* oids of the parameters */
    uint8_t class;                 /* enum db_class or DB_CONTROL */
    uint8_t nparams;
};

extern const struct db_statement_row db_statement_table[DB_STATEMENTS];

#endif
