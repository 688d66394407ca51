#!/bin/bash
# sysbench: prepare, the usual loads for a moment each, clean up.
. ./steps.sh

bench() {
    sysbench "$1" --db-driver=mysql --mysql-host="$CLIENT_HOST" --mysql-port="$CLIENT_PORT" --mysql-user="$CLIENT_USER" \
        --mysql-password="$CLIENT_PASSWORD" --mysql-db="$CLIENT_SCHEMA" --tables=2 --table-size=500 --threads=4 --time=2 \
        --rand-type=uniform "${@:2}" "$last" >"$out" 2>&1 || { grep -m3 FATAL "$out" >&2; return 1; }
}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

prepare() { last=prepare bench oltp_read_write --auto_inc=on; }
step "prepare" prepare

for load in oltp_point_select oltp_read_only oltp_read_write; do
    for mode in auto disable; do
        run() { last=run bench "$load" --db-ps-mode=$mode --mysql-ignore-errors=1213,1020,1205; }
        if [ $mode = auto ]; then step "$load prepared" run; else step "$load as text" run; fi
    done
done

cleanup() { last=cleanup bench oltp_read_write; }
step "cleanup" cleanup
