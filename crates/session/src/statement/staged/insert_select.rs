//! INSERT … SELECT and REPLACE … SELECT whose rows come from or go to several nodes.

use std::sync::Arc;

use serval_catalog::{ColumnDef, Placement};
use serval_planner::primitive::Target;
use serval_planner::{Bound, PlanError, PlanTable};
use serval_remote::Backend;
use serval_types::MysqlError;
use serval_wire::packet::OkPacket;

use super::cells::Cells;
use super::clauses::{Clauses, TableName};
use super::steps::Step;
use super::{assigned, decides, table, warned};
use crate::answer::Outcome;
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::{Lock, Session, Staging, Sum, found_in_query, on_node};

/// The most bytes and rows of one INSERT … VALUES.
const CHUNK_BYTES: usize = 256 * 1024;
const CHUNK_ROWS: usize = 2000;

/// The parts of the statement.
pub(super) struct InsertSelect<'a> {
    clauses: &'a Clauses<'a>,
    name: TableName,
    /// The columns that are listed.
    columns: Vec<String>,
    /// Where the query and its parentheses begin.
    head_end: usize,
    /// The tokens of the query.
    query: (usize, usize),
    ignore: bool,
    replaces: bool,
    /// Where ON DUPLICATE KEY UPDATE begins.
    update: Option<usize>,
    returning: bool,
}

impl<'a> InsertSelect<'a> {
    /// The parts of an INSERT … SELECT; `None` for any other.
    pub(super) fn of(clauses: &'a Clauses<'a>) -> Option<Self> {
        let modifiers = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE"];
        let into = clauses.skip(1, &modifiers);
        let ignore = clauses.contains(1, into, &["IGNORE"]);
        let (name, mut at) = clauses.table(clauses.skip(into, &["INTO"]))?;
        let mut columns = Vec::new();
        if clauses.is_symbol(at, b'(') && !begins_query(clauses, at) {
            let end = clauses.closing(at)?;
            for (from, to) in clauses.items(at + 1, end) {
                columns.push(clauses.name(to.checked_sub(1).filter(|last| *last >= from)?)?);
            }
            at = end + 1;
        }
        if !begins_query(clauses, at) {
            return None;
        }
        let end = |at: &usize| {
            clauses.is_word(*at, &["RETURNING"])
                || clauses.is_word(*at, &["ON"]) && clauses.is_word(at + 1, &["DUPLICATE"])
        };
        let end = clauses.outside(at).find(end).unwrap_or(clauses.tokens.len());
        let update = clauses.is_word(end, &["ON"]).then_some(end);
        let returning = clauses.find(end, &["RETURNING"]) < clauses.tokens.len();
        let replaces = clauses.is_word(0, &["REPLACE"]);
        let head_end = at;
        let mut query = (at, end);
        while clauses.is_symbol(query.0, b'(') && clauses.closing(query.0) == Some(query.1 - 1) {
            query = (query.0 + 1, query.1 - 1);
        }
        Some(Self { clauses, name, columns, head_end, query, ignore, replaces, update, returning })
    }

    /// What stands before the query. Behind DELAYED no server waits for a SELECT, but some tables refuse VALUES.
    fn head(&self) -> Vec<u8> {
        let clauses = self.clauses;
        let delayed = clauses.find(0, &["DELAYED"]);
        if delayed >= self.head_end {
            return clauses.text(0, self.head_end).to_vec();
        }
        [clauses.text(0, delayed), b" ", clauses.text(delayed + 1, self.head_end)].concat()
    }

    fn tail(&self) -> &[u8] {
        self.update.map_or(b"", |at| self.clauses.text(at, self.clauses.tokens.len()))
    }

