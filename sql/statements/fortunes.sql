-- class: fast
-- params:
-- All rows of /fortunes; one more is added, and they are sorted, by the server.
SELECT id, message FROM fortune
