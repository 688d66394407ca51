// Sequelize over mysql2: models, sync, associations, transactions, what it asks about tables.
'use strict';

const { DataTypes, Op, Sequelize } = require('sequelize');
const { equal, options, step } = require('./steps.js');

const db = new Sequelize(options.database, options.user, options.password, {
  host: options.host, port: options.port, dialect: 'mysql', logging: false, define: { timestamps: false },
});
const User = db.define('users', {
  id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
  name: { type: DataTypes.STRING(80), allowNull: false },
  paid: DataTypes.DECIMAL(10, 2),
});
const Region = db.define('areas', { id: { type: DataTypes.INTEGER, primaryKey: true }, name: { type: DataTypes.STRING(20), unique: true } });
const Town = db.define('towns', { id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.STRING(20) });
Region.hasMany(Town);
Town.belongsTo(Region);

(async () => {
  await step('authenticate', () => db.authenticate());
  await step('sync', async () => {
    await db.sync({ force: true });
    await db.sync({ alter: true });
  });
  await step('create and find', async () => {
    const [ada] = await User.bulkCreate([{ name: 'Ada', paid: 1.5 }, { name: 'Zoë 😀' }, { name: 'Bob', paid: 3 }]);
    const zoe = await User.create({ name: 'Dora' });
    equal((await User.findByPk(zoe.id)).name, 'Dora');
    equal((await User.findAll({ order: [['name', 'ASC']], limit: 2 })).map(user => user.name), ['Ada', 'Bob']);
    equal(await User.count({ where: { name: { [Op.like]: '%o%' } } }), 3);
    equal(Number(await User.sum('paid')), 4.5);
    await User.update({ paid: 7 }, { where: { name: 'Ada' } });
    equal(typeof ada.name, 'string');
  });
  await step('associations', async () => {
    await Region.create({ id: 1, name: 'north' });
    await Town.bulkCreate([{ id: 1, name: 'a', areaId: 1 }, { id: 2, name: 'b', areaId: 1 }]);
    const region = await Region.findOne({ include: Town, order: [[Town, 'id', 'ASC']] });
    equal(region.towns.map(town => town.name), ['a', 'b']);
  });
  await step('transaction', async () => {
    await db.transaction(async transaction => {
      await User.destroy({ where: {}, transaction });
      throw new Error('stop');
    }).catch(() => {});
    equal(await User.count(), 4);
    await db.transaction({ isolationLevel: 'READ COMMITTED' }, transaction => User.create({ name: 'Eve' }, { transaction }));
    equal(await User.count(), 5);
  });
  await step('tables and columns', async () => {
    const about = db.getQueryInterface();
    const tables = (await about.showAllTables()).map(table => table.tableName || table);
    for (const table of ['users', 'areas', 'towns']) if (!tables.includes(table)) throw new Error(`${table} is not in ${tables}`);
    equal(Object.keys(await about.describeTable('users')), ['id', 'name', 'paid']);
    equal((await about.showIndex('areas')).filter(index => !index.primary).length > 0, true);
    equal((await about.getForeignKeyReferencesForTable('towns')).map(key => key.columnName), ['areaId']);
  });
  await step('drop', () => db.drop());
  await db.close();
})().catch(error => { console.error(error); process.exit(1); }).then(() => process.exit(0));
