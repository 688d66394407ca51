#!/bin/bash
# The command-line clients of MariaDB and of MySQL; CLIENT_PROGRAM is the one, CLIENT_VARIANT its kind.
. ./steps.sh

if [ -z "$CLIENT_PROGRAM" ]; then
    echo "not ok start: the program is not installed (MySQL's: cargo xtask mysql)"
    exit
fi

# run PORT USER PASSWORD [OPTIONS…]: statements come from standard input.
run() {
    local port=$1 user=$2 password=$3
    shift 3
    $CLIENT_PROGRAM --no-defaults --protocol=TCP --host="$CLIENT_HOST" --port="$port" --user="$user" \
        ${password:+--password="$password"} --batch --skip-column-names --default-character-set=utf8mb4 "$@" \
        2> >(grep -v 'can be insecure' >&2)
}

sql() {
    local statements=$1
    shift
    run "$CLIENT_PORT" "$CLIENT_USER" "$CLIENT_PASSWORD" "$@" "$CLIENT_SCHEMA" <<<"$statements"
}

for entry in $CLIENT_LOGINS; do
    IFS=: read -r plugin port user password <<<"$entry"
    login() { prints 1 run "$port" "$user" "$password" --execute="SELECT 1"; }
    step "login $plugin" login
done

wrong_password() { fails_with 1045 run "$CLIENT_PORT" "$CLIENT_USER" wrong --execute="SELECT 1"; }
step "wrong password" wrong_password

tls_options() {
    if [ "$CLIENT_VARIANT" = mysql ]; then
        echo "--ssl-mode=VERIFY_IDENTITY --ssl-ca=$CLIENT_CA"
    else
        echo "--ssl --ssl-verify-server-cert --ssl-ca=$CLIENT_CA"
    fi
}
encrypted() {
    local cipher
    # shellcheck disable=SC2046  # several options
    cipher=$(sql "SHOW STATUS LIKE 'Ssl_cipher'" $(tls_options)) || return 1
    [ -n "$(cut -f2 <<<"$cipher")" ] || { echo "not encrypted: '$cipher'" >&2; return 1; }
}
step "TLS" encrypted

tables() {
    sql "DROP TABLE IF EXISTS users; DROP TABLE IF EXISTS t1;
         CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) CHARACTER SET utf8mb4, photo LONGBLOB);
         CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40));"
}
step "tables" tables

unicode() {
    sql "INSERT INTO users (name) VALUES ('Zoë 😀'), ('名前');" || return 1
    prints "Zoë 😀" sql "SELECT name FROM users WHERE id = 1" || return 1
    prints "2" sql "SELECT id FROM users WHERE name = '名前'"
}
step "unicode" unicode

prepared() {
    prints "Zoë 😀" sql "PREPARE s FROM 'SELECT name FROM users WHERE id = ?'; SET @n = 1; EXECUTE s USING @n; DEALLOCATE PREPARE s;"
}
step "prepared" prepared

transaction() {
    prints "2" sql "BEGIN; DELETE FROM users; ROLLBACK; SELECT COUNT(*) FROM users" || return 1
    prints "3" sql "START TRANSACTION; INSERT INTO users (name) VALUES ('kept'); COMMIT; SELECT COUNT(*) FROM users"
}
step "transaction" transaction

batch() {
    local values
    values=$(seq -s, -f "(%.0f,'v')" 0 999)
    sql "INSERT INTO t1 VALUES $values" || return 1
    prints "1000" sql "SELECT COUNT(*) FROM t1"
}
step "batch" batch

blob() {
    local statement
    statement="INSERT INTO users (name, photo) VALUES ('blob', X'$(head -c 8388608 /dev/zero | tr '\0' '6')')"
    sql "$statement" --max-allowed-packet=64M || return 1
    sql "UPDATE users SET photo = CONCAT(photo, photo) WHERE name = 'blob'" || return 1
    prints "8388608" sql "SELECT LENGTH(photo) FROM users WHERE name = 'blob'" || return 1
    [ "$(sql "SELECT photo FROM users WHERE name = 'blob'" --max-allowed-packet=64M | wc -c)" = 8388609 ] || {
        echo "another blob came back" >&2
        return 1
    }
}
step "8 MB blob" blob

streaming() { [ "$(sql "SELECT id FROM t1 ORDER BY id" --quick | tail -1)" = 999 ]; }
step "streaming" streaming

delimiter() {
    prints "1" sql "DELIMITER //
SELECT 1 //" --commands || prints "1" sql "DELIMITER //
SELECT 1 //"
}
step "DELIMITER" delimiter

errors() {
    fails_with 1146 sql "SELECT * FROM no_such_table" || return 1
    fails_with 1062 sql "INSERT INTO t1 VALUES (1, 'again')" || return 1
    fails_with 1064 sql "SELEC 1"
}
step "errors" errors

source_names() { sql "SHOW TABLES" | grep -q '^users$' && sql "DESCRIBE users" | grep -q '^photo'; }
step "SHOW TABLES and DESCRIBE" source_names

drop_tables() {
    sql "DROP TABLE users, t1" || return 1
    prints "" sql "SHOW TABLES"
}

dropped() {
    # The client reconnects by itself, and says so.
    fails_with "" sql "KILL CONNECTION_ID()" || return 1
    prints "1" sql "SELECT 1"
}
step "dropped connection" dropped
step "DROP of several tables" drop_tables
