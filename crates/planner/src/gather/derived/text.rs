//! The text of a statement that is rewritten before it is gathered.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{Edit, Scan, TokenKind, splice, tokens};
use serval_types::Value;

use super::super::{Gathering, Result};
use crate::bound::Note;
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

    /// The text after edits, which bring no parameters. Those that stand in what is replaced are gone.
    pub(super) fn edited(&self, asked: Asked<'_>, edits: &[Edit], notes: Vec<Note>) -> Option<Self> {
        let all = tokens(&self.sql, asked.plan.options).ok()?;
        let parameters = all.iter().filter(|token| token.kind == TokenKind::Parameter);
        let stays = |at: serval_sql::Span| {
            !edits.iter().any(|edit| edit.at.start <= at.start && at.end <= edit.at.end)
        };
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
