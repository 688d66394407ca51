//! Rows that lie beside those of another table: where a parent's rows are, and where children are that have none.

use std::sync::Arc;

use serval_catalog::{Catalog, ShardIndex, Sharding};
use serval_executor::{ExecuteError, query_rows};
use serval_planner::primitive::{Primitive, Route, Target};
use serval_planner::{Bound, Led, PlanTable};
use serval_remote::{Backend, SessionState};
use serval_types::{ColumnType, MysqlError, NodeId, Value};

use super::Session;
use crate::failure::{Failure, refused};
use crate::literal::{identifier, literal};

/// How many keys one statement asks for.
const AT_ONCE: usize = 200;

/// The table whose rows are looked for, and the column.
struct Sought<'a> {
    table: PlanTable,
    sharding: &'a Sharding,
    column: &'a str,
}

/// One question to some shards: `sql` makes the statement for each.
type Question<'a> = &'a dyn Fn(ShardIndex, &str) -> Option<String>;

/// The shards of the rows that hold these keys of their parent's rows, which are locked from here on so that they stay.
///
/// The session has an open transaction. Other groups than those that it uses already are asked outside of it: only the
/// one that the rows go to has to take part.
///
/// # Errors
/// 1452 where there is no such row, and 1048 for NULL.
pub(crate) async fn places<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    child: &PlanTable,
    keys: &[Value],
) -> Result<Vec<ShardIndex>, Failure> {
    let followed = child.table.sharding().and_then(|own| Some((own.parent.as_ref()?, own.columns.first()?)));
    let Some((key, column)) = followed else { return Ok(Vec::new()) };
    let parent = catalog.table(&key.schema, &key.table).and_then(|table| {
        let sharding = Arc::clone(table.sharding()?);
        Some((table.clone(), sharding))
    });
    let Some((parent, sharding)) = parent else {
        return Err(refused(format!("The parent {} of {} is not known", key.table, child.table.name)));
    };
    let table = PlanTable { schema: key.schema.clone(), table: parent };
    let sought = Sought { table, sharding: &sharding, column: &key.column };
    let mut literals = Vec::with_capacity(keys.len());
    for value in keys {
        literals.push(key_literal(value, &column.column_type, &column.name)?);
    }
    let mut distinct = literals.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let mut found: Vec<(String, ShardIndex)> = Vec::with_capacity(distinct.len());
    for wanted in distinct.chunks(AT_ONCE) {
        found.extend(sought.find(session, catalog, wanted).await?);
    }
    let place = |wanted: &String| {
        let at = found.iter().find(|(known, _)| known == wanted).map(|(_, shard)| *shard);
        at.ok_or_else(|| {
            Failure::Told(MysqlError {
                number: 1452,
                sqlstate: *b"23000",
                message: format!(
                    "Cannot add or update a child row: a row of {} lies where the row of {} lies that its {} names, and \
                     there is none with {} = {wanted}; insert that first",
                    child.table.name, key.table, column.name, key.column
                ),
            })
        })
    };
    literals.iter().map(place).collect()
}

/// Refuses new rows of a parent whose keys are held by children on other shards.
///
/// # Errors
/// 1451 where there are such.
pub(super) async fn refuse_strays<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    leads: &[Led],
) -> Result<(), Failure> {
    for Led { child, keys } in leads {
        let Some(table) = catalog.table(&child.key.schema, &child.table) else { continue };
        if session.locked.is_some() && table.definition.is_none() {
            // LOCK TABLES could not lock what was not created yet; nobody has a row in it.
            continue;
        }
        let Some(sharding) = table.sharding().map(Arc::clone) else { continue };
        let Some(column) = sharding.columns.first() else { continue };
        let mut places = Vec::with_capacity(keys.len());
        for (value, shard) in keys {
            places.push((key_literal(value, &column.column_type, &child.key.column)?, *shard));
        }
        let named = PlanTable { schema: child.key.schema.clone(), table: Arc::clone(table) };
        let sought = Sought { table: named, sharding: &sharding, column: &column.name };
        for places in places.chunks(AT_ONCE) {
            let elsewhere = |shard: ShardIndex, table: &str| {
                let keys: Vec<&str> =
                    places.iter().filter(|(_, own)| *own != shard).map(|(key, _)| &**key).collect();
                let (list, column) = (keys.join(", "), identifier(&column.name));
                let sql =
                    format!("SELECT {column} FROM {} WHERE {column} IN ({list}) LIMIT 1", identifier(table));
                (!keys.is_empty()).then_some(sql)
            };
            let seen = sought.ask(session, catalog, sought.targets(&elsewhere), false).await?;
            let rows = match seen.is_empty() {
                true => sought.unseen(session, catalog, sought.targets(&elsewhere)).await?,
                false => seen,
            };
            if let Some([Some(key)]) = rows.first().map(Vec::as_slice) {
                let message = format!(
                    "Cannot add a parent row: rows of {} have {} = {key} and lie on another data node than this one would; \
                     their own row of {} is gone. DELETE them first, or let a FOREIGN KEY keep them together",
                    child.table, child.column, child.key.table
                );
                return Err(MysqlError { number: 1451, sqlstate: *b"23000", message }.into());
            }
        }
    }
    Ok(())
}

