# CHECK=1: do the claims hold on this machine? One line each: ok, FAIL or SKIP.

. as $r |
def row($name; $part): $r.rows | map(select(.row == $name and (.config | contains($part)))) | .[0];
def claim($text; $a; $b; cond): if $a == null or $b == null then "SKIP " + $text + ": not measured" elif cond then "ok   " + $text else "FAIL " + $text + " (" + ($a | tostring) + " against " + ($b | tostring) + ")" end;
def needs_two: if $r.cpus < 2 then "SKIP " else "" end;
[
    (row("the same 8 tasks"; "one-at-a-time").median as $a | row("the same 8 tasks"; "single-loop.").median as $b |
        claim("one loop interleaves: the 8 tasks take at most 0.65 of one at a time"; $b; $a; $b <= 0.65 * $a)),
    (row("db p99 while cpu"; "single-loop-blocking").median as $a | row("db p99 while cpu"; "single-loop.").median as $b |
        claim("a loop that computes in turns answers /db sooner than one that blocks"; $b; $a; $b < $a)),
    if $r.cpus < 2 then "SKIP workers against one loop: there is one CPU" else
    (row("cpu"; "single-loop.").median as $a | row("cpu"; "multi-worker").median as $b |
        claim("two workers compute at least 1.6 times as much as the loop"; $b; $a; $b >= 1.6 * $a)),
    (row("db p99 while cpu"; "single-loop.").median as $a | row("db p99 while cpu"; "multi-worker").median as $b |
        claim("with workers /db is answered sooner than by a loop that computes"; $b; $a; $b < $a)),
    (row("four ways: both"; "").median as $a | row("four ways: neither"; "").median as $b |
        claim("both: at most 0.35 of neither"; $a; $b; $a <= 0.35 * $b)) end
] | .[]
