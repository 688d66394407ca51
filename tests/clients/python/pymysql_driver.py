"""PyMySQL: pure Python, and the protocol with EOF packets."""

import pymysql
from pymysql.constants import CLIENT, COMMAND

from dbapi import scenario
from steps import CA, HOST, PASSWORD, PORT, SCHEMA, USER, equal, step


def connect(**more):
    options = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "database": SCHEMA, "charset": "utf8mb4"}
    return pymysql.connect(**{**options, **more})


def stream(connection, sql):
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute(sql)
        yield from cursor


db, query, change = scenario(connect, stream=stream, tls={"ssl_ca": CA, "ssl_verify_identity": True})


@step("commands")
def commands():
    db.ping()
    db.select_db(SCHEMA)
    db._execute_command(COMMAND.COM_STATISTICS, "")
    assert b"Uptime" in db._read_packet().get_all_data()
    db._execute_command(COMMAND.COM_FIELD_LIST, b"t1\0")
    fields = 0
    while not db._read_packet().is_eof_packet():
        fields += 1
    equal(fields, 2)


@step("reset connection")
def reset():
    change(db, "SET @kept = 1")
    db._execute_command(0x1F, "")
    assert db._read_packet().is_ok_packet()
    equal(query(db, "SELECT @kept, DATABASE()"), [(None, SCHEMA)])


@step("several statements")
def several():
    connection = connect(client_flag=CLIENT.MULTI_STATEMENTS)
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT id FROM t1 WHERE id < 3 ORDER BY id; UPDATE t1 SET v = 'x' WHERE id = 1; SELECT 4")
    results = [cursor.fetchall()]
    while cursor.nextset():
        results.append(cursor.fetchall() if cursor.description else cursor.rowcount)
    equal(results, [((1,),), ((0,), (1,), (2,)), 1, ((4,),)])
    connection.rollback()
    connection.close()


@step("LOAD DATA LOCAL INFILE")
def load():
    import tempfile

    connection = connect(local_infile=True, autocommit=True)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("".join(f"{n},loaded {n}\n" for n in range(5000, 5100)))
        file.flush()
        cursor = connection.cursor()
        cursor.execute(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE t1 FIELDS TERMINATED BY ','")
        equal(cursor.rowcount, 100)
    equal(query(connection, "SELECT COUNT(*) FROM t1 WHERE v LIKE 'loaded%'"), [(100,)])
    connection.close()
