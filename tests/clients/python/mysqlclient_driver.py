"""mysqlclient: the C client library under Django and many others."""

import MySQLdb
import MySQLdb.cursors

from dbapi import scenario
from steps import CA, HOST, PASSWORD, PORT, SCHEMA, USER, equal, step


def connect(**more):
    options = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "database": SCHEMA, "charset": "utf8mb4"}
    return MySQLdb.connect(**{**options, **more})


def stream(connection, sql):
    cursor = connection.cursor(MySQLdb.cursors.SSCursor)
    cursor.execute(sql)
    yield from cursor
    cursor.close()


db, query, change = scenario(connect, stream=stream, tls={"ssl": {"ca": CA}})


@step("compression")
def compression():
    connection = connect(compress=True)
    equal(query(connection, "SELECT REPEAT('x', 200000)"), [("x" * 200000,)])
    connection.close()


@step("several statements")
def several():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT 2")
    equal(cursor.fetchall(), ((1,),))
    assert cursor.nextset()
    equal(cursor.fetchall(), ((2,),))
    connection.close()


@step("change user")
def change_user():
    connection = connect()
    change(connection, "SET @kept = 1")
    connection.change_user(USER, PASSWORD, SCHEMA)
    equal(query(connection, "SELECT @kept, DATABASE()"), [(None, SCHEMA)])
    connection.close()
