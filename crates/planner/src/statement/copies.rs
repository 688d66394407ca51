//! Writes to global tables: every copy must end with the same rows.

use serval_catalog::{Placement, TableDefinition};
use serval_sql::{LexOptions, TokenKind, is_call, tokens};
use sqlparser::ast::{AssignmentTarget, Expr, Ident, ObjectName, OrderByExpr, Update};

use super::Planning;
use crate::analysis::{Analysis, TableRef};
use crate::error::PlanError;

/// Functions that give every server another value.
pub const NOT_DETERMINISTIC: [&str; 12] = [
    "CONNECTION_ID",
    "ENCRYPT",
    "LASTVAL",
    "LOAD_FILE",
    "NEXTVAL",
    "RAND",
    "RANDOM_BYTES",
    "SYSDATE",
    "SYS_GUID",
    "UUID",
    "UUID_SHORT",
    "VERSION",
];

/// Functions of the client, for which a server that evaluates a default says what it knows of its connection with Serval.
const OF_CLIENT: [&str; 6] = ["CURRENT_USER", "DATABASE", "SCHEMA", "SESSION_USER", "SYSTEM_USER", "USER"];

/// Refuses what would give every copy another value.
pub(super) fn refuse_unequal_values(planning: Planning<'_>) -> Result<(), PlanError> {
    match unequal(planning.sql, planning.options) {
        Some(Unequal::Function(name)) => Err(PlanError::refused(format!(
            "{name}() would give every copy of a global table another value; compute it in the application"
        ))),
        Some(Unequal::Variable) => Err(PlanError::refused(
            "A server's variable may differ for every copy of a global table; write its value",
        )),
        None => Ok(()),
    }
}

