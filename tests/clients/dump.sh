#!/bin/bash
# mariadb-dump: one logical dump, which restores through the same door.
. ./steps.sh

connection=(--no-defaults --protocol=TCP --host="$CLIENT_HOST" --port="$CLIENT_PORT" --user="$CLIENT_USER" --password="$CLIENT_PASSWORD")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

sql() { mariadb "${connection[@]}" --batch --skip-column-names --default-character-set=utf8mb4 "$CLIENT_SCHEMA" <<<"$1"; }
dump() { mariadb-dump "${connection[@]}" "$@"; }
rows() { sql "SELECT id, name, HEX(photo), born FROM users ORDER BY id; SELECT * FROM regions ORDER BY id; SELECT * FROM t1 ORDER BY id"; }

tables() {
    sql "DROP TABLE IF EXISTS users; DROP TABLE IF EXISTS regions; DROP TABLE IF EXISTS t1;
         CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) CHARACTER SET utf8mb4, photo BLOB, born DATE, KEY by_name (name));
         CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, name VARCHAR(20));
         CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, d DECIMAL(10,2), t TIMESTAMP(3) NULL);
         INSERT INTO users (name, photo, born) VALUES ('Zoë 😀', X'00FF275C', '1815-12-10'), (NULL, NULL, NULL), ('it''s', '', '2026-01-01');
         INSERT INTO regions VALUES (1, 'north'), (2, 'south');
         INSERT INTO t1 VALUES (1, -1.50, '2026-01-01 00:00:00.123'), (2, NULL, NULL), (3, 3.00, NULL);"
}
step "tables" tables

whole() {
    dump "$CLIENT_SCHEMA" >"$folder/dump.sql" || return 1
    [ "$(grep -c '^CREATE TABLE' "$folder/dump.sql")" = 3 ] || { grep '^CREATE TABLE' "$folder/dump.sql" >&2; return 1; }
    tail -1 "$folder/dump.sql" | grep -q 'Dump completed' || { echo "the dump is cut off" >&2; return 1; }
}
step "dump" whole

restore() {
    rows >"$folder/before" || return 1
    sql "DROP TABLE users; DROP TABLE regions; DROP TABLE t1" || return 1
    mariadb "${connection[@]}" "$CLIENT_SCHEMA" <"$folder/dump.sql" || return 1
    rows >"$folder/after" || return 1
    diff "$folder/before" "$folder/after" >&2
}
step "restore" restore

# The dump, which contains this text. It is kept whole first: a reader that leaves early is an error for the program.
contains() {
    local text=$1
    shift
    dump "$@" >"$folder/part.sql" || return 1
    grep -q "$text" "$folder/part.sql" || { echo "no '$text' in the dump" >&2; return 1; }
}

consistent() { contains 'Dump completed' --single-transaction --quick --routines --triggers --events "$CLIENT_SCHEMA"; }
step "dump in one transaction" consistent

databases() { contains "CREATE DATABASE.*$CLIENT_SCHEMA" --databases "$CLIENT_SCHEMA"; }
step "dump with CREATE DATABASE" databases

one_table() { contains "Zoë" --where="id < 3" "$CLIENT_SCHEMA" users; }
step "dump of some rows" one_table

no_data() { contains "CREATE TABLE" --no-data "$CLIENT_SCHEMA" && ! grep -q '^INSERT' "$folder/part.sql"; }
step "dump of definitions" no_data

next_id() {
    sql "INSERT INTO users (name) VALUES ('after')" || return 1
    [ "$(sql "SELECT id > 3 FROM users WHERE name = 'after'")" = 1 ]
}
step "ids go on after a restore" next_id
