# The table on the terminal. A difference below the spread is said to be none.

include "rows";

def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
# Does the range of one overlap the range of the other?
def same($a; $b): $a.min <= $b.max and $b.min <= $a.max;

. as $r | $base[0] as $old |
($r.configs) as $configs | ($r.rows | rows_in_order) as $order |
"",
"  " + ($r.cpu) + " · " + ($r.cpus | tostring) + " CPUs · " + ($r.rounds | tostring) + " rounds · median",
"",
("  " + ("" | pad(24)) + ($configs | map(config_name | lpad(22)) | join(""))),
($order[] as $row |
    ([$configs[] as $c | $r.rows | cell($row; $c) | select(. != null)]) as $cells |
    "  " + ($row | pad(24)) + ([$configs[] as $c | ($r.rows | cell($row; $c)) as $x | (if $x == null then "-" else ($x.median | shown($x.unit)) end) | lpad(22)] | join("")),
    (if ($cells | length) > 1 and same($cells[0]; $cells[-1]) then "  " + ("" | pad(24)) + "first and last column: no difference beyond the spread" else empty end),
    "  " + ("  limited by" | pad(24)) + ([$configs[] as $c | ($r.rows | cell($row; $c).limit // "-") | lpad(22)] | join("")),
    (if $old then ($old.rows | map(select(.row == $row and .config == $configs[-1])) | .[0]) as $o |
        if $o == null then empty
        elif same($o; $cells[-1]) then "  " + ("" | pad(24)) + "against BASE: no difference beyond the spread"
        else "  " + ("" | pad(24)) + "against BASE: " + ((($cells[-1].median / $o.median * 100) | round) / 100 | tostring) + " x" end
     else empty end)),
(if ($r.rows | map(select(.row | startswith("four ways"))) | length) > 0 then
    "",
    "  the same 8 tasks, four ways (4 waits of 300 ms, 4 computations of 300 ms CPU)",
    ("  " + ("" | pad(24)) + ("takes" | lpad(10)) + ("requests at once" | lpad(20)) + ("CPUs at once" | lpad(16)) + ("factor" | lpad(10))),
    (("neither", "concurrency only", "parallelism only", "both") as $w | $r.rows | map(select(.row == "four ways: " + $w)) | .[0] | select(. != null) |
        "  " + ($w | pad(24)) + (.median | shown("ms") | lpad(10)) + (.requests_max | lpad(20)) + (.running_max | lpad(16)) + (((.factor * 100 | round) / 100) | lpad(10)))
 else empty end),
(if ($r.rows | map(select(.row | startswith("work,"))) | length) > 0 then
    "",
    "  when do workers help: requests/s by the CPU share of a request (40 ms each, 16 at once)",
    ((0, 10, 25, 50, 75, 100) as $s |
        "  " + (($s | tostring) + " % CPU" | pad(24)) + ([$configs[] as $c | ($r.rows | cell("work, " + ($s | tostring) + " % CPU"; $c)) as $x | (if $x == null then "-" else ($x.median | shown("req/s")) end) | lpad(22)] | join("")))
 else empty end)
