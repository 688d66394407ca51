// MariaDB's connector for Node: it sends commands without waiting for answers, and batches in bulk.
'use strict';

const mariadb = require('mariadb');
const { authority, blob, equal, fails, logins, options, step, texts } = require('./steps.js');

const connect = more => mariadb.createConnection({ ...options, insertIdAsNumber: true, bigIntAsNumber: true, allowPublicKeyRetrieval: true, ...more });
const plain = rows => rows.map(row => ({ ...row }));

(async () => {
  for (const { plugin, ...login } of logins) {
    await step(`login ${plugin}`, async () => {
      const db = await connect(login);
      equal(plain(await db.query('SELECT 1 AS one')), [{ one: 1 }]);
      await db.end();
    });
  }
  await step('wrong password', () => fails(1045, () => connect({ password: 'wrong' })));
  await step('TLS', async () => {
    const db = await connect({ ssl: { ca: authority } });
    const [row] = await db.query("SHOW STATUS LIKE 'Ssl_cipher'");
    if (!row || !row.Value) throw new Error('not encrypted');
    await db.end();
  });
  const db = await connect();
  await step('tables', async () => {
    for (const table of ['users', 't1']) await db.query(`DROP TABLE IF EXISTS ${table}`);
    await db.query('CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, photo LONGBLOB)');
    await db.query('CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))');
  });
  for (const method of ['query', 'execute']) {
    await step(method === 'execute' ? 'prepared statements' : 'text statements', async () => {
      for (const name of texts) {
        const done = await db[method]('INSERT INTO users (name) VALUES (?)', [name]);
        equal(plain(await db[method]('SELECT name FROM users WHERE id = ?', [done.insertId])), [{ name }]);
      }
    });
  }
  await step('pipelined', async () => {
    const answers = await Promise.all([1, 2, 3].map(n => db.query('SELECT ? AS n', [n])));
    equal(answers.map(([row]) => Number(row.n)), [1, 2, 3]);
  });
  await step('transaction', async () => {
    await db.beginTransaction();
    await db.query('DELETE FROM users');
    await db.rollback();
    equal(Number((await db.query('SELECT COUNT(*) AS n FROM users'))[0].n), 8);
  });
  await step('batch', async () => {
    const rows = Array.from({ length: 1000 }, (_, n) => [n, `v${n}`]);
    // One answer where the server takes bulks, one for each row where it does not.
    const done = [await db.batch('INSERT INTO t1 (id, v) VALUES (?, ?)', rows)].flat();
    equal(done.reduce((sum, one) => sum + one.affectedRows, 0), 1000);
    equal(Number((await db.query('SELECT COUNT(*) AS n FROM t1'))[0].n), 1000);
  });
  await step('8 MB blob', async () => {
    await db.query("INSERT INTO users (name, photo) VALUES ('blob', ?)", [blob]);
    const [row] = await db.query("SELECT photo FROM users WHERE name = 'blob'");
    if (!row.photo.equals(blob)) throw new Error('another blob came back');
  });
  await step('streaming', async () => {
    let expected = 0;
    for await (const row of db.queryStream('SELECT id FROM t1 ORDER BY id')) equal(row.id, expected++);
    equal(expected, 1000);
  });
  await step('several statements', async () => {
    const other = await connect({ multipleStatements: true });
    equal((await other.query('SELECT 1 AS a; SELECT 2 AS b')).map(plain), [[{ a: 1 }], [{ b: 2 }]]);
    await other.end();
  });
  await step('compression', async () => {
    const other = await connect({ compress: true });
    equal((await other.query("SELECT REPEAT('x', 200000) AS x"))[0].x.length, 200000);
    await other.end();
  });
  await step('change user', async () => {
    const other = await connect();
    await other.query('SET @kept = 1');
    await other.changeUser({ user: options.user, password: options.password, database: options.database });
    equal(plain(await other.query('SELECT @kept AS kept, DATABASE() AS d')), [{ kept: null, d: options.database }]);
    await other.end();
  });
  await step('reset', async () => {
    await db.query('SET @kept = 1');
    await db.reset();
    equal(plain(await db.query('SELECT @kept AS kept')), [{ kept: null }]);
  });
  await step('errors', async () => {
    await fails(1146, () => db.query('SELECT * FROM no_such_table'));
    await fails(1062, () => db.query("INSERT INTO t1 VALUES (1, 'again')"));
    await fails(1064, () => db.query('SELEC 1'));
  });
  await step('dropped connection', async () => {
    const victim = await connect();
    victim.on('error', () => {});
    const [{ id }] = await victim.query('SELECT CONNECTION_ID() AS id');
    await db.query(`KILL ${id}`);
    const answered = await victim.query('SELECT 1').then(() => true, () => false);
    if (answered) throw new Error('a killed connection answers');
    const again = await connect();
    equal(plain(await again.query('SELECT 1 AS one')), [{ one: 1 }]);
    await again.end();
  });
  await db.end();
})().catch(error => { console.error(error); process.exit(1); }).then(() => process.exit(0));
