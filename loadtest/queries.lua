-- Twenty queries for each request, all on their way at the same time.
--
--   wrk -t1 -c64 -d10 -s loadtest/queries.lua http://127.0.0.1:8080
--
-- Limited by PostgreSQL.

wrk.path = "/queries?queries=20"
