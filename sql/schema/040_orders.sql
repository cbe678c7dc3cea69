-- What /db/report adds up: 200,000 orders of a shop over the 365 days of 2025. They are generated
-- by a formula, not drawn by random(): the report of every installation has the same figures.
--
-- A hash of the order's number gives region, product and quantity; the square root makes orders
-- denser towards the end of the year (a shop that grows).
CREATE TABLE IF NOT EXISTS interleave.orders (
    id       integer PRIMARY KEY,
    day      date    NOT NULL,
    region   text    NOT NULL,
    product  text    NOT NULL,
    quantity integer NOT NULL,
    cents    integer NOT NULL -- of the whole order
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM interleave.orders) THEN
        RETURN;
    END IF;

    INSERT INTO interleave.orders (id, day, region, product, quantity, cents)
    SELECT n,
           date '2025-01-01' + least(364, floor(365 * sqrt(n / 200000.0::float8)))::integer,
           (ARRAY['north', 'east', 'south', 'west'])[1 + h / 7 % 4],
           (ARRAY['anvil', 'bell', 'clock', 'drum', 'engine', 'fan'])[1 + h / 64 % 6],
           1 + h / 1024 % 9,
           (1 + h / 1024 % 9) * (ARRAY[7900, 1250, 3499, 8950, 24900, 1999])[1 + h / 64 % 6]
      FROM (SELECT n, (n * 2654435761 % 4294967296 / 2)::integer AS h
              FROM generate_series(1::bigint, 200000) AS n) AS hashed;

    CREATE INDEX orders_day ON interleave.orders (day);
    ANALYZE interleave.orders;
END
$$;
