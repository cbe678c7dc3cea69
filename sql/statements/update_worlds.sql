-- class: write
-- params: ids int4[], numbers int4[]
-- All writes of one request of /updates at once. Two of them may want the same rows: both lock theirs
-- in the order of the ids before they change any, so that neither can hold what the other waits for
-- while it waits for what the other holds. (ORDER BY comes before FOR UPDATE takes its locks.)
WITH locked AS (
    SELECT world.id, new.randomnumber
      FROM unnest($1, $2) AS new (id, randomnumber)
      JOIN world ON world.id = new.id
     ORDER BY world.id
       FOR UPDATE OF world)
UPDATE world
   SET randomnumber = locked.randomnumber
  FROM locked
 WHERE world.id = locked.id
