# shellcheck shell=bash
# What compare, goals and images/draw share: one server at a time, one private database, and the burst.
# Expects: BIN, PROBE, scratch, own_cluster, server_pid, url; sets url, db_url. PIN: a CPU that all of it runs on.

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

need_tools() {
    local tool
    for tool in wrk jq curl gnuplot h2load; do
        command -v "$tool" >/dev/null || die "$tool is missing; make installs it: see config/packages"
    done
    [ -x "$BIN" ] && [ -x "$PROBE" ] || die "build first: make"
}

# DATABASE_URL, or a cluster of our own that cleanup() removes.
open_database() {
    db_url=${DATABASE_URL:-}
    [ -z "$db_url" ] || return 0
    own_cluster=$(mktemp -d /tmp/il-cluster.XXXXXX)
    db_url=$(${PIN:+taskset -c "$PIN"} config/run/cluster start "$own_cluster") || die "no database"
    config/run/cluster schema "$own_cluster" >/dev/null
}

start_server() { # config [option...]
    local config=$1 option options=()
    shift
    for option in "$@"; do options+=(-o "$option"); done
    ${PIN:+taskset -c "$PIN"} "$BIN" -c "$config" -o port=0 -o "db_url=$db_url" "${options[@]}" >"$scratch/out" 2>"$scratch/log" &
    server_pid=$!
    url=
    for _ in $(seq 1000); do
        url=$(grep -o 'http://127.0.0.1:[0-9]*' "$scratch/out" | head -n 1 || true)
        [ -z "$url" ] || break
        kill -0 "$server_pid" 2>/dev/null || { cat "$scratch/log" >&2; die "$config: the server did not start"; }
        sleep 0.01
    done
    for _ in $(seq 1000); do
        [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")" != 200 ] || return 0
        sleep 0.01
    done
    die "$config: the server is not ready: $(curl -s "$url/readyz")"
}

stop_server() {
    [ -n "$server_pid" ] || return 0
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}

close_database() {
    [ -n "$own_cluster" ] || return 0
    config/run/cluster stop "$own_cluster" >/dev/null 2>&1 || true
    config/run/cluster remove "$own_cluster" >/dev/null 2>&1 || true
    own_cluster=
}

cleanup() {
    stop_server
    close_database
    rm -rf "$scratch"
}

# The summary of a burst.
burst() { # query body
    curl -s -X POST -d "$2" "$url/burst?$1" | jq -c 'select(.summary).summary'
}
