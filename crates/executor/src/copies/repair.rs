//! Making the copies equal: the rows of one node replace those of the others where they differ.
//!
//! Each chunk is a transaction of its own on the node that is repaired, under locks on both nodes that are taken in the
//! order of the nodes, as every write of a global table takes them. So a chunk is repaired with nobody writing in it,
//! and others wait no longer than for one chunk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serval_catalog::Catalog;
use serval_remote::{Access, Backend, Connection, Request, SessionState};
use serval_types::NodeId;

use super::check::{compare, state, texts};
use super::key::any_of;
use super::{Range, Subject};
use crate::error::ExecuteError;
use crate::places::quoted;
use crate::query_rows::{CONNECTION_WAIT, Row, ask};

/// Rows per statement that deletes or inserts.
const BATCH: usize = 100;

/// How often a chunk is tried whose locks others hold.
const ATTEMPTS: usize = 3;

/// What is wanted of a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The node whose rows are right; that of most copies where none is named.
    pub from: Option<String>,
    /// Only say what would be done.
    pub dry: bool,
}

/// What was done, or would be, to one chunk of one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The data node.
    pub node: String,
    /// The chunk, for people.
    pub range: String,
    /// Rows that it lacked.
    pub inserted: usize,
    /// Rows that it should not have had.
    pub deleted: usize,
    /// Rows that were others.
    pub changed: usize,
    /// Why it was not done.
    pub error: Option<String>,
}

/// Repairs the copies of a global table.
///
/// # Errors
/// What makes it impossible to say which rows are right, or which are whose.
pub async fn repair<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    (schema, table): (&str, &str),
    wanted: &Wanted,
) -> Result<Vec<Repaired>, String> {
    let subject = Subject::of(catalog, schema, table)?;
    if subject.columns.key.is_empty() {
        return Err(format!(
            "{schema}.{table} has no primary key whose values can be compared; repair it by hand"
        ));
    }
    let comparison = compare(backend, &subject).await;
    let source = match &wanted.from {
        Some(name) => comparison.nodes.iter().position(|node| subject.name(*node).eq_ignore_ascii_case(name)).ok_or_else(|| {
            format!("{name} is no data node of {schema}.{table}, or it does not answer")
        })?,
        None => comparison.majority().ok_or_else(|| {
            format!("no copy of {schema}.{table} is more common than the others; name the node whose rows are right")
        })?,
    };
    let mut done: Vec<Repaired> = Vec::new();
    for (range, sums) in &comparison.chunks {
        for (at, node) in comparison.nodes.iter().enumerate() {
            if sums[at] != sums[source] {
                let pair =
                    Pair { backend, subject: &subject, source: comparison.nodes[source], target: *node };
                done.push(pair.repair(range, wanted.dry).await);
            }
        }
    }
    for (node, why) in &comparison.failed {
        done.push(Repaired {
            node: subject.name(*node),
            range: "all rows".to_owned(),
            inserted: 0,
            deleted: 0,
            changed: 0,
            error: Some(why.clone()),
        });
    }
    Ok(done)
}

/// Two copies.
struct Pair<'a, B: Backend> {
    backend: &'a B,
    subject: &'a Subject<'a>,
    source: NodeId,
    target: NodeId,
}

/// Keys, as literals, that have to go and to come.
#[derive(Default)]
struct Differences {
    missing: Vec<Vec<String>>,
    surplus: Vec<Vec<String>>,
    changed: Vec<Vec<String>>,
}

impl<B: Backend> Pair<'_, B> {
    async fn repair(&self, range: &Range, dry: bool) -> Repaired {
        let mut result = self.attempt(range, dry).await;
        for _ in 1..ATTEMPTS {
            match &result {
                Err(ExecuteError::Server(error)) if matches!(error.number, 1205 | 1213) => {
                    result = self.attempt(range, dry).await;
                }
                _ => break,
            }
        }
        let (differences, error) = match result {
            Ok(differences) => (differences, None),
            Err(error) => (Differences::default(), Some(error.to_mysql().message)),
        };
        Repaired {
            node: self.subject.name(self.target),
            range: range.shown(&self.subject.columns.key),
            inserted: differences.missing.len(),
            deleted: differences.surplus.len(),
            changed: differences.changed.len(),
            error,
        }
    }

    async fn attempt(&self, range: &Range, dry: bool) -> Result<Differences, ExecuteError> {
        let (source_lock, target_lock) = if dry { ("", "") } else { ("LOCK IN SHARE MODE", "FOR UPDATE") };
        let mut source = Side::open(self, self.source).await?;
        let mut target = Side::open(self, self.target).await?;
        let (right, found);
        if self.source < self.target {
            right = source.rows(range, source_lock).await?;
            found = target.rows(range, target_lock).await?;
        } else {
            found = target.rows(range, target_lock).await?;
            right = source.rows(range, source_lock).await?;
        }
        let differences = Differences::between(&right, &found);
        if !dry {
            let gone: Vec<&Vec<String>> = differences.surplus.iter().chain(&differences.changed).collect();
            for batch in gone.chunks(BATCH) {
                target.delete(batch).await?;
            }
            let come: Vec<&Vec<String>> = differences.missing.iter().chain(&differences.changed).collect();
            for batch in come.chunks(BATCH) {
                let rows = source.read(batch).await?;
                target.insert(&rows).await?;
            }
        }
        target.ask("COMMIT").await?;
        source.ask("COMMIT").await?;
        Ok(differences)
    }
}

