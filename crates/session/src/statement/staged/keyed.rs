//! UPDATE and DELETE of one table whose rows no shard can choose by itself: those of a LIMIT, of subqueries on other
//! nodes, and those that move to another shard.

use serval_planner::PlanTable;
use serval_remote::Backend;
use serval_sql::TokenKind;
use serval_types::MysqlError;
use serval_wire::packet::OkPacket;

use super::cells::Cells;
use super::clauses::{Clauses, TableName};
use super::evaluated::Evaluated;
use super::keys::Keys;
use super::steps::Step;
use super::warned::heed;
use super::{decides, evaluated, moving, table};
use crate::failure::{Failure, refused};
use crate::session::{Lock, Session, Staging};

/// How many rows one statement names.
const CHUNK_ROWS: usize = 1000;
/// How many where their keys change, which cannot be done in parts.
const MOST_ROWS: usize = 50_000;

/// The parts of the statement; each `(from, to)` is of tokens.
pub(super) struct Keyed<'a> {
    pub(super) clauses: &'a Clauses<'a>,
    pub(super) name: TableName,
    pub(super) updates: bool,
    pub(super) ignore: bool,
    /// The table with its alias.
    table: (usize, usize),
    /// The assignments.
    pub(super) set: (usize, usize),
    /// The predicate behind WHERE.
    filter: Option<(usize, usize)>,
    /// ORDER BY, with its words.
    order: Option<(usize, usize)>,
    /// The number behind LIMIT.
    limit: Option<usize>,
}

impl<'a> Keyed<'a> {
    /// The parts of an UPDATE or DELETE of one table; `None` for any other.
    pub(super) fn of(clauses: &'a Clauses<'a>) -> Option<Self> {
        let updates = clauses.is_word(0, &["UPDATE"]);
        let mut at = clauses.skip(1, &["LOW_PRIORITY", "QUICK", "IGNORE"]);
        let ignore = clauses.contains(1, at, &["IGNORE"]);
        if !updates {
            at = Some(at).filter(|at| clauses.is_word(*at, &["FROM"]))? + 1;
        }
        let from = at;
        let (name, end) = clauses.table(at)?;
        at = clauses.skip(end, &["AS"]);
        let clause = ["SET", "WHERE", "ORDER", "LIMIT", "RETURNING", "PARTITION", "USING"];
        if clauses.is_name(at) && !clauses.is_word(at, &clause) {
            at += 1;
        }
        let table = (from, at);
        let end = clauses.tokens.len();
        let mut set = (at, at);
        if updates {
            at = Some(at).filter(|at| clauses.is_word(*at, &["SET"]))? + 1;
            set = (at, clauses.find(at, &["WHERE", "ORDER", "LIMIT", "RETURNING"]));
            at = set.1;
        }
        let mut filter = None;
        if clauses.is_word(at, &["WHERE"]) {
            let to = clauses.find(at + 1, &["ORDER", "LIMIT", "RETURNING"]);
            filter = Some((at + 1, to));
            at = to;
        }
        let mut order = None;
        if clauses.is_word(at, &["ORDER"]) {
            let to = clauses.find(at + 1, &["LIMIT", "RETURNING"]);
            order = Some((at, to));
            at = to;
        }
        let mut limit = None;
        if clauses.is_word(at, &["LIMIT"]) {
            let number = clauses.tokens.get(at + 1)?;
            let counts = matches!(number.kind, TokenKind::Integer | TokenKind::Parameter);
            limit = Some(at + 1).filter(|_| counts);
            at += 2;
            limit?;
        }
        (at == end).then_some(Self { clauses, name, updates, ignore, table, set, filter, order, limit })
    }

    fn part(&self, part: Option<(usize, usize)>) -> &[u8] {
        part.map_or(b"", |(from, to)| self.clauses.text(from, to))
    }

    /// Whether rows may move to another shard.
    fn moves(&self, target: &PlanTable, assignments: &[(String, (usize, usize))]) -> bool {
        self.updates && assignments.iter().any(|(name, _)| decides(&target.table, name))
    }

    /// Whether the rows have to be found first.
    fn finds(&self) -> bool {
        self.limit.is_some() || self.has_subquery()
    }

    /// Whether it can be done in steps that one plan cannot.
    fn has_steps(&self, target: &PlanTable, assignments: &[(String, (usize, usize))]) -> bool {
        (self.moves(target, assignments) || self.finds()) && !(self.updates && assignments.is_empty())
    }

    /// LIMIT 0.
    fn takes_nothing(&self) -> bool {
        self.limit.is_some_and(|at| self.clauses.text(at, at + 1) == b"0")
    }

    /// Whether warnings of the rows that it looks at stay warnings in strict mode: on MariaDB they do for a DELETE, and for an
    /// UPDATE that sorts its rows first.
    fn goes_on<B: Backend>(&self, session: &Session<B>) -> bool {
        let looks_first = !self.updates || self.order.is_some();
        self.ignore || looks_first && session.proxy.flavour().is_mariadb()
    }

