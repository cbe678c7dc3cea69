# From single measurements ($m) to medians with their spread, and what limited each.

include "rows";

# The resource that was short, from counters only: the burst's own reason, or CPU shares.
def limit:
    if .[0].summary then (.[0].summary.why)
    elif .[0].cpu then
        (map(.cpu.front) | median) as $front | (map(.cpu.workers) | median) as $workers | (map(.cpu.machine) | median) as $machine |
        if $machine > 0.93 * $cpus then "all CPUs" + (if $front > 0.9 then ", the loop's first" elif $workers > $front then ", the workers' first" else ": loop, PostgreSQL and client" end)
        elif $front > 0.9 then "the loop's CPU"
        elif $workers > 0.9 then "the workers' CPUs"
        else "waits (CPUs " + (($machine / $cpus * 100) | round | tostring) + " % busy)" end
    else null end;

# The same in a word or two, for the table.
def limit_word:
    if .[0].summary then (.[0].summary) as $s |
        if $s.requests_max <= 1 and $s.count > 1 then "one at a time"
        elif $s.cpu_ms + $s.loop_ms > 0.5 * $s.wall_ms then (if $s.running_max > 1 then "CPUs" else "one CPU" end)
        elif $s.queue_ms > 0.2 * ($s.db_ms + $s.cpu_ms) then "connections"
        else "waits" end
    elif .[0].cpu then
        (map(.cpu.front) | median) as $front | (map(.cpu.workers) | median) as $workers | (map(.cpu.machine) | median) as $machine |
        if $machine > 0.93 * $cpus then "all CPUs"
        elif $front > 0.9 then "the loop\u0027s CPU"
        elif $workers > 0.9 then "workers"
        else "waits" end
    else null end;

{
    date: $date, commit: $commit, version: $versions, cpu: $cpu, cpus: $cpus, kernel: $kernel, wrk: $wrk,
    six_waits: $six,
    rounds: $rounds, seconds_each: $secs, seconds_in_all: $seconds,
    configs: ($configs | split(" ") | map(select(. != ""))),
    config_hashes: $hashes,
    rows: ($m | group_by([.row, .config]) | map({
        row: .[0].row, config: .[0].config, unit: .[0].unit,
        median: (map(.value) | median), min: (map(.value) | min), max: (map(.value) | max),
        values: map(.value),
        limited_by: limit,
        limit: limit_word,
        latency: (if .[0].latency then (sort_by(.value) | .[length / 2 | floor].latency) else null end),
        cpu_us: (if .[0].cpu_us then (map(.cpu_us) | median) else null end),
        requests_max: (if .[0].summary then (map(.summary.requests_max) | max) else null end),
        running_max: (if .[0].summary then (map(.summary.running_max) | max) else null end),
        factor: (if .[0].summary then (map(.summary.factor) | median) else null end)
    } | with_entries(select(.value != null))))
}
