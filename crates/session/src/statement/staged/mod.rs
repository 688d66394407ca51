//! Writes that no single plan can do: several steps in one transaction, all of them or none.
//!
//! Each step is a statement of its own and goes through the ordinary planner, so routing, sequences, duplicates and
//! atomicity are what they are everywhere. What is read is locked as one server would lock it, and all of it is read
//! before the first row is written.
//!
//! ```text
//! INSERT INTO t SELECT … FROM s        SELECT … FROM s LOCK IN SHARE MODE;  INSERT INTO t VALUES …
//! DELETE FROM t ORDER BY a LIMIT 10    SELECT id FROM t ORDER BY a LIMIT 10 FOR UPDATE;  DELETE FROM t WHERE id IN (…)
//! ```

mod assigned;
mod cells;
pub(super) mod clauses;
mod create_select;
mod created;
mod evaluated;
mod followed;
mod head;
mod insert_select;
mod keyed;
mod keys;
mod moving;
mod steps;
mod warned;

use serval_catalog::Table;
use serval_planner::{ClientText, PlanTable};
use serval_remote::Backend;
use serval_sql::{StatementClass, is_call_with_argument};
use serval_types::Value;
use tokio::io::AsyncWrite;

use super::prepared::with_values;
use crate::answer::Counting;
use crate::charset::{self, client_text};
use crate::failure::{Failure, no_schema, refused, unknown_table};
use crate::session::{Query, Session};
use crate::stream::Writer;
use clauses::Clauses;
pub(super) use create_select::run as create_select;
pub(super) use steps::steps;

/// What is asked of the planner in vain is worth trying in steps.
pub(super) fn may_help(failure: &Failure, class: StatementClass) -> bool {
    let writes = matches!(
        class,
        StatementClass::Insert | StatementClass::Replace | StatementClass::Update | StatementClass::Delete
    );
    // ER_NOT_SUPPORTED_YET.
    writes && matches!(failure, Failure::Told(error) if error.number == 1235)
}

/// Whether a statement that is prepared may be done in steps when it is executed.
pub(super) fn may_take<B: Backend>(session: &Session<B>, query: &Query<'_>, failure: &Failure) -> bool {
    if !may_help(failure, query.scan.class) || query.scan.parameter_count() > 0 && !is_utf8(session) {
        return false;
    }
    let Some(clauses) = Clauses::of(query.sql, session.options) else { return false };
    match query.scan.class {
        StatementClass::Insert | StatementClass::Replace => {
            insert_select::InsertSelect::of(&clauses).is_some()
                || matches!(evaluated::find(session, &clauses), Ok(Some(_)))
        }
        _ => keyed::Keyed::of(&clauses).is_some(),
    }
}

/// Runs a statement in steps, or gives back why it was refused.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: &Query<'_>,
    refusal: Failure,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    if let Some(execution) = &query.execution
        && !execution.statement.is_as_prepared(session)
    {
        return Err(execution.statement.prepared_otherwise());
    }
    let Some(sql) = text(session, query) else { return Err(refusal) };
    let Some(clauses) = Clauses::of(&sql, session.options) else { return Err(refusal) };
    let ok = match query.scan.class {
        StatementClass::Insert | StatementClass::Replace => {
            if let Some(statement) = insert_select::InsertSelect::of(&clauses) {
                if sets_insert_id(&clauses, 0, clauses.tokens.len()) {
                    return Err(insert_id_refused());
                }
                insert_select::run(session, &statement).await?
            } else if let Some(statement) = evaluated::find(session, &clauses)? {
                evaluated::run(session, &statement).await?
            } else if followed::takes(session, &clauses)? {
                followed::run(session, &clauses).await?
            } else {
                return Err(refusal);
            }
        }
        _ => match keyed::Keyed::of(&clauses) {
            Some(_) if sets_insert_id(&clauses, 0, clauses.tokens.len()) => return Err(refusal),
            Some(statement) => keyed::run(session, &statement, refusal).await?,
            None => return Err(refusal),
        },
    };
    let ok = Counting::of(writer.capabilities(), query.scan).apply(ok);
    session.last.recount(ok.affected_rows);
    writer.ok(&ok);
    Ok(())
}

/// LAST_INSERT_ID(expr) is kept by the server that evaluates it, and steps are of several.
fn insert_id_refused() -> Failure {
    refused(
        "LAST_INSERT_ID(expr) in an INSERT whose values Serval has to know, or that reads other nodes, is not supported; \
         SELECT LAST_INSERT_ID(expr) first, and INSERT LAST_INSERT_ID()",
    )
}

/// Whether LAST_INSERT_ID(expr) stands among the tokens `from..to`.
fn sets_insert_id(clauses: &Clauses<'_>, from: usize, to: usize) -> bool {
    let sets = |at| is_call_with_argument(clauses.sql, &clauses.tokens, at, "LAST_INSERT_ID");
    (from..to).any(sets)
}

/// The statement as text, with the values of its parameters in it.
fn text<B: Backend>(session: &Session<B>, query: &Query<'_>) -> Option<Vec<u8>> {
    let Some(execution) = &query.execution else { return Some(query.sql.to_vec()) };
    let is_plain = |value: &Value| !matches!(value, Value::Text(text) if !text.is_ascii());
    // Other bytes than those of UTF-8 have no literal that means the same to every column.
    let known = is_utf8(session) || execution.values.iter().all(is_plain);
    if !known {
        return None;
    }
    let charset = charset::of_client(&session.state);
    let values = (execution.parameters, execution.values);
    Some(with_values((query.sql, query.scan), values, session.options, &charset))
}

/// Whether the bytes of the client's strings are UTF-8.
fn is_utf8<B: Backend>(session: &Session<B>) -> bool {
    client_text(&session.state) != ClientText::Other
}

/// The table that a statement names.
fn table<B: Backend>(
    session: &Session<B>,
    (schema, name): (Option<&str>, &str),
) -> Result<PlanTable, Failure> {
    let named = schema.or(session.schema.as_deref());
    let schema = session.check_schema(named.ok_or_else(no_schema)?)?;
    let catalog = session.catalog();
    let table = catalog.schema(&schema).and_then(|schema| schema.table_or_default(name));
    let table = table.ok_or_else(|| unknown_table(&schema, name))?;
    Ok(PlanTable { schema, table })
}

/// Whether a column says where rows are.
fn decides(table: &Table, column: &str) -> bool {
    table.sharding().is_some_and(|sharding| sharding.position(column).is_some())
}
