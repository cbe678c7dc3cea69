-- class: fast
-- params: id int4
-- One row of /db and /queries.
SELECT id, randomnumber FROM world WHERE id = $1