    /// Whether the query is of a form behind which a lock can be asked for.
    fn lock(&self) -> Option<Lock<'static>> {
        let (from, to) = self.query;
        let words = ["UNION", "INTERSECT", "EXCEPT", "WITH", "LOCK", "FOR", "PROCEDURE", "VALUES", "TABLE"];
        let plain = self.clauses.is_word(from, &["SELECT"]) && !self.clauses.contains(from, to, &words);
        plain.then_some(Lock { own: None })
    }

    /// What EXPLAIN shows of it.
    pub(super) fn steps(&self) -> Vec<Step> {
        let (from, to) = self.query;
        let text =
            |text: &[u8]| String::from_utf8_lossy(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let tail = if self.update.is_some() { format!(" {}", text(self.tail())) } else { String::new() };
        vec![
            Step::query("read the rows, and lock them", self.clauses.text(from, to).to_vec()),
            Step::later(format!(
                "insert them, up to {CHUNK_ROWS} at once, each into its shard: {} VALUES …{tail}",
                text(&self.head())
            )),
        ]
    }

    fn check(&self, target: &PlanTable, sources: &[PlanTable]) -> Result<(), Failure> {
        if self.returning {
            return Err(refused(
                "INSERT … SELECT … RETURNING over several nodes is not supported; SELECT the rows afterwards",
            ));
        }
        match self.update {
            Some(at) => self.check_update(at, target, sources),
            None => Ok(()),
        }
    }

    /// What ON DUPLICATE KEY UPDATE names must be the target's: the rows of the SELECT are values when it runs.
    fn check_update(&self, at: usize, target: &PlanTable, sources: &[PlanTable]) -> Result<(), Failure> {
        let clauses = self.clauses;
        let known = |name: &str| {
            let definition = target.table.definition.as_deref();
            definition.is_none_or(|definition| definition.column(name).is_some())
        };
        let ambiguous = |name: &str| {
            sources.iter().any(|source| {
                let definition = source.table.definition.as_deref();
                definition.is_none_or(|definition| definition.column(name).is_some())
            })
        };
        let mut values_until = 0;
        for here in at..clauses.tokens.len() {
            if clauses.is_word(here, &["VALUES", "VALUE"]) && clauses.is_symbol(here + 1, b'(') {
                values_until = clauses.closing(here + 1).unwrap_or(here);
            }
            let part = here > 0 && clauses.is_symbol(here - 1, b'.');
            if !clauses.is_name(here) || part || here <= values_until || clauses.is_symbol(here + 1, b'(') {
                continue;
            }
            let Some(name) = clauses.name(here) else { continue };
            let same = |other: &str| other.eq_ignore_ascii_case(&name);
            let qualifies = clauses.is_symbol(here + 1, b'.');
            let wrong = if qualifies {
                !same(&target.table.name) && !same(&target.schema)
            } else {
                // Assigned to, it can only be the target's.
                !clauses.is_symbol(here + 1, b'=') && known(&name) && ambiguous(&name)
            };
            if wrong {
                return Err(refused(format!(
                    "ON DUPLICATE KEY UPDATE behind a SELECT over several nodes can name columns of {} only, as \
                     {}.{name}, and VALUES(column) for what the SELECT gives",
                    target.table.name, target.table.name
                )));
            }
        }
        Ok(())
    }
}

/// Whether a query begins here, perhaps in parentheses.
fn begins_query(clauses: &Clauses<'_>, mut at: usize) -> bool {
    while clauses.is_symbol(at, b'(') {
        at += 1;
    }
    clauses.is_word(at, &["SELECT", "WITH"])
}

/// Reads the rows, then inserts them.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    statement: &InsertSelect<'_>,
) -> Result<OkPacket, Failure> {
    let target = table(session, statement.name.parts())?;
    let catalog = session.catalog();
    let mut staging = Staging::begin(session, catalog).await?;
    let result = copy(&mut staging, statement, &target).await;
    let (records, sum) = staging.end(result).await?;
    let info = info(statement, records, &sum);
    let ok = sum.answer(session, info);
    let (from, to) = statement.query;
    session.last.found_rows = found_in_query(statement.clauses.text(from, to), records);
    Ok(ok)
}

/// `Records: 3  Duplicates: 1  Warnings: 0`, which one server says of every INSERT … SELECT.
pub(super) fn info(statement: &InsertSelect<'_>, records: u64, sum: &Sum) -> Vec<u8> {
    let affected = sum.affected_rows;
    let duplicates = match statement {
        InsertSelect { update: Some(_), .. } => sum.field("Duplicates"),
        InsertSelect { replaces: true, .. } => affected.saturating_sub(records),
        InsertSelect { ignore: true, .. } => records.saturating_sub(affected),
        _ => 0,
    };
    format!("Records: {records}  Duplicates: {duplicates}  Warnings: {}", sum.warnings()).into_bytes()
}

