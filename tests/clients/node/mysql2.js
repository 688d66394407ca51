// Node's mysql2.
'use strict';

const mysql = require('mysql2/promise');
const { authority, blob, equal, fails, logins, options, step, texts } = require('./steps.js');

const connect = more => mysql.createConnection({ ...options, charset: 'utf8mb4', ...more });

(async () => {
  for (const { plugin, ...login } of logins) {
    await step(`login ${plugin}`, async () => {
      const db = await connect(login);
      equal((await db.query('SELECT 1 AS one'))[0], [{ one: 1 }]);
      await db.end();
    });
  }
  await step('wrong password', () => fails(1045, () => connect({ password: 'wrong' })));
  await step('TLS', async () => {
    const db = await connect({ ssl: { ca: authority, rejectUnauthorized: true } });
    const [[row]] = await db.query("SHOW STATUS LIKE 'Ssl_cipher'");
    if (!row || !row.Value) throw new Error('not encrypted');
    await db.end();
  });
  const db = await connect();
  await step('tables', async () => {
    for (const table of ['users', 't1']) await db.query(`DROP TABLE IF EXISTS ${table}`);
    await db.query('CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, seen DATETIME(3), doc JSON, photo LONGBLOB)');
    await db.query('CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))');
  });
  for (const method of ['query', 'execute']) {
    await step(method === 'execute' ? 'prepared statements' : 'text statements', async () => {
      for (const name of texts) {
        const [done] = await db[method]('INSERT INTO users (name, seen, doc) VALUES (?, ?, ?)', [name, new Date('2026-02-28T23:59:59.999Z'), '{"a": 1}']);
        equal(done.affectedRows, 1);
        const [rows] = await db[method]('SELECT name, seen FROM users WHERE id = ?', [done.insertId]);
        equal(rows.map(row => [row.name, row.seen.getMilliseconds()]), [[name, 999]]);
      }
      const [rows] = await db[method]('SELECT id FROM users WHERE name = ? ORDER BY id LIMIT 1', [texts[2]]);
      equal(rows, [{ id: 3 }]);
    });
  }
  await step('transaction', async () => {
    await db.beginTransaction();
    await db.query('DELETE FROM users');
    await db.rollback();
    equal((await db.query('SELECT COUNT(*) AS n FROM users'))[0], [{ n: 8 }]);
  });
  await step('batch', async () => {
    const rows = Array.from({ length: 1000 }, (_, n) => [n, `v${n}`]);
    equal((await db.query('INSERT INTO t1 (id, v) VALUES ?', [rows]))[0].affectedRows, 1000);
  });
  await step('8 MB blob', async () => {
    await db.execute("INSERT INTO users (name, photo) VALUES ('blob', ?)", [blob]);
    const [[row]] = await db.execute("SELECT photo FROM users WHERE name = 'blob'");
    if (!row.photo.equals(blob)) throw new Error('another blob came back');
  });
  await step('streaming', async () => {
    let expected = 0;
    for await (const row of db.connection.query('SELECT id FROM t1 ORDER BY id').stream({ highWaterMark: 5 })) equal(row.id, expected++);
    equal(expected, 1000);
  });
  await step('several statements', async () => {
    const other = await connect({ multipleStatements: true });
    equal((await other.query('SELECT 1 AS a; SELECT 2 AS b'))[0], [[{ a: 1 }], [{ b: 2 }]]);
    await other.end();
  });
  await step('compression', async () => {
    const other = await connect({ compress: true });
    equal((await other.query("SELECT REPEAT('x', 200000) AS x"))[0][0].x.length, 200000);
    await other.end();
  });
  await step('change user', async () => {
    const other = await connect();
    await other.query('SET @kept = 1');
    await other.changeUser({ user: options.user, password: options.password, database: options.database });
    equal((await other.query('SELECT @kept AS kept, DATABASE() AS d'))[0], [{ kept: null, d: options.database }]);
    await other.end();
  });
  await step('pool', async () => {
    const pool = mysql.createPool({ ...options, connectionLimit: 8 });
    const sums = await Promise.all(Array.from({ length: 100 }, (_, n) => pool.execute('SELECT v FROM t1 WHERE id = ?', [n])));
    equal(sums.map(([[row]]) => row.v), Array.from({ length: 100 }, (_, n) => `v${n}`));
    await pool.end();
  });
  await step('errors', async () => {
    await fails(1146, () => db.query('SELECT * FROM no_such_table'));
    await fails(1062, () => db.query("INSERT INTO t1 VALUES (1, 'again')"));
    await fails(1064, () => db.query('SELEC 1'));
  });
  await step('dropped connection', async () => {
    const victim = await connect();
    victim.connection.on('error', () => {});
    const [[{ id }]] = await victim.query('SELECT CONNECTION_ID() AS id');
    await db.query(`KILL ${id}`);
    const answered = await victim.query('SELECT 1').then(() => true, () => false);
    if (answered) throw new Error('a killed connection answers');
    const again = await connect();
    equal((await again.query('SELECT 1 AS one'))[0], [{ one: 1 }]);
    await again.end();
  });
  await db.end();
})().catch(error => { console.error(error); process.exit(1); }).then(() => process.exit(0));
