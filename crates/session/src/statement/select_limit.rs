//! `sql_select_limit`: how many rows a SELECT without a LIMIT of its own returns.

use serval_planner::Bound;
use serval_planner::primitive::{Limit, Primitive};
use serval_remote::{Backend, SessionState};
use serval_sql::StatementClass;
use serval_types::MysqlError;

use crate::session::{Query, Session, counts_all, is_one_node};

/// The variable.
const NAME: &str = "sql_select_limit";

/// Has the statement return no more rows than the session wants: one server is told so, over several the merged rows
/// are counted.
///
/// # Errors
/// 1235 where neither can be done.
pub(super) fn apply<B: Backend>(
    session: &Session<B>,
    query: &Query<'_>,
    bound: &mut Bound,
    state: SessionState,
) -> Result<SessionState, MysqlError> {
    let selects =
        matches!(query.scan.class, StatementClass::Select | StatementClass::With | StatementClass::Values);
    let Some(count) = session.own.value(NAME).filter(|_| selects) else { return Ok(state) };
    // What is gathered is read by questions of Serval's own, which are not cut.
    if is_one_node(bound) || matches!(bound.root, Primitive::Gather(_)) {
        return Ok(state.with(NAME, count));
    }
    let count = count.parse().unwrap_or(u64::MAX);
    let counts_all = counts_all(&query.scan.key);
    match &bound.root {
        Primitive::Limit(_) => {}
        Primitive::Cut(cut) if matches!(*cut.input, Primitive::Limit(_)) => {}
        root if root.route().is_some() => {
            let input = Box::new(bound.root.clone());
            bound.root = Primitive::Limit(Limit { input, offset: 0, count, counts_all });
        }
        _ => {
            return Err(MysqlError::refused(
                "sql_select_limit is not supported for this statement over several shards; write LIMIT in it",
            ));
        }
    }
    Ok(state)
}
