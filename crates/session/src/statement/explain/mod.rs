//! EXPLAIN: Serval's own plan with `FORMAT=SERVAL`, a server's otherwise.
//!
//! EXPLAIN ANALYZE of what several nodes answer is always Serval's own: no server knows more than its part.

mod analyze;
mod estimates;

use std::sync::Arc;

use bytes::Bytes;
use serval_catalog::Catalog;
use serval_executor::Names;
use serval_planner::primitive::{Primitive, Target};
use serval_planner::{Bound, explain_with};
use serval_remote::Backend;
use serval_sql::Explain;
use tokio::io::AsyncWrite;

use super::{answer, hints, named_locks, refused, staged};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::{Effects, Purpose, Query, Session, on_node, prepare};
use crate::stream::Writer;

/// Explains a statement.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    explain: &Explain,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let written = explain.statement.of(text.as_bytes());
    let views = session.expand_text(written)?.map(|expanded| expanded.views).unwrap_or_default();
    let statement = session.with_identity(written)?.into_owned();
    let statement = Bytes::from(hinted(text, explain, statement, session)?);
    let scan = super::scan(session, &statement)?;
    let catalog = session.catalog();
    let query = Query { views: &views, ..Query::text(&statement, &scan) };
    if explain.analyze {
        refuse_effects(session, &query)?;
    }
    let purpose = if explain.analyze { Purpose::Run } else { Purpose::Explain };
    let ready = match prepare(session, &catalog, &query, purpose).await {
        Err(failure) if explain.serval && !explain.analyze && staged::may_help(&failure, scan.class) => {
            hints::refuse_places(hints::of(&scan)?, "A statement in several steps")?;
            let lines = steps(session, &catalog, &query, failure).await?;
            return show(session, writer, lines).await;
        }
        ready => ready?,
    };
    let one = match &ready.bound.root {
        Primitive::Route(route) => match &*route.targets {
            [target] => Some(target.clone()),
            _ => None,
        },
        _ => None,
    };
    match one {
        Some(target) if !explain.serval => {
            if explain.analyze {
                session.begin_for(&catalog, &ready, &statement);
            }
            let words = &text[..explain.statement.start as usize];
            of_server(session, writer, &catalog, words, &ready.bound, target).await
        }
        _ if explain.analyze => {
            let lines = analyze::lines(session, &catalog, &query, ready).await?;
            show(session, writer, lines).await
        }
        _ if explain.serval => {
            let lines = planned(session, &catalog, &ready.bound).await;
            show(session, writer, lines).await
        }
        _ => Err(many()),
    }
}

/// What is analyzed runs, and nobody reads back what it leaves in a server's session.
fn refuse_effects<B: Backend>(session: &Session<B>, query: &Query<'_>) -> Result<(), Failure> {
    let wanted = Effects::of(query, session.options).wanted;
    if wanted.names.is_empty() && !wanted.insert_id && !named_locks::are_mentioned(&query.scan.key) {
        return Ok(());
    }
    Err(refused(
        "ANALYZE of a statement that sets variables, LAST_INSERT_ID() or named locks is not supported; EXPLAIN it, or run the \
         statement itself",
    ))
}

/// The statement with the hints that stand before EXPLAIN, which are about it.
fn hinted<B: Backend>(
    text: &str,
    explain: &Explain,
    statement: Vec<u8>,
    session: &Session<B>,
) -> Result<Vec<u8>, Failure> {
    let words = &text[..explain.statement.start as usize];
    let tokens = serval_sql::tokens(words.as_bytes(), session.options)
        .map_err(|_| refused("The statement cannot be read"))?;
    let mut whole = Vec::new();
    for token in tokens.iter().filter(|token| token.kind == serval_sql::TokenKind::Hint) {
        whole.extend_from_slice(token.span.of(words.as_bytes()));
        whole.push(b' ');
    }
    whole.extend_from_slice(&statement);
    Ok(whole)
}

/// What the one node says that runs it.
async fn of_server<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    catalog: &Arc<Catalog>,
    words: &str,
    bound: &Bound,
    target: Target,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let words = serval_sql::without_hints(words.as_bytes(), session.options);
    let sql = [&*words, &target.sql].concat();
    let target = Target { sql, ..target };
    let asked = Bound { tables: bound.tables.clone(), ..on_node(target.clone()) };
    let mut rows = session.collect_bound(&asked, catalog).await?;
    let names = Names::of(catalog, &bound.tables, &target);
    for cell in rows.rows.iter_mut().flatten().flatten() {
        *cell = names.map_text(&String::from_utf8_lossy(cell)).into_bytes();
    }
    answer(session, writer, &rows).await
}

/// The plan, with estimates where rows are brought together.
async fn planned<B: Backend>(session: &mut Session<B>, catalog: &Arc<Catalog>, bound: &Bound) -> Vec<String> {
    let estimates = estimates::of(session, catalog, bound).await;
    explain_with(bound, catalog, &|part| estimates.get(&part).map(ToString::to_string))
}

/// The steps of a statement that no single plan can do, with the plan of each that is known before it runs.
async fn steps<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
    refusal: Failure,
) -> Result<Vec<String>, Failure> {
    let Failure::Told(error) = &refusal else { return Err(refusal) };
    let because = format!("because steps: {}", error.message);
    let Some(steps) = staged::steps(session, query)? else { return Err(refusal) };
    let mut lines = vec!["Steps of one transaction, all of them or none".to_owned()];
    let count = steps.len();
    for (index, step) in steps.into_iter().enumerate() {
        let (branch, rest) = if index + 1 == count { ("└─", "   ") } else { ("├─", "│  ") };
        lines.push(format!("{branch} {}: {}", index + 1, step.text));
        let Some(sql) = step.sql else { continue };
        let sql = session.with_identity(&sql)?.into_owned();
        let scan = crate::session::rescan(&sql, session.options)?;
        let ready = prepare(session, catalog, &Query::text(&sql, &scan), Purpose::Explain).await?;
        let plan = planned(session, catalog, &ready.bound).await;
        lines.extend(plan.iter().map(|line| format!("{rest}{line}")));
    }
    lines.push(because);
    Ok(lines)
}

async fn show<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    lines: Vec<String>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let mut rows = Answer::of_text(&["plan"]);
    for line in lines {
        rows.push([line]);
    }
    answer(session, writer, &rows).await
}

fn many() -> Failure {
    refused(
        "This statement runs on several data nodes, each with a plan of its own; EXPLAIN FORMAT=SERVAL shows what \
         is sent to which",
    )
}
