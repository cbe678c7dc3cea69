# What table, report and README have in common: the order of the rows, and how values are written.

def config_name: sub(".*/"; "") | sub("\\.conf$"; "");

def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def tenth: (. * 10 | round) / 10;

# A value with its unit: 2.43 s, 641 ms, 3.4 ms, 48.2 k/s, 93/s
def shown($unit):
    if $unit == "ms" then (if . >= 1000 then "\((. / 10 | round) / 100) s" elif . >= 10 then "\(round) ms" else "\(tenth) ms" end)
    elif . >= 1000 then "\((. / 1000) | if . >= 10 then round else tenth end) k/s"
    elif . >= 100 then "\(round)/s"
    else "\(tenth)/s" end;

# The rows that compare configs, in the order of the story, and what they are in a sentence.
def story: [
    ["the same 8 tasks", "the same 8 tasks"],
    ["db/sleep, 50 at once", "50 waits of 100 ms at once"],
    ["cpu", "computations"],
    ["mixed", "a mix of all"],
    ["mixed p99", "99 % of the mix: within"],
    ["db p99, idle", "99 % of `/db`, idle: within"],
    ["db p99 while cpu", "99 % of `/db` while others compute: within"],
    ["plaintext", "`/plaintext`"],
    ["db", "`/db`"],
    ["queries", "`/queries?queries=20`"]];

def four_ways: [
    ["neither", "one request at a time, one CPU"],
    ["concurrency only", "waits overlap, one CPU alternates"],
    ["parallelism only", "one request at a time, its computation on two CPUs"],
    ["both", "waits overlap, two CPUs"]];

def is_story: . as $row | (["four ways", "picture,", "work,"] | any(. as $start | $row | startswith($start)) | not);

# Names of the rows that are there: those of the story, then others (LOAD=).
def rows_in_order: (map(.row) | unique | map(select(is_story))) as $present |
    (story | map(.[0]) | map(select(. as $x | $present | index($x)))) as $known | $known + ($present - $known);

def cell($row; $config): map(select(.row == $row and .config == $config)) | .[0];