impl Sought<'_> {
    /// The shards of some keys, as far as there are rows with them, which are locked then.
    async fn find<B: Backend>(
        &self,
        session: &mut Session<B>,
        catalog: &Arc<Catalog>,
        wanted: &[String],
    ) -> Result<Vec<(String, ShardIndex)>, Failure> {
        let everywhere = |shard: ShardIndex, table: &str| Some(self.query(table, shard, wanted, ""));
        let seen = self.ask(session, catalog, self.targets(&everywhere), false).await?;
        let mut found = self.read(&seen, wanted)?;
        if found.len() < wanted.len() {
            // What this transaction does not see may have been committed since it began.
            let missing: Vec<String> =
                wanted.iter().filter(|key| !found.iter().any(|(known, _)| known == *key)).cloned().collect();
            let late = |shard: ShardIndex, table: &str| Some(self.query(table, shard, &missing, LOCK));
            let seen = self.ask(session, catalog, self.targets(&late), true).await?;
            found.extend(self.read(&seen, &missing)?);
        }
        let keys_on = |shard: ShardIndex| -> Vec<String> {
            found.iter().filter(|(_, at)| *at == shard).map(|(key, _)| key.clone()).collect()
        };
        let confirm = |shard: ShardIndex, table: &str| {
            let keys = keys_on(shard);
            (!keys.is_empty()).then(|| self.query(table, shard, &keys, LOCK))
        };
        let targets = self.targets(&confirm);
        let mut locked = Vec::with_capacity(found.len());
        for row in self.run(session, catalog, targets, true).await? {
            let Some(shard) = number(&row, 1) else { continue };
            let keys = keys_on(shard);
            locked.extend(named(&row, &keys).map(|key| (key.clone(), shard)));
        }
        Ok(locked)
    }

    /// Which of the keys a shard has: for each row a digit for each key, and the shard. Several keys may name one row,
    /// where the column's collation calls them equal.
    fn query(&self, table: &str, shard: ShardIndex, keys: &[String], lock: &str) -> String {
        let column = identifier(self.column);
        let digits: Vec<String> = keys.iter().map(|key| format!("{column} = {key}")).collect();
        format!(
            "SELECT CONCAT({}), {shard} FROM {} WHERE {column} IN ({}){lock}",
            digits.join(", "),
            identifier(table),
            keys.join(", ")
        )
    }

    /// The keys that were found, each with its shard.
    fn read(
        &self,
        rows: &[Vec<Option<String>>],
        keys: &[String],
    ) -> Result<Vec<(String, ShardIndex)>, Failure> {
        let mut found: Vec<(String, ShardIndex)> = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(shard) = number(row, 1) else { continue };
            for key in named(row, keys) {
                if found.iter().any(|(known, other)| known == key && *other != shard) {
                    return Err(refused(format!(
                        "Rows of {} with {} = {key} lie on several shards, so a row that follows one of them has no place; \
                         values of {} must be unique",
                        self.table.table.name, self.column, self.column
                    )));
                }
                found.push((key.clone(), shard));
            }
        }
        Ok(found)
    }

    fn targets(&self, question: Question<'_>) -> Vec<Target> {
        let shards = self.sharding.shards.iter().enumerate();
        let target = |(at, shard): (ShardIndex, &serval_catalog::Shard)| {
            Some(Target::new(shard.node, Some(at), question(at, &shard.table)?.into_bytes()))
        };
        shards.filter_map(target).collect()
    }

    /// Asks the shards; those of groups that the transaction uses within it, the others outside, unless only the former
    /// are wanted.
    async fn ask<B: Backend>(
        &self,
        session: &mut Session<B>,
        catalog: &Arc<Catalog>,
        targets: Vec<Target>,
        only_joined: bool,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let joined = session.transaction.groups().to_vec();
        let is_joined = |node: NodeId| joined.contains(&catalog.node(node).group);
        let (within, outside): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| is_joined(target.node));
        let mut rows = self.run(session, catalog, within, true).await?;
        if !only_joined {
            rows.extend(self.run(session, catalog, outside, false).await?);
        }
        Ok(rows)
    }

    /// Rows that the transaction does not see, because they were committed since its snapshot: found outside of it, and then
    /// confirmed in it by reading what is there now, since it may have deleted them itself.
    async fn unseen<B: Backend>(
        &self,
        session: &mut Session<B>,
        catalog: &Arc<Catalog>,
        targets: Vec<Target>,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let joined = session.transaction.groups().to_vec();
        let mut late = Vec::new();
        // What LOCK TABLES keeps from others nobody has committed since.
        let targets = targets.into_iter().filter(|_| session.locked.is_none());
        for mut target in targets.filter(|target| joined.contains(&catalog.node(target.node).group)) {
            let node = catalog.node(target.node);
            let sql = String::from_utf8_lossy(&target.sql).into_owned();
            let servers = &*session.proxy.backend;
            match query_rows(servers, node.group, Some(&node.database), &sql).await {
                Ok(rows) if rows.is_empty() => {}
                Ok(_) => {
                    target.sql.extend_from_slice(LOCK.as_bytes());
                    late.push(target);
                }
                // What has not been made yet has no rows.
                Err(ExecuteError::Server(error)) if error.number == 1146 => {}
                Err(error) => return Err(error.to_mysql().into()),
            }
        }
        self.run(session, catalog, late, true).await
    }

    async fn run<B: Backend>(
        &self,
        session: &mut Session<B>,
        catalog: &Arc<Catalog>,
        targets: Vec<Target>,
        within: bool,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        // What names no tables does not take part in a transaction that does not use its group.
        let tables: Arc<[PlanTable]> = if within { Arc::from([self.table.clone()]) } else { Arc::from([]) };
        let root = Primitive::Route(Route { targets, replica_safe: false, hidden: 0 });
        let bound = Bound { root, tables, notes: Arc::from([]) };
        let answer = match session.collect_under(&bound, catalog, &SessionState::default()).await {
            Ok(answer) => answer,
            // What has not been made yet has no rows.
            Err(Failure::Told(error)) if error.number == 1146 => return Ok(Vec::new()),
            Err(failure) => return Err(failure),
        };
        let columns = answer.columns.len();
        Ok((0..answer.rows.len())
            .map(|row| (0..columns).map(|column| answer.text(row, column)).collect())
            .collect())
    }
}

