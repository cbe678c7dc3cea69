-- class: slow
-- params: ms int4
-- /db/sleep: waits in PostgreSQL, needs no CPU there either.
SELECT pg_sleep($1 / 1000.0)