/// Reads the rows and inserts them, as steps of a larger statement; how many there were.
pub(super) async fn copy_into<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &InsertSelect<'_>,
) -> Result<u64, Failure> {
    let target = table(staging.session, statement.name.parts())?;
    copy(staging, statement, &target).await
}

/// How many rows there were.
async fn copy<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &InsertSelect<'_>,
    target: &PlanTable,
) -> Result<u64, Failure> {
    let (from, to) = statement.query;
    let (rows, sources) = staging.read(statement.clauses.text(from, to), statement.lock()).await?;
    warned::heed(staging, statement.ignore).await?;
    statement.check(target, &sources)?;
    let mariadb = staging.session.proxy.flavour().is_mariadb();
    if rows.rows.is_empty() {
        refuse_unknown(staging, target)?;
    }
    if let (Some(at), []) = (statement.update, &*rows.rows) {
        assigned::check(statement.clauses, at, target, mariadb)?;
    }
    let columns = columns(statement, target, rows.columns.len(), mariadb)?;
    if rows.rows.is_empty() {
        insert_nothing(staging, statement, target, columns.len()).await?;
        return Ok(0);
    }
    let keys = keys(statement, target, &columns);
    let cells = Cells::of(staging, &rows, columns.clone(), keys).await?;
    let strict = staging_is_strict(staging, statement, &columns, &rows, &cells).await?;
    let mut chunk = Chunk::new(statement);
    for payload in &rows.rows {
        let row = cells.row(payload)?;
        if !strict {
            refuse_null(&row, &columns)?;
        }
        if chunk.is_full() {
            insert(staging, statement, &mut chunk).await?;
        }
        chunk.push(&row);
    }
    insert(staging, statement, &mut chunk).await?;
    Ok(rows.rows.len() as u64)
}

/// Has one server look at an INSERT into which no row goes: what it finds wrong with the columns it says without rows too,
/// and that the transaction is read only.
async fn insert_nothing<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &InsertSelect<'_>,
    target: &PlanTable,
    count: usize,
) -> Result<(), Failure> {
    let (node, shard) = match &target.table.placement {
        Placement::Node(node) => (Some(*node), None),
        Placement::Global(nodes) => (nodes.first().copied(), None),
        Placement::Sharded(sharding) => (sharding.shards.first().map(|shard| shard.node), Some(0)),
    };
    let Some(node) = node else { return Ok(()) };
    let verb = match (statement.replaces, statement.ignore) {
        (true, _) => "REPLACE",
        (false, true) => "INSERT IGNORE",
        (false, false) => "INSERT",
    };
    let names: Vec<String> = statement.columns.iter().map(|name| identifier(name)).collect();
    let columns = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let sql = format!(
        "{verb} INTO {}{columns} SELECT {} FROM DUAL WHERE FALSE",
        identifier(target.physical_name(shard)),
        vec!["NULL"; count].join(", ")
    );
    let target = PlanTable { schema: target.schema.clone(), table: Arc::clone(&target.table) };
    let bound = Bound { tables: Arc::from([target]), ..on_node(Target::new(node, shard, sql.into_bytes())) };
    let state = staging.session.effective_state();
    let (outcome, _) = staging.run(&bound, &state, None).await?;
    staging.add(&bound, &outcome.ok, state).await;
    Ok(())
}

/// No server will miss a table into which no row goes.
fn refuse_unknown<B: Backend>(staging: &mut Staging<'_, B>, target: &PlanTable) -> Result<(), Failure> {
    if target.table.definition.is_some() || !staging.is_own() {
        return Ok(());
    }
    let (schema, table) = (target.schema.clone(), target.table.name.clone());
    staging.session.undefined = Some((schema.clone(), table.clone()));
    Err(PlanError::Undefined { schema, table }.to_mysql().into())
}

