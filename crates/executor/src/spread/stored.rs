//! Which of the numbers that a sequence gave a target has stored.

use serval_planner::PlanTable;
use serval_planner::primitive::{GivenNumbers, Target};
use serval_remote::Backend;
use serval_wire::response::{Part, PartDecoder};
use serval_wire::text_row;

use super::links::Links;
use crate::context::Context;
use crate::error::ExecuteError;
use crate::places::quoted;

/// The smallest, seen by the session that has just stored them. A server's own answer to an INSERT with given numbers
/// names the last row's, whatever became of it.
pub(super) async fn first<B: Backend>(
    numbers: &GivenNumbers,
    target: &Target,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    links: &mut Links<B>,
) -> Result<Option<u64>, ExecuteError> {
    let Some(table) = tables.first() else { return Ok(None) };
    let (column, name) = (quoted(&numbers.column), quoted(table.physical_name(target.shard)));
    let sql = format!(
        "SELECT MIN({column}) FROM {name} WHERE {column} BETWEEN {} AND {}",
        numbers.first, numbers.last
    );
    let question = Target { sql: sql.into_bytes(), parameters: Vec::new(), ..target.clone() };
    let mut decoder = PartDecoder::new(true);
    let mut found = None;
    let each = |bytes| {
        decoder.push(bytes);
        while let Ok(Some(part)) = decoder.next() {
            if let Part::Row(row) = part {
                found = text_row::cells(&row).next().and_then(Result::ok).flatten().and_then(number);
            }
        }
        Ok(())
    };
    let state = &context.read_state();
    let mut plain = Context { transaction: &mut *context.transaction, parameters: None, state, ..*context };
    links.run_with_rows(&question, tables, &mut plain, each).await?;
    Ok(found)
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
