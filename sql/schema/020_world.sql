-- The table World of the TechEmpower Framework Benchmarks: 10,000 rows with a number from 1 to
-- 10,000 each, which /db and /queries read and /updates changes. The numbers follow from the id
-- (Lehmer's generator), so that every installation starts with the same ones.
CREATE TABLE IF NOT EXISTS interleave.world (
    id           integer PRIMARY KEY,
    randomnumber integer NOT NULL
);

INSERT INTO interleave.world (id, randomnumber)
SELECT id, 1 + id::bigint * 48271 % 2147483647 % 10000
  FROM generate_series(1, 10000) AS id
 WHERE NOT EXISTS (SELECT FROM interleave.world);

-- CachedWorld: the same once more, for /cached-queries, which nobody changes.
CREATE TABLE IF NOT EXISTS interleave.cached_world (
    id           integer PRIMARY KEY,
    randomnumber integer NOT NULL
);

INSERT INTO interleave.cached_world (id, randomnumber)
SELECT id, 1 + id::bigint * 48271 % 2147483647 % 10000
  FROM generate_series(1, 10000) AS id
 WHERE NOT EXISTS (SELECT FROM interleave.cached_world);