impl Differences {
    fn between(right: &BTreeMap<Vec<String>, String>, found: &BTreeMap<Vec<String>, String>) -> Self {
        let keys: BTreeSet<&Vec<String>> = right.keys().chain(found.keys()).collect();
        let mut differences = Self::default();
        for key in keys {
            match (right.get(key), found.get(key)) {
                (Some(_), None) => differences.missing.push(key.clone()),
                (None, Some(_)) => differences.surplus.push(key.clone()),
                (one, other) if one != other => differences.changed.push(key.clone()),
                _ => {}
            }
        }
        differences
    }
}

/// A connection to one copy, in a transaction. Dropped before its COMMIT, it takes everything back.
struct Side<'a, C: Connection> {
    connection: C,
    subject: &'a Subject<'a>,
    database: &'a str,
    state: SessionState,
    begin: Option<&'static str>,
}

impl<'a, C: Connection> Side<'a, C> {
    async fn open<B: Backend<Connection = C>>(
        pair: &Pair<'a, B>,
        node: NodeId,
    ) -> Result<Self, ExecuteError> {
        let node = pair.subject.catalog.node(node);
        let state = state()
            .with("foreign_key_checks", "0")
            .with("innodb_lock_wait_timeout", "5")
            .with("sql_mode", "'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'");
        let deadline = Instant::now() + CONNECTION_WAIT;
        let connection = pair.backend.acquire(node.group, Access::Primary, &state, deadline).await?;
        let database = &*node.database;
        Ok(Self { connection, subject: pair.subject, database, state, begin: Some("START TRANSACTION") })
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, ExecuteError> {
        let request = Request {
            database: Some(self.database),
            state: &self.state,
            begin: self.begin.take(),
            sql: sql.as_bytes(),
            execution: None,
        };
        ask(&mut self.connection, &request).await
    }

    /// The keys of a chunk with the digests of their rows.
    async fn rows(
        &mut self,
        range: &Range,
        lock: &str,
    ) -> Result<BTreeMap<Vec<String>, String>, ExecuteError> {
        let columns = &self.subject.columns;
        let sql = format!(
            "SELECT {}, {} FROM {} WHERE {} {lock}",
            columns.key_literals.join(", "),
            columns.digest,
            quoted(&self.subject.table.name),
            range.condition(&columns.key)
        );
        let rows = self.ask(&sql).await?.into_iter().map(|row| {
            let mut cells = texts(row).ok_or_else(too_long)?;
            let digest = cells.pop().unwrap_or_default();
            Ok((cells, digest))
        });
        rows.collect()
    }

    /// Whole rows as literals.
    async fn read(&mut self, keys: &[&Vec<String>]) -> Result<Vec<Vec<String>>, ExecuteError> {
        let columns = &self.subject.columns;
        let sql = format!(
            "SELECT {} FROM {} WHERE {}",
            columns.literals.join(", "),
            quoted(&self.subject.table.name),
            any_of(&columns.key, keys)
        );
        self.ask(&sql).await?.into_iter().map(|row| texts(row).ok_or_else(too_long)).collect()
    }

    async fn delete(&mut self, keys: &[&Vec<String>]) -> Result<(), ExecuteError> {
        let condition = any_of(&self.subject.columns.key, keys);
        let sql = format!("DELETE FROM {} WHERE {condition}", quoted(&self.subject.table.name));
        self.ask(&sql).await.map(drop)
    }

    async fn insert(&mut self, rows: &[Vec<String>]) -> Result<(), ExecuteError> {
        if rows.is_empty() {
            return Ok(());
        }
        let values: Vec<String> = rows.iter().map(|row| format!("({})", row.join(", "))).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            quoted(&self.subject.table.name),
            self.subject.columns.names.join(", "),
            values.join(", ")
        );
        self.ask(&sql).await.map(drop)
    }
}

fn too_long() -> ExecuteError {
    ExecuteError::refused("A value is too long for max_allowed_packet as text; copy its row by hand")
}