/// What gives every server another value.
pub(super) enum Unequal {
    Function(&'static str),
    /// A system variable.
    Variable,
}

/// What in a statement, or in a column's default, gives every server another value.
pub(super) fn unequal(sql: &[u8], options: LexOptions) -> Option<Unequal> {
    let tokens = tokens(sql, options).unwrap_or_default();
    let called = |name: &&&str| (0..tokens.len()).any(|at| is_call(sql, &tokens, at, name));
    if let Some(name) = NOT_DETERMINISTIC.iter().find(called) {
        return Some(Unequal::Function(name));
    }
    if tokens.windows(2).any(|pair| pair[0].is_word(sql, "NEXT") && pair[1].is_word(sql, "VALUE")) {
        return Some(Unequal::Function("NEXTVAL"));
    }
    tokens.iter().any(|token| token.kind == TokenKind::SystemVariable).then_some(Unequal::Variable)
}

/// Refuses a write that leaves a column to a default which gives every copy another value. `gives` says of a column
/// whether the statement has a value for it.
pub(super) fn refuse_unequal_defaults(
    planning: Planning<'_>,
    target: &TableRef,
    gives: impl Fn(&str) -> bool,
) -> Result<(), PlanError> {
    let Some(definition) = &target.table.table.definition else { return Ok(()) };
    let tokens = tokens(planning.sql, planning.options).unwrap_or_default();
    let names_default = tokens.iter().any(|token| token.is_word(planning.sql, "DEFAULT"));
    match unequal_default(definition, &target.exposed, |column| gives(column) && !names_default) {
        Some(problem) => Err(PlanError::refused(problem)),
        None => Ok(()),
    }
}

/// Why a write to the global table `name` would make its copies differ: it leaves a column to a default that gives every
/// server another value. `gives` says of a column whether the write has a value for it.
#[must_use]
pub fn unequal_default(
    definition: &TableDefinition,
    name: &str,
    gives: impl Fn(&str) -> bool,
) -> Option<String> {
    let left = definition.columns.iter().find(|column| {
        let default = column.default.as_deref().unwrap_or_default();
        !gives(&column.name)
            && (unequal(default.as_bytes(), LexOptions::default()).is_some() || is_of_client(default))
    })?;
    Some(format!(
        "The default of {} would give every copy of the global table {name} another value; give a value in the statement, \
         and not as DEFAULT",
        left.name
    ))
}

/// Whether a default calls one of these. Servers print them with parentheses.
fn is_of_client(default: &str) -> bool {
    let sql = default.as_bytes();
    let tokens = tokens(sql, LexOptions::default()).unwrap_or_default();
    (0..tokens.len()).any(|at| OF_CLIENT.iter().any(|name| is_call(sql, &tokens, at, name)))
}

/// Why several shards cannot be one statement's where a query in it draws values: one server draws them once for all rows.
pub(super) fn drawn_apart(planning: Planning<'_>, analysis: &Analysis) -> Option<&'static str> {
    let nested = analysis.opaque || analysis.blocks > 1;
    (nested && draws_inside(planning)).then_some(
        "RAND(), UUID() and their like in a query that is part of a statement over several shards would have other values on \
         each of them; read the query's rows first",
    )
}

/// Whether a query in parentheses calls a function that gives every server another value.
fn draws_inside(planning: Planning<'_>) -> bool {
    let sql = planning.sql;
    let tokens = tokens(sql, planning.options).unwrap_or_default();
    let is_query = |at: usize| {
        let mut behind =
            tokens[at..].iter().skip_while(|token| token.is_symbol(b'(') || token.kind.is_comment());
        behind.next().is_some_and(|token| token.is_word(sql, "SELECT") || token.is_word(sql, "WITH"))
    };
    let mut inside: Vec<bool> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'(') => inside.push(is_query(at)),
            TokenKind::Symbol(b')') => {
                inside.pop();
            }
            _ if inside.contains(&true)
                && NOT_DETERMINISTIC.iter().any(|name| is_call(sql, &tokens, at, name)) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Refuses a LIMIT under which every copy could choose other rows: all but those in the order of the primary key.
pub(super) fn refuse_unequal_rows(
    target: &TableRef,
    limited: bool,
    order: &[OrderByExpr],
) -> Result<(), PlanError> {
    let key = target.table.table.definition.as_ref().map_or(&[][..], |definition| &definition.primary_key);
    let names = |expr: &Expr, column: &str| match expr {
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case(column),
        Expr::CompoundIdentifier(parts) => {
            parts.last().is_some_and(|last| last.value.eq_ignore_ascii_case(column))
        }
        _ => false,
    };
    let ordered = |column: &String| order.iter().any(|item| names(&item.expr, column));
    if !limited || (!key.is_empty() && key.iter().all(ordered)) {
        return Ok(());
    }
    Err(PlanError::refused(format!(
        "LIMIT could choose other rows of each copy of the global table {}; add ORDER BY its primary key",
        target.exposed
    )))
}

/// Refuses an UPDATE that changes a global table beside others, which would change only the copy of one node.
pub(super) fn refuse_joined_copy(analysis: &Analysis, update: &Update) -> Result<(), PlanError> {
    let scope = analysis.root_scope();
    let Some(global) = scope.refs.iter().find(|found| is_global(found)) else { return Ok(()) };
    if scope.refs.iter().all(is_global) {
        return Ok(());
    }
    let changes_copy = |name: &ObjectName| {
        scope.column(&expr(name)).is_none_or(|column| is_global(&scope.refs[column.table]))
    };
    let found = update.assignments.iter().any(|assignment| match &assignment.target {
        AssignmentTarget::ColumnName(name) => changes_copy(name),
        AssignmentTarget::Tuple(names) => names.iter().any(changes_copy),
    });
    if found {
        return Err(PlanError::refused(format!(
            "UPDATE of the global table {} joined with others would change only one of its copies; read the rows first \
             and change it by their values",
            global.exposed
        )));
    }
    Ok(())
}

fn is_global(found: &TableRef) -> bool {
    matches!(&found.table.table.placement, Placement::Global(nodes) if nodes.len() > 1)
}

fn expr(name: &ObjectName) -> Expr {
    let mut parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => Expr::Identifier(only),
        (_, last) => {
            parts.extend(last);
            Expr::CompoundIdentifier(parts)
        }
    }
}
