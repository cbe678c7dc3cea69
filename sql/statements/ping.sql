-- class: fast
-- params:
-- Asked on a shared connection that has been idle for a while: a path to PostgreSQL that died without
-- a word is noticed before a client's query has to find out.
SELECT 1
