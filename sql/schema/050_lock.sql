-- What /db/lock does: takes the advisory lock `key`, holds it for `ms` milliseconds, gives it back
-- at the end of the transaction. The two times are measured here, by the clock of PostgreSQL, so
-- that waiting for the lock and holding it can be told apart.
--
-- Locks of the two-number form are a space of their own; 7203 keeps them apart from those of other
-- programs in the same database.
CREATE OR REPLACE FUNCTION interleave.hold_lock(
    key integer, ms integer, OUT waited_us bigint, OUT held_us bigint)
LANGUAGE plpgsql AS $$
DECLARE
    asked   timestamptz := clock_timestamp();
    granted timestamptz := asked;
BEGIN
    -- A lock that is free is granted at once, and the wait is 0, not some microseconds.
    IF NOT pg_try_advisory_xact_lock(7203, key) THEN
        PERFORM pg_advisory_xact_lock(7203, key);
        granted := clock_timestamp();
    END IF;
    PERFORM pg_sleep(ms / 1000.0);
    waited_us := (extract(epoch FROM granted - asked) * 1000000)::bigint;
    held_us := (extract(epoch FROM clock_timestamp() - granted) * 1000000)::bigint;
END
$$;
