-- The same with 16 requests in one write: what is left when system calls are shared.
--
--   wrk -t1 -c64 -d10 -s loadtest/pipeline.lua http://127.0.0.1:8080
--
-- Limited by the server's CPU.

local sixteen

function init(args)
    local one = wrk.format("GET", "/plaintext")
    sixteen = string.rep(one, 16)
end

function request()
    return sixteen
end