/// Both servers know it.
const LOCK: &str = " LOCK IN SHARE MODE";

/// The key as the column stores it, written so that it compares in the column's own type.
fn key_literal(value: &Value, column_type: &ColumnType, column: &str) -> Result<String, Failure> {
    let is_text = matches!(column_type, ColumnType::Text { .. });
    match value {
        Value::Null => {
            let message =
                format!("Column '{column}' cannot be null: it names the row beside which this one lies");
            Err(MysqlError { number: 1048, sqlstate: *b"23000", message }.into())
        }
        Value::Int(_) | Value::UInt(_) if is_text => Ok(quoted(&literal(value, "utf8mb4"))),
        Value::Text(digits) if matches!(column_type, ColumnType::Int { .. }) => {
            let text = std::str::from_utf8(digits).unwrap_or_default().trim();
            let number: Option<i128> = text.parse().ok();
            number.map(|number| number.to_string()).ok_or_else(|| unclear(column))
        }
        Value::Decimal(_) | Value::Double(_) if !matches!(column_type, ColumnType::Decimal { .. }) => {
            Err(unclear(column))
        }
        value => Ok(literal(value, "utf8mb4")),
    }
}

fn unclear(column: &str) -> Failure {
    refused(format!("The value of {column} names a row of another table; write it in that column's own type"))
}

/// A text of ASCII as a literal under every sql_mode.
fn quoted(text: &str) -> String {
    crate::literal::quote(text.as_bytes(), "utf8mb4")
}

/// The keys that a row has, by its digits.
fn named<'k>(row: &[Option<String>], keys: &'k [String]) -> impl Iterator<Item = &'k String> {
    let digits = row.first().cloned().flatten().unwrap_or_default().into_bytes();
    keys.iter().zip(digits).filter(|(_, digit)| *digit == b'1').map(|(key, _)| key)
}

fn number(row: &[Option<String>], at: usize) -> Option<usize> {
    row.get(at)?.as_deref()?.parse().ok()
}
