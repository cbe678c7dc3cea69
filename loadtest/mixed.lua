-- What a real server sees: many short queries, some waits, a few computations. The order is drawn
-- from a fixed seed, the same in every run.
--
--   wrk -t1 -c32 -d10 -s loadtest/mixed.lua http://127.0.0.1:8080
--
-- Read requests per second from wrk, but not latencies: wrk corrects for "coordinated omission" by
-- inventing samples, which is wrong for such a mix. /status has the true ones for each address.

local targets = {
    { share = 0.70, path = "/db" },
    { share = 0.15, path = "/db/sleep?ms=20" },
    { share = 0.10, path = "/db/report?days=3" },
    { share = 0.05, path = "/cpu/primes?n=50000000" },
}

function init(args)
    math.randomseed(20260401)
end

function request()
    local drawn = math.random()
    for _, t in ipairs(targets) do
        drawn = drawn - t.share
        if drawn < 0 then
            return wrk.format("GET", t.path)
        end
    end
    return wrk.format("GET", targets[1].path)
end
