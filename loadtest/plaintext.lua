-- What the loop itself costs: a fixed text, one request at a time on each connection.
--
--   wrk -t1 -c64 -d10 -s loadtest/plaintext.lua http://127.0.0.1:8080
--
-- Limited by CPU: of the server and of wrk, which needs about as much for a request.

wrk.path = "/plaintext"
