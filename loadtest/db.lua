-- One random row for each request. While PostgreSQL looks it up, the loop goes on with the others.
--
--   wrk -t1 -c64 -d10 -s loadtest/db.lua http://127.0.0.1:8080
--
-- Limited by CPU: loop, PostgreSQL and wrk share it.

wrk.path = "/db"
