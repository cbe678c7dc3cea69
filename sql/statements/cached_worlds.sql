-- class: fast
-- params: after int4
-- A part of the table that /cached-queries keeps in memory: the next 500 rows, so that taking them
-- over holds nothing up.
SELECT id, randomnumber FROM cached_world WHERE id > $1 ORDER BY id LIMIT 500
