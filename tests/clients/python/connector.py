"""MySQL's own Connector/Python, in pure Python or over its C library (CLIENT_VARIANT)."""

import os

if os.environ.get("CLIENT_VARIANT") == "c":
    # It brings a newer OpenSSL than Debian's Python has, and gets it only where none is loaded yet.
    import _mysql_connector  # noqa: F401

import mysql.connector

from dbapi import scenario
from steps import CA, HOST, PASSWORD, PORT, SCHEMA, USER, equal, step

PURE = os.environ.get("CLIENT_VARIANT", "pure") == "pure"


def connect(**more):
    options = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "database": SCHEMA, "use_pure": PURE}
    return mysql.connector.connect(**{**options, "charset": "utf8mb4", **more})


def stream(connection, sql):
    # An unbuffered cursor is this driver's default.
    cursor = connection.cursor(buffered=False)
    cursor.execute(sql)
    yield from cursor
    cursor.close()


db, query, change = scenario(connect, stream=stream, tls={"ssl_ca": CA, "ssl_verify_cert": True})


@step("prepared")
def prepared():
    cursor = db.cursor(prepared=True)
    for number in (3, 500, 999):
        cursor.execute("SELECT id, v FROM t1 WHERE id = %s", (number,))
        equal([tuple(row) for row in cursor.fetchall()], [(number, f"v{number}")])
    cursor.execute("SELECT COUNT(*) FROM t1 WHERE id < ?", (100,))
    equal(cursor.fetchall(), [(100,)])
    cursor.execute("INSERT INTO users (name, photo) VALUES (?, ?)", ("prepared", b"\x00\x01"))
    assert cursor.lastrowid > 0
    db.rollback()
    cursor.close()


@step("reset session")
def reset_session():
    change(db, "SET @kept = 1")
    db.cmd_reset_connection()
    equal(query(db, "SELECT @kept"), [(None,)])


@step("change user")
def change_user():
    change(db, "SET @kept = 1")
    db.cmd_change_user(USER, PASSWORD, SCHEMA)
    equal(query(db, "SELECT @kept, DATABASE()"), [(None, SCHEMA)])


@step("warnings")
def warnings():
    connection = connect(get_warnings=True)
    cursor = connection.cursor()
    cursor.execute("SELECT 1/0, CAST('x' AS SIGNED)")
    cursor.fetchall()
    assert cursor.warnings, "no warnings"
    connection.close()


@step("compression")
def compression():
    connection = connect(compress=True)
    equal(query(connection, "SELECT REPEAT('x', 200000)"), [("x" * 200000,)])
    connection.close()
