//! INSERT with expressions where Serval has to know the value: those of the sharding column, of a column that a sequence
//! fills, those that would be another on every copy of a global table, and subqueries. They are evaluated once.

use serval_catalog::{ColumnDef, Placement};
use serval_planner::{NOT_DETERMINISTIC, PlanTable};
use serval_remote::Backend;
use serval_sql::{Edit, Span, TokenKind, splice};
use serval_types::ColumnType;
use serval_wire::packet::OkPacket;

use super::cells::Cells;
use super::clauses::Clauses;
use super::{decides, insert_id_refused, keyed, sets_insert_id, table, warned};
use crate::failure::{Failure, refused};
use crate::session::{Lock, Session, Staging};

/// How many expressions are evaluated at once: servers know no longer lists.
const AT_ONCE: usize = 500;

/// What has to be done before the statement can be planned.
pub(super) struct Evaluated<'a> {
    clauses: &'a Clauses<'a>,
    target: PlanTable,
    /// The place of each expression, and its column's position.
    expressions: Vec<(Span, usize)>,
    /// DEFAULT, written out.
    defaults: Vec<Edit>,
    /// LAST_INSERT_ID(expr) is among the expressions.
    sets_insert_id: bool,
}

/// Finds the expressions of an INSERT; `None` where there are none, or where it is of another form.
///
/// # Errors
/// 1146 and the like.
pub(super) fn find<'a, B: Backend>(
    session: &Session<B>,
    clauses: &'a Clauses<'a>,
) -> Result<Option<Evaluated<'a>>, Failure> {
    let modifiers = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "INTO"];
    let Some((name, at)) = clauses.table(clauses.skip(1, &modifiers)) else { return Ok(None) };
    let target = table(session, name.parts())?;
    let mut found =
        Evaluated { clauses, target, expressions: Vec::new(), defaults: Vec::new(), sets_insert_id: false };
    let whole = found.collect(at).is_some();
    let any = !found.expressions.is_empty() || !found.defaults.is_empty();
    Ok(Some(found).filter(|_| whole && any))
}

/// The subqueries that an UPDATE assigns; `None` where it assigns none.
pub(super) fn of_assignments<'a>(
    clauses: &'a Clauses<'a>,
    target: &PlanTable,
    assignments: &[(String, (usize, usize))],
) -> Option<Evaluated<'a>> {
    let mut found = Evaluated {
        clauses,
        target: target.clone(),
        expressions: Vec::new(),
        defaults: Vec::new(),
        sets_insert_id: false,
    };
    for (name, (from, to)) in assignments.iter().filter(|(_, (from, to))| has_subquery(clauses, *from, *to)) {
        if is_drawn(clauses, *from, *to) {
            // Each row would have another value.
            return None;
        }
        let column = found.column(name)?;
        found.expressions.push((clauses.span(*from, *to)?, column));
    }
    Some(found).filter(|found| !found.expressions.is_empty())
}

impl Evaluated<'_> {
    fn column(&self, name: &str) -> Option<usize> {
        let columns = &self.target.table.definition.as_deref()?.columns;
        columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    fn definition(&self, at: usize) -> Option<&ColumnDef> {
        self.target.table.definition.as_deref()?.columns.get(at)
    }

    /// Goes through the rows.
    fn collect(&mut self, mut at: usize) -> Option<()> {
        let clauses = self.clauses;
        let mut columns = Vec::new();
        if clauses.is_symbol(at, b'(') {
            let end = clauses.closing(at)?;
            for (_, to) in clauses.items(at + 1, end) {
                columns.push(self.column(&clauses.name(to.checked_sub(1)?)?)?);
            }
            at = end + 1;
        } else {
            let definition = self.target.table.definition.as_deref()?;
            let all = definition.columns.iter().enumerate();
            columns.extend(all.filter(|(_, column)| !column.invisible).map(|(at, _)| at));
        }
        let tail = clauses.find(at, &["ON", "RETURNING", "AS"]);
        if clauses.find(at, &["RETURNING"]) < clauses.tokens.len() {
            return None;
        }
        if clauses.is_word(at, &["SET"]) {
            for (from, to) in clauses.items(at + 1, tail) {
                let equals = (from..to).find(|at| clauses.is_symbol(*at, b'='))?;
                let column = self.column(&clauses.name(equals.checked_sub(1)?)?)?;
                self.cell(equals + 1, to, column)?;
            }
            return Some(());
        }
        at = Some(at).filter(|at| clauses.is_word(*at, &["VALUES", "VALUE"]))? + 1;
        loop {
            let end =
                Some(at).filter(|at| clauses.is_symbol(*at, b'(')).and_then(|at| clauses.closing(at))?;
            for ((from, to), column) in clauses.items(at + 1, end).into_iter().zip(&columns) {
                self.cell(from, to, *column)?;
            }
            at = end + 1;
            if !clauses.is_symbol(at, b',') {
                return Some(());
            }
            at += 1;
        }
    }

    /// Looks at one value.
    fn cell(&mut self, from: usize, to: usize, column: usize) -> Option<()> {
        let clauses = self.clauses;
        let span = clauses.span(from, to)?;
        let table = &self.target.table;
        let name = self.definition(column)?.name.clone();
        let is = |other: &str| other.eq_ignore_ascii_case(&name);
        let numbered = table.sequence.as_ref().is_some_and(|sequence| is(&sequence.column));
        let decides = decides(table, &name);
        let calls = (from..to)
            .any(|at| clauses.is_symbol(at, b'(') || clauses.tokens[at].kind == TokenKind::SystemVariable);
        let copied = matches!(&table.placement, Placement::Global(_)) && calls;
        if has_subquery(clauses, from, to) {
            self.sets_insert_id |= sets_insert_id(clauses, from, to);
            self.expressions.push((span, column));
            return Some(());
        }
        let is_default = to - from == 1 && clauses.is_word(from, &["DEFAULT"]);
        if !numbered && !decides && !copied || is_literal(clauses, from, to) {
            return Some(());
        }
        if is_default {
            if decides && !numbered {
                let text = self.definition(column)?.default.clone()?;
                self.defaults.push(Edit { at: span, text });
            }
            return Some(());
        }
        if clauses.contains(from, to, &["SELECT", "DEFAULT"]) {
            return None;
        }
        self.sets_insert_id |= sets_insert_id(clauses, from, to);
        self.expressions.push((span, column));
        Some(())
    }
}

