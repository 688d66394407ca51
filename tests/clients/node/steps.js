// What the Node scenarios share.
'use strict';

const env = name => process.env[`CLIENT_${name}`] || '';

exports.options = {
  host: env('HOST'),
  port: Number(env('PORT')),
  user: env('USER'),
  password: env('PASSWORD'),
  database: env('SCHEMA'),
};
exports.authority = env('CA') && require('fs').readFileSync(env('CA'));
exports.logins = env('LOGINS').split(' ').filter(Boolean).map(entry => {
  const [plugin, port, user, password] = entry.split(':');
  return { plugin, port: Number(port), user, password };
});
exports.texts = ['Zoë 😀', 'it\'s \\ "quoted"', '名前', ''];
exports.blob = Buffer.alloc(8 << 20, Buffer.from(Array.from({ length: 256 }, (_, n) => n)));

exports.step = async (name, body) => {
  let timer;
  const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no end within 60 s')), 60_000); });
  try {
    await Promise.race([body(), limit]);
    console.log(`ok ${name}`);
  } catch (error) {
    const where = (error.stack || '').split('\n').find(line => line.includes('/clients/node/')) || '';
    const text = `${error.name}: ${error.message} ${where.trim().split('/').pop()}`.replace(/\s+/g, ' ');
    console.log(`not ok ${name}: ${text.slice(0, 300)}`);
  } finally {
    clearTimeout(timer);
  }
};

exports.equal = (got, expected) => {
  const [one, two] = [got, expected].map(value => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v)));
  if (one !== two) throw new Error(`${String(one).slice(0, 120)} is not ${String(two).slice(0, 120)}`);
};

exports.fails = async (number, body) => {
  try {
    await body();
  } catch (error) {
    exports.equal(error.errno, number);
    return;
  }
  throw new Error(`error ${number} expected`);
};
