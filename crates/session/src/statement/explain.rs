//! EXPLAIN: Serval's own plan with `FORMAT=SERVAL`, a server's otherwise.

use bytes::Bytes;
use serval_executor::Names;
use serval_planner::primitive::{Primitive, Route, Target};
use serval_remote::Backend;
use serval_sql::Explain;
use tokio::io::AsyncWrite;

use super::{answer, refused};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::{Purpose, Query, Session, on_node, prepare};
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
    let statement = session.with_identity(explain.statement.of(text.as_bytes()))?.into_owned();
    let statement = Bytes::from(statement);
    let scan = super::scan(session, &statement)?;
    let catalog = session.catalog();
    let bound = prepare(session, &catalog, &Query::text(&statement, &scan), Purpose::Explain).await?.bound;
    if explain.serval {
        let mut rows = Answer::of_text(&["plan"]);
        for line in serval_planner::explain(&bound, &catalog) {
            rows.push([line]);
        }
        return answer(session, writer, &rows).await;
    }
    let Primitive::Route(Route { targets, .. }) = &bound.root else { return Err(many()) };
    let [target] = &**targets else { return Err(many()) };
    let words = &text[..explain.statement.start as usize];
    let sql = [words.as_bytes(), &target.sql].concat();
    let target = Target { sql, ..target.clone() };
    let asked = serval_planner::Bound { tables: bound.tables.clone(), ..on_node(target.clone()) };
    let mut rows = session.collect_bound(&asked, &catalog).await?;
    let names = Names::of(&catalog, &bound.tables, &target);
    for cell in rows.rows.iter_mut().flatten().flatten() {
        *cell = names.map_text(&String::from_utf8_lossy(cell)).into_bytes();
    }
    answer(session, writer, &rows).await
}

fn many() -> Failure {
    refused(
        "This statement runs on several data nodes, each with a plan of its own; EXPLAIN FORMAT=SERVAL shows what \
         is sent to which",
    )
}