/// Whether a subquery stands in the value: no shard may have all of its rows.
fn has_subquery(clauses: &Clauses<'_>, from: usize, to: usize) -> bool {
    clauses.contains(from, to, &["SELECT"]) && !clauses.contains(from, to, &["DEFAULT"])
}

/// Whether functions that give another value each time are called, or user variables are assigned.
fn is_drawn(clauses: &Clauses<'_>, from: usize, to: usize) -> bool {
    let assigns = |at: usize| clauses.text(at, at + 1) == b":=";
    (from..to).any(|at| assigns(at) || NOT_DETERMINISTIC.iter().any(|name| clauses.is_called(at, name)))
}

/// NULL, a number with or without a sign, or a string: what the planner reads itself.
fn is_literal(clauses: &Clauses<'_>, from: usize, to: usize) -> bool {
    let kind = clauses.tokens[to - 1].kind;
    let signed = to - from == 2 && (clauses.is_symbol(from, b'-') || clauses.is_symbol(from, b'+'));
    match to - from {
        1 => kind.is_literal() || clauses.is_word(from, &["NULL", "TRUE", "FALSE"]),
        _ => signed && kind.is_literal(),
    }
}

/// Evaluates the expressions, then inserts.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    statement: &Evaluated<'_>,
) -> Result<OkPacket, Failure> {
    if statement.sets_insert_id {
        return Err(insert_id_refused());
    }
    let catalog = session.catalog();
    let mut staging = Staging::begin(session, catalog).await?;
    let result = insert(&mut staging, statement).await;
    let ((), sum) = staging.end(result).await?;
    let info = sum.info();
    Ok(sum.answer(session, info))
}

async fn insert<B: Backend>(staging: &mut Staging<'_, B>, statement: &Evaluated<'_>) -> Result<(), Failure> {
    let sql = written(staging, statement).await?;
    staging.change(&sql).await.map(|_| ())
}

/// The statement with the values of the expressions in their places.
///
/// # Errors
/// Those of the expressions, and 1235 where a value cannot be written exactly.
pub(super) async fn written<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &Evaluated<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut edits = statement.defaults.clone();
    for expressions in statement.expressions.chunks(AT_ONCE) {
        evaluate(staging, statement, expressions, &mut edits).await?;
    }
    Ok(splice(statement.clauses.sql, &edits))
}

async fn evaluate<B: Backend>(
    staging: &mut Staging<'_, B>,
    statement: &Evaluated<'_>,
    expressions: &[(Span, usize)],
    edits: &mut Vec<Edit>,
) -> Result<(), Failure> {
    let mut sql = b"SELECT ".to_vec();
    for (at, (span, _)) in expressions.iter().enumerate() {
        sql.extend_from_slice(if at == 0 { b"(" } else { b",\n(" });
        sql.extend_from_slice(span.of(statement.clauses.sql));
        sql.extend_from_slice(b"\n)");
    }
    // As one server locks the rows of a query that a write stands on.
    let read = staging.read(&sql, Some(Lock { own: None })).await;
    let (outcome, tables) = read.map_err(|failure| match failure {
        // ER_BAD_FIELD_ERROR: a value that is computed from another column's.
        Failure::Told(error) if error.number == 1054 => refused(format!(
            "A value of this statement is computed from other columns ({}), and Serval has to know it before the row has a \
             place; compute it in the application",
            error.message
        )),
        failure => failure,
    })?;
    keyed::check_sources(staging, (statement.clauses, &statement.target.table.name), &tables, 1)?;
    let ignore = statement.clauses.contains(1, 5, &["IGNORE"]);
    warned::heed(staging, ignore).await?;
    let targets: Vec<Option<&ColumnDef>> =
        expressions.iter().map(|(_, column)| statement.definition(*column)).collect();
    let keys = vec![true; targets.len()];
    let cells = Cells::of(staging, &outcome, targets.clone(), keys).await?.of_expressions();
    let Some(row) = outcome.rows.first() else { return Err(refused("A value of this INSERT has no value")) };
    for ((cell, (span, _)), target) in cells.row(row)?.into_iter().zip(expressions).zip(targets) {
        let text = cell.map_or_else(|| "NULL".to_owned(), |text| whole(text, target));
        edits.push(Edit { at: *span, text });
    }
    Ok(())
}

/// A DOUBLE that is a whole number, for a column of such.
fn whole(text: String, target: Option<&ColumnDef>) -> String {
    let into_integers = target.is_some_and(|target| matches!(target.column_type, ColumnType::Int { .. }));
    match text.parse::<f64>() {
        // Up to here every whole number is a DOUBLE.
        Ok(number) if into_integers && text.contains('e') && number.fract() == 0.0 && number.abs() < 9e15 => {
            format!("{number:.0}")
        }
        _ => text,
    }
}
