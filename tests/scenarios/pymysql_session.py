"""A session of PyMySQL with the proxy: port, user, password, schema. Prints "all well" at its end."""

import datetime
import decimal
import sys

import pymysql
from pymysql.constants import COMMAND

PORT, USER, PASSWORD, SCHEMA = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


def connect(**more):
    options = {"host": "127.0.0.1", "port": PORT, "user": USER, "password": PASSWORD, "database": SCHEMA}
    return pymysql.connect(**{**options, "charset": "utf8mb4", **more})


def fails(numbers, action):
    try:
        action()
    except pymysql.MySQLError as error:
        assert error.args[0] in numbers, error
    else:
        raise AssertionError(f"error {numbers} expected")


fails([1045], lambda: connect(password="wrong"))
fails([1044, 1049], lambda: connect(database="nosuch"))

connection = connect()
connection.ping()
cursor = connection.cursor()
cursor.execute(
    "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL,"
    " paid DECIMAL(10,2), born DATE, photo BLOB)"
)
cursor.execute("CREATE TABLE order_items (user_id BIGINT NOT NULL, line INT NOT NULL, PRIMARY KEY (user_id, line))")

# autocommit is off in PyMySQL: what is not committed is not there.
people = [
    ("Ada", decimal.Decimal("10.50"), datetime.date(1815, 12, 10), b"\x00\xff'\\"),
    ("Zoë 😀", None, None, None),
    ("O'Neil \\ \"quoted\"", decimal.Decimal("-0.01"), datetime.date(2026, 2, 28), b""),
]
for person in people:
    assert cursor.execute("INSERT INTO users (name, paid, born, photo) VALUES (%s, %s, %s, %s)", person) == 1
    assert cursor.lastrowid > 0
connection.rollback()
cursor.execute("SELECT COUNT(*) FROM users")
assert cursor.fetchone() == (0,)

ids = []
for person in people:
    cursor.execute("INSERT INTO users (name, paid, born, photo) VALUES (%s, %s, %s, %s)", person)
    ids.append(cursor.lastrowid)
connection.commit()
for number, person in zip(ids, people):
    cursor.execute("SELECT name, paid, born, photo FROM users WHERE id = %s", (number,))
    assert cursor.fetchall() == (person,), person

assert cursor.executemany("INSERT INTO order_items VALUES (%s, %s)", [(n, l) for n in range(50) for l in range(4)]) == 200
connection.commit()
cursor.execute("SELECT user_id, COUNT(*) FROM order_items GROUP BY user_id ORDER BY user_id LIMIT 2, 2")
assert cursor.fetchall() == ((2, 4), (3, 4))

with connect(cursorclass=pymysql.cursors.SSDictCursor, autocommit=True) as other, other.cursor() as stream:
    stream.execute("SELECT user_id, line FROM order_items ORDER BY user_id, line")
    assert sum(1 for _ in stream) == 200

fails([1062], lambda: cursor.execute("INSERT INTO order_items VALUES (1, 1)"))
fails([1146], lambda: cursor.execute("SELECT * FROM nosuch"))
fails([1064], lambda: cursor.execute("SELEC 1"))
connection.rollback()

# Commands that are no statements. PyMySQL reads EOF packets, so this is also the protocol without DEPRECATE_EOF.
connection.select_db(SCHEMA)
connection._execute_command(COMMAND.COM_STATISTICS, "")
assert b"Uptime" in connection._read_packet().get_all_data()
connection._execute_command(COMMAND.COM_FIELD_LIST, b"users\0")
fields = 0
while not connection._read_packet().is_eof_packet():
    fields += 1
assert fields == 5, fields
cursor.execute("SET @kept = 1")
connection._execute_command(0x1F, "")  # COM_RESET_CONNECTION
assert connection._read_packet().is_ok_packet()
cursor.execute("SELECT @kept")
assert cursor.fetchone() == (None,)
cursor.execute("SELECT COUNT(*) FROM users")
assert list(connection.show_warnings()) == []
cursor.execute("UPDATE users SET paid = paid + 1 WHERE id IN %s", (tuple(ids),))
assert cursor.rowcount == 2
connection.commit()
connection.close()
print("all well")