    fn has_subquery(&self) -> bool {
        self.filter.is_some_and(|(from, to)| self.clauses.contains(from, to, &["SELECT", "WITH"]))
    }

    /// The assignments: each column's name and the tokens of its value. `None` where one is not understood.
    pub(super) fn assignments(&self) -> Option<Vec<(String, (usize, usize))>> {
        let (from, to) = self.set;
        let items = self.clauses.items(from, to);
        let each = items.into_iter().map(|(from, to)| {
            let equals = (from..to).find(|at| self.clauses.is_symbol(*at, b'='))?;
            let name = self.clauses.name(equals.checked_sub(1).filter(|at| *at >= from)?)?;
            (equals + 1 < to).then_some((name, (equals + 1, to)))
        });
        each.collect()
    }

    /// The statement for the rows of a condition.
    fn with(&self, condition: &str) -> Vec<u8> {
        let head_end = if self.updates { self.set.1 } else { self.table.1 };
        let mut sql = self.clauses.text(0, head_end).to_vec();
        sql.extend_from_slice(b"\nWHERE ");
        sql.extend_from_slice(condition.as_bytes());
        sql.push(b'\n');
        sql.extend_from_slice(self.part(self.order));
        sql
    }

    /// The query for the keys of the rows that the statement means.
    fn query(&self, keys: &Keys<'_>) -> Vec<u8> {
        let mut sql = format!("SELECT {} FROM ", keys.list()).into_bytes();
        sql.extend_from_slice(self.part(Some(self.table)));
        if self.filter.is_some() {
            sql.extend_from_slice(b"\nWHERE ");
            sql.extend_from_slice(self.part(self.filter));
        }
        sql.push(b'\n');
        sql.extend_from_slice(self.part(self.order));
        if let Some(at) = self.limit {
            sql.extend_from_slice(b"\nLIMIT ");
            sql.extend_from_slice(self.clauses.text(at, at + 1));
        }
        sql
    }
}

/// What EXPLAIN shows of it; `None` where steps are of no help.
pub(super) fn steps<B: Backend>(
    session: &Session<B>,
    statement: &Keyed<'_>,
) -> Result<Option<Vec<Step>>, Failure> {
    let target = table(session, statement.name.parts())?;
    let assignments = statement.assignments().unwrap_or_default();
    let values = evaluated::of_assignments(statement.clauses, &target, &assignments);
    let (moves, finds) = (statement.moves(&target, &assignments), statement.finds());
    if !statement.has_steps(&target, &assignments) && values.is_none() {
        return Ok(None);
    }
    let mut steps = Vec::new();
    if values.is_some() {
        steps.push(Step::later("evaluate the subqueries behind SET, and lock what they read".to_owned()));
    }
    if finds {
        let keys = Keys::of(&target)?;
        steps.push(Step::query("find the rows by their keys, and lock them", statement.query(&keys)));
    }
    let verb = if statement.updates { "update" } else { "delete" };
    let what = if finds { "these rows, by their keys" } else { "the rows where they are" };
    steps.push(Step::later(format!("{verb} {what}")));
    if moves {
        moving::Moving::of(statement, &target, &assignments)?;
        steps.push(Step::later("take those that belong to another shard now there: DELETE and INSERT"));
    }
    Ok(Some(steps))
}

/// Finds the rows, then changes them; evaluates what they are given before that, where a subquery says it.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    statement: &Keyed<'_>,
    refusal: Failure,
) -> Result<OkPacket, Failure> {
    let target = table(session, statement.name.parts())?;
    let assignments = statement.assignments().unwrap_or_default();
    let values =
        evaluated::of_assignments(statement.clauses, &target, &assignments).filter(|_| !statement.ignore);
    if !statement.has_steps(&target, &assignments) && values.is_none() {
        return Err(refusal);
    }
    let catalog = session.catalog();
    let mut staging = Staging::begin(session, catalog).await?;
    let result = match values {
        Some(values) => evaluated_first(&mut staging, &values, &target, refusal).await,
        None => found_first(&mut staging, statement, &target).await,
    };
    let ((), mut sum) = staging.end(result).await?;
    // Those of the rows that were looked at stand in no server's text.
    let unsaid = u64::from(sum.warnings()).saturating_sub(sum.field("Warnings"));
    if !sum.info().is_empty() {
        sum.count("Warnings", unsaid);
    }
    let info = match statement.updates {
        // MariaDB, which knows that before it looks, says no more of it.
        true if statement.takes_nothing() && session.proxy.flavour().is_mariadb() => Vec::new(),
        true if sum.info().is_empty() => {
            format!("Rows matched: 0  Changed: 0  Warnings: {}", sum.warnings()).into_bytes()
        }
        true => sum.info(),
        false => Vec::new(),
    };
    Ok(sum.answer(session, info))
}

