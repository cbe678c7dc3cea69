-- A computation of some 10 ms for each request, cut into tasks, and nothing to wait for.
--
--   wrk -t1 -c8 -d10 -s loadtest/cpu.lua http://127.0.0.1:8080
--
-- Limited by the CPUs that may compute: one where the loop computes, all of them with workers.

wrk.path = "/cpu/primes?n=150000000"
