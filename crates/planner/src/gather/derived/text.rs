//! The text of a statement that is rewritten before it is gathered.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{Edit, LexOptions, Scan, Span, TokenKind, splice, tokens};
use serval_types::Value;

use super::super::shown::is_column;
use super::super::temporary::quoted;
use super::super::{Gathering, Result};
use super::push::added;
use crate::bound::Note;
use crate::clauses::Clauses;
use crate::operand::Values;
use crate::plan::Plan;
use crate::planner::{dml, readable};
use crate::statement::Planning;

/// A statement to be gathered.
#[derive(Clone, Copy)]
pub(in crate::gather) struct Asked<'a> {
    pub(in crate::gather) plan: &'a Plan,
    pub(in crate::gather) schema: Option<&'a str>,
    pub(in crate::gather) values: &'a Values<'a>,
}

/// Its text, with what is left of its parameters.
#[derive(Debug, Clone)]
pub(in crate::gather) struct Text {
    pub(in crate::gather) sql: Vec<u8>,
    pub(in crate::gather) scan: Scan,
    pub(in crate::gather) parameters: Vec<Value>,
    /// Which of the client's parameters each `?` is.
    pub(in crate::gather) numbers: Vec<u16>,
    /// The rewrites that made it.
    pub(in crate::gather) notes: Vec<Note>,
}

impl Text {
    /// The client's own.
    pub(in crate::gather) fn of(values: &Values<'_>) -> Self {
        let count = u16::try_from(values.parameters.len()).unwrap_or(u16::MAX);
        Self {
            sql: values.sql.to_vec(),
            scan: values.scan.clone(),
            parameters: values.parameters.to_vec(),
            numbers: (0..count).collect(),
            notes: Vec::new(),
        }
    }

    /// Whether there may be a query inside of it.
    pub(super) fn has_several_selects(&self, asked: Asked<'_>) -> bool {
        let select = |token: &&serval_sql::Token| token.is_word(&self.sql, "SELECT");
        tokens(&self.sql, asked.plan.options).is_ok_and(|all| all.iter().filter(select).count() > 1)
    }

    /// The text after edits, which bring no parameters. Those that stand in what is replaced are gone.
    pub(super) fn edited(&self, asked: Asked<'_>, edits: &[Edit], notes: Vec<Note>) -> Option<Self> {
        let all = tokens(&self.sql, asked.plan.options).ok()?;
        let parameters = all.iter().filter(|token| token.kind == TokenKind::Parameter);
        let stays = |at: serval_sql::Span| !edits.iter().any(|edit| edit.at.covers(at));
        let kept: Vec<usize> = parameters
            .enumerate()
            .filter(|(_, token)| stays(token.span))
            .map(|(index, _)| index)
            .filter(|index| *index < self.numbers.len())
            .collect();
        let sql = splice(&self.sql, edits);
        let scan = serval_sql::scan(&sql, asked.plan.options).ok()?;
        Some(Self {
            scan,
            parameters: kept.iter().filter_map(|&at| self.parameters.get(at).cloned()).collect(),
            numbers: kept.iter().filter_map(|&at| self.numbers.get(at).copied()).collect(),
            notes: self.notes.iter().cloned().chain(notes).collect(),
            sql,
        })
    }
}

/// Looks at a text as a statement to be gathered, whose tables are those of `catalog`.
///
/// # Errors
/// Those of `look`, and of a statement that cannot be read.
pub(in crate::gather) fn with<T>(
    asked: Asked<'_>,
    text: &Text,
    catalog: &Arc<Catalog>,
    look: impl FnOnce(Gathering<'_>) -> Result<T>,
) -> Result<T> {
    let Asked { plan, schema, values } = asked;
    let values = Values { sql: &text.sql, scan: &text.scan, parameters: &text.parameters, ..*values };
    let readable = readable(&text.sql, &text.scan, plan.options.pairs)?;
    let parsed = dml(&readable, plan.options)?;
    let planning = Planning {
        moves: false,
        catalog,
        schema,
        sql: &text.sql,
        readable: &readable,
        scan: &text.scan,
        options: plan.options,
        parsed: &parsed,
    };
    let analysis = planning.analyse()?;
    look(Gathering::new(planning, &analysis, &values)?)
}

/// The text with a name for each column that has none but its text; `None` where it is not plain enough to be said to
/// another server under other modes.
pub(super) fn named(text: &str, options: LexOptions) -> Option<String> {
    let odd = |byte: u8| !byte.is_ascii() || matches!(byte, b'"' | b'\\' | b'@' | b'#');
    if text.bytes().any(odd) || text.contains("--") || text.contains("/*") || text.contains(":=") {
        return None;
    }
    let all = tokens(text.as_bytes(), options).ok()?;
    let spaced = all.windows(2).any(|pair| {
        let calls =
            ["COUNT", "SUM", "MIN", "MAX", "AVG"].iter().any(|word| pair[0].is_word(text.as_bytes(), word));
        calls && pair[1].is_symbol(b'(') && pair[0].span.end != pair[1].span.start
    });
    if spaced {
        return None;
    }
    let clauses = Clauses::of(text.as_bytes(), &all)?;
    let unnamed = clauses.items.iter().zip(&clauses.named).filter(|(_, named)| !**named);
    let edits: Vec<Edit> = unnamed
        .filter(|(item, _)| !is_column(&all, **item))
        .map(|(item, _)| Edit { at: Span::at(item.end), text: format!(" AS {}", quoted(item.text(text))) })
        .collect();
    // Servers cut longer names.
    let long = edits.iter().any(|edit| edit.text.len() > 64);
    (!long).then(|| String::from_utf8_lossy(&splice(text.as_bytes(), &edits)).into_owned())
}

/// The text of a query with one more condition.
pub(in crate::gather) fn restricted(text: &str, options: LexOptions, condition: &str) -> Option<String> {
    let all = tokens(text.as_bytes(), options).ok()?;
    let edits = added(text.as_bytes(), &all, condition)?;
    String::from_utf8(splice(text.as_bytes(), &edits)).ok()
}