/// Runs the statement with the values of its subqueries in their places.
async fn evaluated_first<B: Backend>(
    staging: &mut Staging<'_, B>,
    values: &Evaluated<'_>,
    target: &PlanTable,
    refusal: Failure,
) -> Result<(), Failure> {
    let sql = match evaluated::written(staging, values).await {
        Ok(sql) => sql,
        // ER_UPDATE_TABLE_USED is what one server says, whatever the rows are.
        Err(Failure::Told(error)) if error.number == 1093 => return Err(error.into()),
        // One server evaluates it only where a row is found, which is not known here.
        Err(_) => return Err(refusal),
    };
    let clauses = Clauses::of(&sql, staging.session.options);
    let statement = clauses.as_ref().and_then(Keyed::of);
    match statement {
        Some(statement) if statement.has_steps(target, &statement.assignments().unwrap_or_default()) => {
            found_first(staging, &statement, target).await
        }
        _ => staging.change(&sql).await.map(|_| ()),
    }
}

async fn found_first<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &Keyed<'_>,
    target: &PlanTable,
) -> Result<(), Failure> {
    let assignments = statement.assignments().unwrap_or_default();
    let moving = if statement.moves(target, &assignments) {
        Some(moving::Moving::of(statement, target, &assignments)?)
    } else {
        None
    };
    let keys = if statement.finds() { Some(Keys::of(target)?) } else { None };
    let rekeys = keys.as_ref().is_some_and(|keys| assignments.iter().any(|(name, _)| keys.has(name)));
    let steps = Steps { statement, target, keys: keys.as_ref(), moving: moving.as_ref(), rekeys };
    steps.run(staging).await
}

/// What there is to do.
struct Steps<'a> {
    statement: &'a Keyed<'a>,
    target: &'a PlanTable,
    /// Where the rows have to be found first.
    keys: Option<&'a Keys<'a>>,
    /// Where rows may have to move.
    moving: Option<&'a moving::Moving<'a>>,
    /// Keys change.
    rekeys: bool,
}

impl Steps<'_> {
    async fn run<B: Backend>(&self, staging: &mut Staging<'_, B>) -> Result<(), Failure> {
        let statement = self.statement;
        let Some(keys) = self.keys else {
            return self.change(staging, statement.clauses.sql).await;
        };
        let rows = self.rows(staging, keys).await?;
        if rows.is_empty() {
            return self.change(staging, &statement.with(&keys.condition(&[]))).await;
        }
        if self.rekeys && rows.len() > MOST_ROWS {
            return Err(refused(format!(
                "An UPDATE of key columns of more than {MOST_ROWS} rows over several shards is not supported; do it in parts"
            )));
        }
        let chunk = if self.rekeys { rows.len() } else { CHUNK_ROWS };
        for rows in rows.chunks(chunk) {
            self.change(staging, &statement.with(&keys.condition(rows))).await?;
        }
        Ok(())
    }

    async fn change<B: Backend>(&self, staging: &mut Staging<'_, B>, sql: &[u8]) -> Result<(), Failure> {
        match self.moving {
            Some(moving) => moving.run(staging, sql).await,
            None => staging.change(sql).await.map(|_| ()),
        }
    }

    /// The keys of the rows, which are locked from here on.
    async fn rows<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        keys: &Keys<'_>,
    ) -> Result<Vec<Vec<String>>, Failure> {
        let lock = Lock { own: Some(&self.target.table.name) };
        let (outcome, tables) = staging.read(&self.statement.query(keys), Some(lock)).await?;
        // The rows are changed by their keys, and nothing warns again.
        heed(staging, self.statement.goes_on(staging.session)).await?;
        let source = (self.statement.clauses, &*self.target.table.name);
        check_sources(staging, source, &tables, 2)?;
        let targets = keys.columns.iter().map(|column| Some(*column)).collect();
        let cells = Cells::of(staging, &outcome, targets, keys.decide()).await?;
        let mut rows = Vec::with_capacity(outcome.rows.len());
        for payload in &outcome.rows {
            let row: Option<Vec<String>> = cells.row(payload)?.into_iter().collect();
            rows.push(row.ok_or_else(|| {
                refused("A row without a value in its sharding column cannot be found again; change it on its shard")
            })?);
        }
        Ok(rows)
    }
}

/// MySQL does not let a subquery read the table that is changed, unless it is put aside first. `least` is how
/// often what was read names it where a subquery does.
///
/// # Errors
/// 1093.
pub(super) fn check_sources<B: Backend>(
    staging: &Staging<'_, B>,
    (clauses, name): (&Clauses<'_>, &str),
    tables: &[PlanTable],
    least: usize,
) -> Result<(), Failure> {
    let mentions = tables.iter().filter(|table| table.table.name.eq_ignore_ascii_case(name)).count();
    let mariadb = staging.session.proxy.flavour().is_mariadb();
    let aside = (0..clauses.tokens.len())
        .any(|at| clauses.is_word(at, &["FROM", "JOIN"]) && clauses.is_symbol(at + 1, b'('));
    if mentions < least || aside || mariadb {
        return Ok(());
    }
    let message = format!("You can't specify target table '{name}' for update in FROM clause");
    Err(MysqlError { number: 1093, sqlstate: *b"HY000", message }.into())
}
