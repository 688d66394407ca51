//! MySQL's hint `SET_VAR(name = value)`: each server of several would obey it for its own rows, and what merges them does not.

use serval_sql::{Token, TokenKind};

use super::Planning;
use crate::analysis::Analysis;
use crate::error::PlanError;

/// What to say of it over several shards.
pub(super) const REFUSAL: &str = "The hint SET_VAR over several shards is not supported: each of them would obey it by itself; SET the variable before the \
     statement";

/// Variables by which a value of a sharding column is read, or made.
const DECIDE: [&str; 4] = ["TIME_ZONE", "TIMESTAMP", "SQL_MODE", "AUTO_INCREMENT"];

/// Whether a hint says it to servers that understand it. `tokens` has the hints.
pub(crate) fn is_said(planning: Planning<'_>, tokens: &[Token]) -> bool {
    hints(planning, tokens).next().is_some()
}

/// Refuses what would have the servers read values otherwise than rows are routed by.
pub(super) fn refuse_routing(planning: Planning<'_>, analysis: &Analysis) -> Result<(), PlanError> {
    if planning.catalog.servers.mariadb || !planning.sql.windows(3).any(|bytes| bytes == b"/*+") {
        return Ok(());
    }
    let tokens = serval_sql::tokens(planning.sql, planning.options).unwrap_or_default();
    let decides = hints(planning, &tokens).any(|hint| DECIDE.iter().any(|name| hint.contains(name)));
    if decides && analysis.refs.iter().any(|found| found.table.table.sharding().is_some()) {
        return Err(PlanError::refused(
            "The hint SET_VAR of time_zone, timestamp, sql_mode or auto_increment_… may decide where rows of a sharded table are; SET the variable \
             before the statement",
        ));
    }
    Ok(())
}

/// The hints that set variables, in capitals.
fn hints(planning: Planning<'_>, tokens: &[Token]) -> impl Iterator<Item = String> {
    let understood = !planning.catalog.servers.mariadb;
    tokens
        .iter()
        .filter(move |token| understood && token.kind == TokenKind::Hint)
        .map(move |token| String::from_utf8_lossy(token.span.of(planning.sql)).to_ascii_uppercase())
        .filter(|hint| hint.contains("SET_VAR"))
}
