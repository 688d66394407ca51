//! What a gathered statement has left in the scratch server's session: its warnings, and what it was asked for.

use serval_planner::primitive::Gather;
use serval_remote::{Connection, SessionState};
use serval_types::MysqlError;

use super::internal;
use crate::context::{Behind, Completed};
use crate::names::Names;
use crate::query_rows::{Row, ask, ask_all};

/// Fetches it, as long as nothing else has run there. Where that fails, nobody knows.
pub(super) async fn fetch<C: Connection>(
    connection: &mut C,
    gather: &Gather,
    state: &SessionState,
    names: &Names<'_>,
    completed: &mut Completed,
) {
    if completed.warnings == 0 && gather.then.is_none() {
        return;
    }
    let mut behind = Behind::default();
    if completed.warnings > 0 {
        behind.warnings = warnings(connection, state, names).await.unwrap_or_default();
    }
    if let Some(sql) = &gather.then
        && let Ok((columns, rows)) = ask_all(connection, &internal(state, sql.as_bytes())).await
    {
        behind.columns = columns;
        behind.cells = rows.into_iter().next().unwrap_or_default();
    }
    completed.behind = Some(Box::new(behind));
}

async fn warnings<C: Connection>(
    connection: &mut C,
    state: &SessionState,
    names: &Names<'_>,
) -> Option<Vec<Row>> {
    let mut rows = ask(connection, &internal(state, b"SHOW WARNINGS")).await.ok()?;
    for row in &mut rows {
        let [_, Some(code), Some(message)] = row.as_mut_slice() else { continue };
        let number = String::from_utf8_lossy(code).parse().unwrap_or(0);
        let message_text = String::from_utf8_lossy(message).into_owned();
        let error = MysqlError { number, sqlstate: *b"HY000", message: message_text };
        *message = names.map_error(error).message.into_bytes();
    }
    Some(rows)
}
