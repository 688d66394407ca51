//! What the steps of a statement are, for EXPLAIN.

use serval_remote::Backend;
use serval_sql::StatementClass;

use super::clauses::Clauses;
use super::{evaluated, followed, insert_select, keyed, text};
use crate::failure::Failure;
use crate::session::{Query, Session};

/// One step.
pub(in crate::statement) struct Step {
    /// What it does.
    pub(in crate::statement) text: String,
    /// The query that it runs, where that is known before.
    pub(in crate::statement) sql: Option<Vec<u8>>,
}

impl Step {
    /// A step that runs a query.
    pub(super) fn query(text: &str, sql: Vec<u8>) -> Self {
        Self { text: text.to_owned(), sql: Some(sql) }
    }

    /// A step whose statements are known only when the ones before it have run.
    pub(super) fn later(text: impl Into<String>) -> Self {
        Self { text: text.into(), sql: None }
    }
}

/// The steps of a statement; `None` where steps cannot do it either.
pub(in crate::statement) fn steps<B: Backend>(
    session: &Session<B>,
    query: &Query<'_>,
) -> Result<Option<Vec<Step>>, Failure> {
    let Some(sql) = text(session, query) else { return Ok(None) };
    let Some(clauses) = Clauses::of(&sql, session.options) else { return Ok(None) };
    match query.scan.class {
        StatementClass::Insert | StatementClass::Replace => {
            if let Some(statement) = insert_select::InsertSelect::of(&clauses) {
                return Ok(Some(statement.steps()));
            }
            if evaluated::find(session, &clauses)?.is_none() {
                return followed::steps(session, &clauses);
            }
            Ok(Some(vec![
                Step::later("evaluate the expressions whose values decide where rows go, once"),
                Step::later("insert the rows with these values, each into its shard"),
            ]))
        }
        _ => match keyed::Keyed::of(&clauses) {
            Some(statement) => keyed::steps(session, &statement),
            None => Ok(None),
        },
    }
}
