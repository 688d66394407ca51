//! What a table looks like that is made of a query's rows, as a server says that has made one without rows.

use serval_planner::primitive::{Primitive, Target};
use serval_planner::{BindRequest, Bound, PlanTable, Sample};
use serval_remote::Backend;
use serval_types::NodeId;

use super::clauses::Clauses;
use crate::failure::{Failure, refused};
use crate::pins::PinReason;
use crate::session::{Query, Session, on_node, plan, rescan};

/// The temporary table that is made.
const NAME: &str = "serval_created";

/// Words between which a query's text can be cut off: what stands behind them changes no types.
const TAIL: [&str; 3] = ["LIMIT", "FETCH", "PROCEDURE"];

/// The definition, from the parenthesis before its first column to the end. `head` is what the client's statement has
/// before its query: columns, keys and options.
pub(super) async fn definition<B: Backend>(
    session: &mut Session<B>,
    head: &str,
    query: &[u8],
) -> Result<String, Failure> {
    let sql = without_rows(query, session)?;
    let scan = rescan(&sql, session.options)?;
    let catalog = session.catalog();
    let plan = plan(session, &catalog, &Query::text(&sql, &scan)).await?;
    let text = session.client_text();
    let request = BindRequest { text, ..BindRequest::of(&sql, &scan) };
    // IGNORE: what would be an error of a row is not yet one.
    let create = |query: &[u8]| {
        let mut sql = format!("CREATE TEMPORARY TABLE {NAME} {head} IGNORE ").into_bytes();
        sql.extend_from_slice(query);
        sql
    };
    let shown = match plan.typed(&request).map_err(|error| error.to_mysql())? {
        Sample::Node(target) => {
            let target = Target { sql: create(&target.sql), ..target };
            on(session, target, plan.tables()).await?
        }
        Sample::Gathered(mut gather) => {
            gather.statement.sql = create(&gather.statement.sql);
            gather.statement.parameters = Vec::new();
            gather.then = Some(show());
            // Its connection has a table that nobody else may see.
            gather.sets_variables = true;
            let bound = Bound {
                root: Primitive::Gather(gather),
                tables: plan.tables().into(),
                notes: std::sync::Arc::from([]),
            };
            let state = session.effective_state();
            let (_, completed) = session
                .collect_completed(&bound, &catalog, &state)
                .await
                .map_err(|error| error.to_mysql())?;
            let cell = completed.behind.and_then(|behind| behind.cells.into_iter().nth(1).flatten());
            cell.and_then(|cell| String::from_utf8(cell).ok())
        }
    };
    let shown = shown.ok_or_else(not_understood)?;
    let at = shown.find('(').ok_or_else(not_understood)?;
    Ok(shown[at..].to_owned())
}

pub(super) fn not_understood() -> Failure {
    refused("What the new table looks like is not understood; create it first, then insert the rows")
}

fn show() -> String {
    format!("SHOW CREATE TABLE {NAME}")
}

/// Makes the table on a data node, over a connection that is closed behind it unless the session needs it.
async fn on<B: Backend>(
    session: &mut Session<B>,
    target: Target,
    tables: &[PlanTable],
) -> Result<Option<String>, Failure> {
    let node = target.node;
    let group = session.catalog().node(node).group;
    let keeps = session.temporary.is_on(group);
    let first = (!keeps).then(|| session.backend.attempt(PinReason::TemporaryTable));
    session.backend.pin(group, PinReason::TemporaryTable);
    let made = make(session, target, tables).await;
    // The session may keep the connection for other reasons.
    drop_again(session, node).await;
    if keeps {
        return made;
    }
    match (&made, first) {
        (Ok(_), Some(first)) => first.succeed(),
        (Err(Failure::Told(_)), Some(first)) => first.refused(group),
        _ => {}
    }
    session.backend.unpin(group, PinReason::TemporaryTable);
    made
}

async fn make<B: Backend>(
    session: &mut Session<B>,
    target: Target,
    tables: &[PlanTable],
) -> Result<Option<String>, Failure> {
    let node = target.node;
    let catalog = session.catalog();
    let bound = Bound { tables: tables.into(), ..on_node(target) };
    session.collect_bound(&bound, &catalog).await?;
    let answer = session.ask(node, &show()).await?;
    Ok(answer.text(0, 1).map(|text| text.to_string()))
}

async fn drop_again<B: Backend>(session: &mut Session<B>, node: NodeId) {
    if let Err(error) = session.ask(node, &format!("DROP TEMPORARY TABLE IF EXISTS {NAME}")).await {
        tracing::debug!(?error, "a temporary table stays until its connection ends");
    }
}

/// The query without LIMIT, locks and rows.
fn without_rows<B: Backend>(query: &[u8], session: &Session<B>) -> Result<Vec<u8>, Failure> {
    let clauses = Clauses::of(query, session.options).ok_or_else(|| {
        refused("CREATE TABLE … SELECT with := over several nodes is not supported; insert the rows")
    })?;
    let (mut from, mut to) = (0, clauses.tokens.len());
    while from + 1 < to && clauses.is_symbol(from, b'(') && clauses.closing(from) == Some(to - 1) {
        (from, to) = (from + 1, to - 1);
    }
    let ends = |at: &usize| {
        clauses.is_word(*at, &TAIL)
            || clauses.is_word(*at, &["FOR"]) && clauses.is_word(at + 1, &["UPDATE", "SHARE"])
            || clauses.is_word(*at, &["LOCK"]) && clauses.is_word(at + 1, &["IN"])
    };
    let end = clauses.outside(from).take_while(|at| *at < to).find(ends).unwrap_or(to);
    let mut sql = clauses.text(from, end).to_vec();
    sql.extend_from_slice(b" LIMIT 0");
    Ok(sql)
}