/// Where the cells of a row go.
fn columns<'t>(
    statement: &InsertSelect<'_>,
    target: &'t PlanTable,
    count: usize,
    mariadb: bool,
) -> Result<Vec<Option<&'t ColumnDef>>, Failure> {
    let definition = target.table.definition.as_deref();
    let columns: Vec<Option<&ColumnDef>> = match (definition, &*statement.columns) {
        (None, _) => vec![None; count],
        (Some(definition), []) => {
            definition.columns.iter().filter(|column| !column.invisible).map(Some).collect()
        }
        (Some(definition), names) => {
            let unknown = |name: &String| unknown_column(name, mariadb);
            let find = |name: &String| definition.column(name).ok_or_else(|| unknown(name)).map(Some);
            names.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let listed = if statement.columns.is_empty() { columns.len() } else { statement.columns.len() };
    if listed != count {
        let message = "Column count doesn't match value count at row 1".to_owned();
        return Err(MysqlError { number: 1136, sqlstate: *b"21S01", message }.into());
    }
    Ok(columns)
}

/// Which of them decide about shards.
fn keys(statement: &InsertSelect<'_>, target: &PlanTable, columns: &[Option<&ColumnDef>]) -> Vec<bool> {
    let is_key = |name: &str| decides(&target.table, name);
    if statement.columns.is_empty() {
        return columns.iter().map(|column| column.is_some_and(|column| is_key(&column.name))).collect();
    }
    statement.columns.iter().map(|name| is_key(name)).collect()
}

/// Whether NULL means the same in one row of VALUES as in a SELECT: not without strict mode, where the one is an error
/// and the other a default with a warning.
async fn staging_is_strict<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &InsertSelect<'_>,
    columns: &[Option<&ColumnDef>],
    rows: &Outcome,
    cells: &Cells<'_>,
) -> Result<bool, Failure> {
    if statement.ignore {
        return Ok(true);
    }
    let mut null = false;
    for payload in &rows.rows {
        null |= refuse_null(&cells.row(payload)?, columns).is_err();
        if null {
            return warned::is_strict(staging).await;
        }
    }
    Ok(true)
}

fn refuse_null(row: &[Option<String>], columns: &[Option<&ColumnDef>]) -> Result<(), Failure> {
    for (cell, column) in row.iter().zip(columns) {
        if let (None, Some(column)) = (cell, column)
            && !column.nullable
            && !column.auto_increment
        {
            return Err(refused(format!(
                "NULL for column {}, which is NOT NULL, is not supported in an INSERT … SELECT over several nodes without \
                 strict mode; use IFNULL in the SELECT",
                column.name
            )));
        }
    }
    Ok(())
}

/// Rows on their way into one INSERT.
struct Chunk {
    head: Vec<u8>,
    text: Vec<u8>,
    rows: usize,
}

impl Chunk {
    fn new(statement: &InsertSelect<'_>) -> Self {
        let mut head = statement.head();
        head.extend_from_slice(b"\nVALUES ");
        Self { text: head.clone(), head, rows: 0 }
    }

    fn is_full(&self) -> bool {
        self.rows >= CHUNK_ROWS || self.text.len() >= CHUNK_BYTES
    }

    fn push(&mut self, row: &[Option<String>]) {
        let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect();
        self.text.extend_from_slice(if self.rows == 0 { b"(" } else { b", (" });
        self.text.extend_from_slice(cells.join(", ").as_bytes());
        self.text.push(b')');
        self.rows += 1;
    }

    /// The statement; empty again afterwards.
    fn take(&mut self, tail: &[u8]) -> Vec<u8> {
        let mut sql = std::mem::replace(&mut self.text, self.head.clone());
        sql.push(b'\n');
        sql.extend_from_slice(tail);
        self.rows = 0;
        sql
    }
}

async fn insert<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &InsertSelect<'_>,
    chunk: &mut Chunk,
) -> Result<(), Failure> {
    let rows = chunk.rows;
    if rows == 0 {
        return Ok(());
    }
    let sql = chunk.take(statement.tail());
    let ok = staging.change(&sql).await?;
    if ok.info.is_empty() && rows == 1 && statement.update.is_some() {
        // Servers have no text for a row alone; one that updated another counts twice.
        let duplicates = if statement.ignore {
            1_u64.saturating_sub(ok.affected_rows)
        } else {
            ok.affected_rows.saturating_sub(1)
        };
        staging.sum.count("Duplicates", duplicates);
    }
    Ok(())
}

fn unknown_column(name: &str, mariadb: bool) -> MysqlError {
    let place = if mariadb { "INSERT INTO" } else { "field list" };
    let message = format!("Unknown column '{name}' in '{place}'");
    MysqlError { number: 1054, sqlstate: *b"42S22", message }
}
