-- The schema of this server. Everything it owns in a database lies in here, and nothing else is
-- touched. All files of this folder are applied in the order of their names, in ONE transaction:
--
--     psql -X -1 -v ON_ERROR_STOP=1 -f 010_schema.sql -f 020_world.sql ...
--
-- and may be applied again at any time: what is there already stays as it is.

-- Two installations that start at the same moment take turns; 7203 is this server's number
-- (see 050_lock.sql), 0 is never the key of a request.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(7203, 0); END $$;

CREATE SCHEMA IF NOT EXISTS interleave;

CREATE TABLE IF NOT EXISTS interleave.schema_version (
    version    integer     PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
