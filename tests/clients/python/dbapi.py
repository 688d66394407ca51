"""The scenario of a driver after PEP 249. The driver's file brings `connect` and what is its own."""

import datetime
import decimal

from steps import BLOB, CA, LOGINS, PASSWORD, PORT, SCHEMA, TEXTS, USER, equal, fails, step


def scenario(connect, *, stream=None, tls=None, lost=(2006, 2013, 2055, 4031)):
    """Runs the steps that all drivers have.

    `connect(port=…, user=…, password=…, database=…, **more)` connects; `stream(connection, sql)` yields rows that are
    read one by one; `tls` are the options that encrypt and verify.
    """

    def query(connection, sql, values=None):
        cursor = connection.cursor()
        cursor.execute(sql, values) if values is not None else cursor.execute(sql)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def change(connection, sql, values=()):
        cursor = connection.cursor()
        cursor.execute(sql, values) if values else cursor.execute(sql)
        count, insert_id = cursor.rowcount, cursor.lastrowid
        cursor.close()
        return count, insert_id

    for plugin, port, user, password in LOGINS:

        @step(f"login {plugin}")
        def login():
            connection = connect(port=port, user=user, password=password)
            equal(query(connection, "SELECT 1"), [(1,)])
            connection.close()

    @step("wrong password")
    def wrong_password():
        fails([1045, 1698], lambda: connect(password="wrong"))
        fails([1045, 1698], lambda: connect(user="nobody_of_this_name"))

    @step("unknown schema")
    def unknown_schema():
        fails([1044, 1049], lambda: connect(database="no_such_schema"))

    @step("TLS", CA, tls is not None)
    def encrypted():
        connection = connect(**tls)
        equal(query(connection, "SELECT 1"), [(1,)])
        cipher = query(connection, "SHOW STATUS LIKE 'Ssl_cipher'")
        assert cipher and cipher[0][1], "the connection is not encrypted"
        connection.close()

    db = connect()

    @step("tables")
    def tables():
        for table in ("users", "t1", "t2"):
            change(db, f"DROP TABLE IF EXISTS {table}")
        change(
            db,
            "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80), paid DECIMAL(10,2),"
            " born DATE, seen DATETIME(6), photo LONGBLOB) DEFAULT CHARSET utf8mb4",
        )
        change(db, "CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40) CHARACTER SET utf8mb4)")

    @step("unicode")
    def unicode():
        for number, text in enumerate(TEXTS):
            change(db, "INSERT INTO t1 VALUES (%s, %s)", (number, text))
        db.commit()
        for number, text in enumerate(TEXTS):
            equal(query(db, "SELECT v FROM t1 WHERE id = %s", (number,)), [(text,)])
            equal(query(db, "SELECT id FROM t1 WHERE v = %s ORDER BY id", (text,)), [(number,)])
        equal(query(db, "SELECT 'ü' AS `größe`"), [("ü",)])
        change(db, "DELETE FROM t1")
        db.commit()

    @step("values")
    def values():
        row = ("Ada", decimal.Decimal("-10.50"), datetime.date(1815, 12, 10), datetime.datetime(2026, 2, 28, 23, 59, 59, 999999), b"\x00\xff'\\")
        count, insert_id = change(db, "INSERT INTO users (name, paid, born, seen, photo) VALUES (%s, %s, %s, %s, %s)", row)
        equal(count, 1)
        assert insert_id > 0, insert_id
        nothing = (None,) * 5
        _, second = change(db, "INSERT INTO users (name, paid, born, seen, photo) VALUES (%s, %s, %s, %s, %s)", nothing)
        assert second > insert_id, (insert_id, second)
        db.commit()
        got = query(db, "SELECT name, paid, born, seen, photo FROM users ORDER BY id")
        equal([tuple(bytes(v) if isinstance(v, bytearray) else v for v in r) for r in got], [row, nothing])

    @step("transaction")
    def transaction():
        other = connect()
        for number in range(8):
            change(db, "INSERT INTO t1 VALUES (%s, 'kept')", (number,))
        equal(query(other, "SELECT COUNT(*) FROM t1"), [(0,)])
        other.rollback()
        db.rollback()
        equal(query(db, "SELECT COUNT(*) FROM t1"), [(0,)])
        for number in range(8):
            change(db, "INSERT INTO t1 VALUES (%s, 'kept')", (number,))
        change(db, "SAVEPOINT s")
        change(db, "DELETE FROM t1 WHERE id > 3")
        change(db, "ROLLBACK TO SAVEPOINT s")
        db.commit()
        equal(query(other, "SELECT COUNT(*) FROM t1"), [(8,)])
        other.close()
        count, _ = change(db, "UPDATE t1 SET v = 'changed' WHERE id IN (1, 2, 3)")
        equal(count, 3)
        db.rollback()

    @step("batch")
    def batch():
        change(db, "DELETE FROM t1")
        cursor = db.cursor()
        cursor.executemany("INSERT INTO t1 (id, v) VALUES (%s, %s)", [(n, f"v{n}") for n in range(1000)])
        equal(cursor.rowcount, 1000)
        cursor.close()
        db.commit()
        equal(query(db, "SELECT COUNT(*), MIN(id), MAX(id) FROM t1"), [(1000, 0, 999)])
        equal(query(db, "SELECT id FROM t1 ORDER BY id DESC LIMIT 3"), [(999,), (998,), (997,)])

    @step("8 MB blob")
    def blob():
        _, number = change(db, "INSERT INTO users (name, photo) VALUES ('blob', %s)", (BLOB,))
        db.commit()
        equal(query(db, "SELECT LENGTH(photo) FROM users WHERE id = %s", (number,)), [(len(BLOB),)])
        assert bytes(query(db, "SELECT photo FROM users WHERE id = %s", (number,))[0][0]) == BLOB, "another blob came back"
        change(db, "DELETE FROM users WHERE id = %s", (number,))
        db.commit()

    @step("streaming", stream is not None)
    def streaming():
        connection = connect()
        numbers = [row[0] for row in stream(connection, "SELECT id FROM t1 ORDER BY id")]
        equal(numbers, list(range(1000)))
        equal(query(connection, "SELECT 2"), [(2,)])
        connection.close()

    @step("errors")
    def errors():
        fails([1062], lambda: change(db, "INSERT INTO t1 VALUES (1, 'again')"))
        fails([1146], lambda: query(db, "SELECT * FROM no_such_table"))
        fails([1054], lambda: query(db, "SELECT no_such_column FROM t1"))
        fails([1064], lambda: query(db, "SELEC 1"))
        db.rollback()
        equal(query(db, "SELECT 1"), [(1,)])

    @step("metadata")
    def metadata():
        cursor = db.cursor()
        cursor.execute("SELECT id, v AS text, COUNT(*) OVER () FROM t1 WHERE id = 5")
        equal([column[0] for column in cursor.description][:2], ["id", "text"])
        cursor.fetchall()
        cursor.close()

    @step("session")
    def session():
        change(db, "SET @kept = 'yes', SESSION sql_mode = 'ANSI_QUOTES'")
        equal(query(db, 'SELECT "v" FROM "t1" WHERE id = 5'), [("v5",)])
        equal(query(db, "SELECT @kept, @@sql_mode"), [("yes", "ANSI_QUOTES")])
        change(db, "SET sql_mode = DEFAULT")
        equal(query(db, "SELECT DATABASE()"), [(SCHEMA,)])

    @step("temporary table")
    def temporary_table():
        change(db, "CREATE TEMPORARY TABLE scratch_pad (a INT)")
        change(db, "INSERT INTO scratch_pad VALUES (1), (2)")
        equal(query(db, "SELECT SUM(a) + 0 FROM scratch_pad")[0][0], 3)
        change(db, "DROP TEMPORARY TABLE scratch_pad")

    @step("dropped connection")
    def dropped():
        victim = connect()
        number = query(victim, "SELECT CONNECTION_ID()")[0][0]
        change(db, f"KILL {number}")
        try:
            query(victim, "SELECT 1")
        except Exception as error:
            code = getattr(error, "errno", error.args[0] if error.args else None)
            assert code in (*lost, 1927, 1317, 0, -1, None) or not isinstance(code, int), repr(error)
        else:
            raise AssertionError("a killed connection answers")
        again = connect()
        equal(query(again, "SELECT 1"), [(1,)])
        again.close()

    return db, query, change


__all__ = ["PASSWORD", "PORT", "SCHEMA", "USER", "scenario"]
