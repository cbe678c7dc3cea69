-- One picture after the other, each cut into as many sections as SECTIONS says (default: auto).
--
--   SECTIONS=2 wrk -t1 -c1 -d10 -s loadtest/sections.lua http://127.0.0.1:8080
--
-- With one connection there is one request at a time: what several sections gain is parallelism.

local sections = os.getenv("SECTIONS") or "auto"

wrk.path = "/image/mandelbrot?w=800&h=600&sections=" .. sections
