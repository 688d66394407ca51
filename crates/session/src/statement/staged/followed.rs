//! INSERT of rows that lie beside a parent's, outside of a transaction: the parent's rows are looked for and locked in
//! one, in which the rows are then inserted beside them.

use serval_remote::Backend;
use serval_wire::packet::OkPacket;

use super::clauses::Clauses;
use super::steps::Step;
use super::table;
use crate::failure::{Failure, refused};
use crate::session::{Session, Staging};

/// Whether an INSERT is of such rows.
///
/// # Errors
/// 1235 for RETURNING, whose rows are not kept.
pub(super) fn takes<B: Backend>(session: &Session<B>, clauses: &Clauses<'_>) -> Result<bool, Failure> {
    let Some(target) = target(session, clauses)? else { return Ok(false) };
    if clauses.find(1, &["RETURNING"]) < clauses.tokens.len() {
        return Err(refused(format!(
            "INSERT … RETURNING of rows of {target}, which lie beside their parent's, needs a transaction; BEGIN first"
        )));
    }
    Ok(true)
}

/// The table, where its rows follow a parent's.
fn target<B: Backend>(session: &Session<B>, clauses: &Clauses<'_>) -> Result<Option<String>, Failure> {
    let modifiers = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "INTO"];
    let Some((name, _)) = clauses.table(clauses.skip(1, &modifiers)) else { return Ok(None) };
    let found = table(session, name.parts())?;
    let follows = found.table.sharding().is_some_and(|sharding| sharding.parent.is_some());
    Ok(follows.then(|| found.table.name.clone()))
}

/// Inserts the rows.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    clauses: &Clauses<'_>,
) -> Result<OkPacket, Failure> {
    let catalog = session.catalog();
    let mut staging = Staging::begin(session, catalog).await?;
    let result = staging.change(clauses.sql).await.map(|_| ());
    let ((), sum) = staging.end(result).await?;
    let info = sum.info();
    Ok(sum.answer(session, info))
}

/// What EXPLAIN shows of it.
pub(super) fn steps<B: Backend>(
    session: &Session<B>,
    clauses: &Clauses<'_>,
) -> Result<Option<Vec<Step>>, Failure> {
    let modifiers = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "INTO"];
    let Some((name, _)) = clauses.table(clauses.skip(1, &modifiers)) else { return Ok(None) };
    let found = table(session, name.parts())?;
    let Some(sharding) = found.table.sharding() else { return Ok(None) };
    let (Some(key), Some(column)) = (&sharding.parent, sharding.columns.first()) else { return Ok(None) };
    Ok(Some(vec![
        Step::later(format!(
            "look on every shard of {} for the rows whose {} is the {} of the new rows, and lock them where they are",
            key.table, key.column, column.name
        )),
        Step::later("insert each row on the shard of its parent's row"),
    ]))
}
