-- The table Fortune of the TechEmpower Framework Benchmarks: twelve messages, one of which tries to
-- run a script and one of which is not ASCII. Their rules prescribe the texts.
CREATE TABLE IF NOT EXISTS interleave.fortune (
    id      integer PRIMARY KEY,
    message text    NOT NULL
);

INSERT INTO interleave.fortune (id, message)
SELECT id, message
  FROM (VALUES
    (1, 'fortune: No such file or directory'),
    (2, 'A computer scientist is someone who fixes things that aren''t broken.'),
    (3, 'After enough decimal places, nobody gives a damn.'),
    (4, 'A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1'),
    (5, 'A computer program does what you tell it to do, not what you want it to do.'),
    (6, 'Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen'),
    (7, 'Any program that runs right is obsolete.'),
    (8, 'A list is only as strong as its weakest link. — Donald Knuth'),
    (9, 'Feature: A bug with seniority.'),
    (10, 'Computers make very fast, very accurate mistakes.'),
    (11, '<script>alert("This should not be displayed in a browser alert box.");</script>'),
    (12, 'フレームワークのベンチマーク')
  ) AS prescribed (id, message)
 WHERE NOT EXISTS (SELECT FROM interleave.fortune);
