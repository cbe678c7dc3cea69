-- class: slow
-- params: key int4, ms int4
-- /db/lock: see hold_lock() in the schema.
SELECT waited_us, held_us FROM hold_lock($1, $2)
