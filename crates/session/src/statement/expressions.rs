//! DO: expressions whose values nobody wants.

use serval_executor::Completed;
use serval_planner::Bound;
use serval_planner::primitive::Primitive;
use serval_remote::Backend;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use super::{into, named_locks};
use crate::failure::Failure;
use crate::session::{Effects, Purpose, Query, Session, prepare, rescan};
use crate::stream::Writer;

/// Errors of values, with which a MariaDB server ends DO well: a subquery of several rows, a number out of range.
const EVALUATED: [u16; 2] = [1242, 1690];

/// The word that stands for DO while the expressions are planned.
const SELECT: &[u8] = b"SELECT ";

/// Evaluates the expressions where a SELECT of them would.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    expressions: &[u8],
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let catalog = session.catalog();
    let sql = session.with_identity(&[SELECT, expressions].concat())?.into_owned();
    let scan = rescan(&sql, session.options)?;
    let query = Query::text(&sql, &scan);
    let effects = Effects::of(&query, session.options);
    let mut ready = prepare(session, &catalog, &query, Purpose::Run).await?;
    let placed = named_locks::place(session, &catalog, &query, &mut ready).await?;
    session.begin_for(&catalog, &ready, &sql);
    if placed.is_none() {
        say_do(&mut ready.bound);
    }
    let read = into::one_group(&catalog, &ready.bound).filter(|_| !effects.wanted.is_nothing());
    if let Some(group) = read {
        session.pin_for(group, &effects.wanted).await?;
    }
    let state = session.effective_state();
    let result = session.collect_completed(&ready.bound, &catalog, &state).await;
    if let Some(placed) = placed {
        named_locks::settle(session, &catalog, placed, result.is_ok()).await;
    }
    let result = result.map_err(|error| error.to_mysql());
    let kept = session.last.warnings();
    if let Ok((_, Completed { warnings, .. })) = &result {
        session.last.changed(0, 0, *warnings);
        if *warnings > 0 {
            session.note_warnings(&ready.bound, &catalog, state);
            session.fetch_warnings().await;
        }
    }
    if let Some(group) = read {
        session.read_wanted(group, &effects.wanted).await?;
    }
    match result {
        Err(error) if EVALUATED.contains(&error.number) && session.proxy.flavour().is_mariadb() => {
            session.last.failed(&error);
            session.last.row_count = 0;
        }
        result => drop(result?),
    }
    session.last.answered = session.last.warnings;
    if ready.plan.tables().is_empty() {
        session.last.keep(kept, session.proxy.flavour());
    }
    writer.ok(&OkPacket { warnings: session.last.answered, ..session.plain_ok() });
    Ok(())
}

/// One server is told DO, so that it does with errors what DO does with them.
fn say_do(bound: &mut Bound) {
    if let Primitive::Route(route) = &mut bound.root
        && let [target] = &mut *route.targets
        && target.sql.starts_with(SELECT)
    {
        target.sql.splice(..SELECT.len(), *b"DO ");
    }
}
