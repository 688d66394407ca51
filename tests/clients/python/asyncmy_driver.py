"""asyncmy: asynchronous, in Cython."""

import asyncio
import ssl

import asyncmy
import asyncmy.cursors

from steps import BLOB, CA, HOST, LOGINS, PASSWORD, PORT, SCHEMA, TEXTS, USER, equal, step


async def connect(**more):
    options = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "db": SCHEMA, "charset": "utf8mb4"}
    return await asyncmy.connect(**{**options, **more})


async def query(connection, sql, values=None):
    async with connection.cursor() as cursor:
        await cursor.execute(sql, values)
        return list(await cursor.fetchall())


async def change(connection, sql, values=None):
    async with connection.cursor() as cursor:
        await cursor.execute(sql, values)
        return cursor.rowcount


def run(name, *needs):
    """A step that is a coroutine with a connection of its own."""

    def decorate(function):
        async def body():
            connection = await connect(autocommit=True)
            try:
                await function(connection)
            finally:
                connection.close()

        step(name, *needs)(lambda: asyncio.run(asyncio.wait_for(body(), 60)))

    return decorate


for plugin, port, user, password in LOGINS:

    @run(f"login {plugin}")
    async def login(_):
        connection = await connect(port=port, user=user, password=password)
        equal(await query(connection, "SELECT 1"), [(1,)])
        connection.close()


@run("wrong password")
async def wrong_password(_):
    try:
        await connect(password="wrong")
    except Exception as error:
        assert error.args[0] in (1045, 1698), repr(error)
    else:
        raise AssertionError("a wrong password is taken")


@run("TLS", CA)
async def encrypted(_):
    context = ssl.create_default_context(cafile=CA)
    connection = await connect(ssl=context)
    cipher = await query(connection, "SHOW STATUS LIKE 'Ssl_cipher'")
    assert cipher and cipher[0][1], "the connection is not encrypted"
    connection.close()


@run("tables and batch")
async def tables(db):
    for table in ("users", "t1"):
        await change(db, f"DROP TABLE IF EXISTS {table}")
    await change(db, "CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40) CHARACTER SET utf8mb4)")
    await change(db, "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80), photo LONGBLOB)")
    async with db.cursor() as cursor:
        await cursor.executemany("INSERT INTO t1 (id, v) VALUES (%s, %s)", [(n, f"v{n}") for n in range(1000)])
    equal(await query(db, "SELECT COUNT(*) FROM t1"), [(1000,)])


@run("unicode")
async def unicode(db):
    for number, text in enumerate(TEXTS):
        await change(db, "REPLACE INTO t1 VALUES (%s, %s)", (2000 + number, text))
        equal(await query(db, "SELECT v FROM t1 WHERE id = %s", (2000 + number,)), [(text,)])
    await change(db, "DELETE FROM t1 WHERE id >= 2000")


@run("transaction")
async def transaction(db):
    await db.begin()
    await change(db, "UPDATE t1 SET v = 'changed'")
    await db.rollback()
    equal(await query(db, "SELECT v FROM t1 WHERE id = 7"), [("v7",)])


@run("8 MB blob")
async def blob(db):
    await change(db, "INSERT INTO users (name, photo) VALUES ('blob', %s)", (BLOB,))
    rows = await query(db, "SELECT photo FROM users WHERE name = 'blob'")
    assert rows[0][0] == BLOB, "another blob came back"


@run("streaming")
async def streaming(db):
    async with db.cursor(asyncmy.cursors.SSCursor) as cursor:
        await cursor.execute("SELECT id FROM t1 ORDER BY id")
        numbers = []
        while row := await cursor.fetchone():
            numbers.append(row[0])
    equal(numbers, list(range(1000)))


@run("dropped connection")
async def dropped(db):
    victim = await connect()
    number = (await query(victim, "SELECT CONNECTION_ID()"))[0][0]
    await change(db, f"KILL {number}")
    try:
        await query(victim, "SELECT 1")
    except Exception:
        pass
    else:
        raise AssertionError("a killed connection answers")
    again = await connect()
    equal(await query(again, "SELECT 1"), [(1,)])
    again.close()
