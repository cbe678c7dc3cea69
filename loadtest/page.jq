# What the page's Compare shows of results.json: rows, their medians and limits.
{date, commit, cpu, cpus, kernel, rounds, configs, rows: [.rows[] |
    {row, config, unit, median, min, max, limit, requests_max, running_max, factor} |
    with_entries(select(.value != null))]}
