//! Statements over the servers' own schemas: where they name tables of information_schema, and the plan of one whose
//! names were replaced.
//!
//! The planner knows the places and the caller what goes there: the rows of such a table depend on who asks and on
//! what the servers hold at the moment, so these plans are never remembered.

mod references;

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{Replacement, Span, Template, TokenKind, tokens};
use serval_types::NodeId;

use crate::bound::Note;
use crate::clock;
use crate::destination::Destination;
use crate::error::PlanError;
use crate::plan::{Kind, Plan};
use crate::planner::{PlanRequest, dml, readable};
use crate::statement::routed::{RoutedPlan, Several};

use references::References;

/// The servers' own schemas.
const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "performance_schema", "mysql", "sys"];

/// Whether a schema is one of a server's own.
#[must_use]
pub fn is_system_schema(name: &str) -> bool {
    SYSTEM_SCHEMAS.iter().any(|system| name.eq_ignore_ascii_case(system))
}

/// One mention of a table of a system schema in FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemReference {
    /// The schema, in lower case.
    pub schema: String,
    /// The table as written.
    pub table: String,
    /// Where the name stands, its schema included.
    pub name: Span,
    /// Whether an alias follows.
    pub aliased: bool,
}

/// The mentions of system tables in a query, and what else must change with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemQuery {
    /// The mentions, in the order of the text.
    pub references: Vec<SystemReference>,
    /// Where columns are written with their schema: the schema and its dot, which a derived table has not.
    pub prefixes: Vec<Span>,
    /// The columns that the result has without an alias: where their names stand, and the names.
    pub labels: Vec<(Span, String)>,
}

/// Finds the system tables that a query reads. `request.schema` is the current schema, which may be one of them.
///
/// # Errors
/// Refusals of what is no query, of tables of other schemas in the same statement, and syntax errors.
pub fn system_query(request: &PlanRequest<'_>) -> Result<SystemQuery, PlanError> {
    let readable = readable(request.sql, request.scan, request.options.pairs)?;
    let parsed = dml(&readable, request.options)?;
    refuse_results_elsewhere(request)?;
    References::of(&parsed, request.schema, false)
}

/// The system tables that a query reads beside others. `request.schema` is the current schema.
///
/// # Errors
/// As [`system_query`], but that other tables are passed over.
pub fn system_tables(request: &PlanRequest<'_>) -> Result<Vec<SystemReference>, PlanError> {
    let readable = readable(request.sql, request.scan, request.options.pairs)?;
    let parsed = dml(&readable, request.options)?;
    refuse_results_elsewhere(request)?;
    Ok(References::of(&parsed, request.schema, true)?.references)
}

/// INTO and assignments would leave something on the server that happens to answer.
fn refuse_results_elsewhere(request: &PlanRequest<'_>) -> Result<(), PlanError> {
    let tokens = tokens(request.sql, request.options).unwrap_or_default();
    let leaves = tokens.iter().any(|token| {
        token.is_word(request.sql, "INTO")
            || token.kind == TokenKind::Operator && token.span.of(request.sql) == b":="
    });
    if leaves {
        return Err(PlanError::refused(
            "SELECT from information_schema into variables or files is not supported; read the rows and SET the \
             variable",
        ));
    }
    Ok(())
}

/// The plan of a query whose system tables become `texts`, each in the place of its span, on one node.
#[must_use]
pub fn system_plan(
    catalog: &Arc<Catalog>,
    request: &PlanRequest<'_>,
    node: NodeId,
    texts: Vec<(Span, String)>,
) -> Plan {
    let edits: Vec<_> = texts.into_iter().map(|(span, text)| (span, Replacement::Text(text))).collect();
    let note = Note {
        rewrite: "logical_names",
        reason: "tables of information_schema show what the configuration defines".to_owned(),
    };
    Plan {
        catalog: Arc::clone(catalog),
        tables: Arc::from([]),
        options: request.options,
        guards: Vec::new(),
        names_clock: clock::is_named(request.sql, request.options),
        alone: None,
        gathers: None,
        // Nothing but that servers do not get them.
        hinted: request.scan.hints.is_some().then(Box::default),
        kind: Kind::Routed(RoutedPlan {
            destination: Destination::on(node),
            single: Template::build(request.sql, request.scan, &edits),
            names: Vec::new(),
            several: Several::Refused("No table is sharded".to_owned()),
            counts_all: false,
            replica_safe: true,
            single_notes: Arc::new([note]),
        }),
    }
}

#[cfg(test)]
mod tests;
