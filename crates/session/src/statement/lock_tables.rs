//! LOCK TABLES and UNLOCK TABLES.
//!
//! Every physical table behind a logical one is locked, on one connection of each group, in the order of the groups.
//! Until the locks are given up those connections do all of the session's work on their groups.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_catalog::Catalog;
use serval_executor::Names;
use serval_planner::primitive::Target;
use serval_planner::{Locks, PlanTable, plan_lock_tables};
use serval_remote::{Access, Backend, Connection, RemoteError, Request};
use serval_sql::LockTables;
use serval_types::{ErrorCode, GroupId, MysqlError};

use super::transaction::commit;
use crate::failure::{Failure, no_schema, refused};
use crate::pins::PinReason;
use crate::session::{Locked, Session, is_system_schema};

/// LOCK TABLES. It commits, and gives up what was locked before.
pub(super) async fn lock<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    statement: &LockTables,
) -> Result<(), Failure> {
    check(session, statement)?;
    commit(session).await?;
    release(session).await?;
    let catalog = session.catalog();
    let locks = plan_lock_tables(&catalog, session.schema.as_deref(), statement, text)
        .map_err(|error| error.to_mysql())?;
    make_counters(session, &catalog, &locks.tables).await?;
    let attempt = session.backend.attempt(PinReason::LockTables);
    let mut held = Vec::new();
    for (group, sql) in &locks.statements {
        session.backend.pin(*group, PinReason::LockTables);
        if let Err(error) = lock_group(session, &catalog, (*group, sql), &locks, !held.is_empty()).await {
            // What this leaves is closed when the attempt ends.
            if give_up(session, &held).await {
                session.backend.unpin(*group, PinReason::LockTables);
            }
            return Err(error);
        }
        held.push(*group);
    }
    attempt.succeed();
    session.locked = Some(Locked::new(&locks.tables, held));
    Ok(())
}

/// UNLOCK TABLES. Where nothing is locked it does nothing, otherwise it commits first.
pub(super) async fn unlock<B: Backend>(session: &mut Session<B>) -> Result<(), Failure> {
    if session.locked.is_some() {
        commit(session).await?;
        release(session).await?;
    }
    Ok(())
}

/// Gives up the locks, if there are any.
pub(super) async fn release<B: Backend>(session: &mut Session<B>) -> Result<(), Failure> {
    let Some(locked) = session.locked.take() else { return Ok(()) };
    // Connections on which it fails are closed, and so is everything if the client goes away meanwhile.
    let _rest = session.backend.attempt(PinReason::LockTables);
    give_up(session, &locked.groups).await;
    Ok(())
}

/// The user must be allowed to use the schemas.
fn check<B: Backend>(session: &Session<B>, statement: &LockTables) -> Result<(), Failure> {
    for lock in &statement.locks {
        let named = lock.table.schema.as_ref().map(|schema| schema.value.as_str());
        let name = named.or(session.schema.as_deref()).ok_or_else(no_schema)?;
        if is_system_schema(name) {
            return Err(refused("Tables of the servers' own schemas cannot be locked through Serval"));
        }
        session.check_schema(name)?;
    }
    Ok(())
}

/// The first number of a table's AUTO_INCREMENT is found by looking at all its rows, on another connection. That one
/// would wait for these locks, so it is done before.
async fn make_counters<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    tables: &[PlanTable],
) -> Result<(), Failure> {
    let (sequences, servers) = (&session.proxy.sequences, &*session.proxy.backend);
    for PlanTable { schema, table } in tables.iter().filter(|table| table.table.sequence.is_some()) {
        let observed = sequences.observe(servers, catalog, schema, table, 0).await;
        // A table that does not exist yields its error when it is locked.
        if let Err(error) = observed.map_err(|error| error.to_mysql())
            && error.number != ErrorCode::NoSuchTable.number()
        {
            return Err(error.into());
        }
    }
    Ok(())
}

async fn lock_group<B: Backend>(
    session: &Session<B>,
    catalog: &Arc<Catalog>,
    (group, sql): (GroupId, &[u8]),
    locks: &Locks,
    holds_others: bool,
) -> Result<(), Failure> {
    let wait = catalog.settings.acquire_timeout;
    let order = order(session, group, sql, wait);
    // Whoever holds locks of one group and waits for those of another may be waited for; no server sees that circle.
    let answer = match holds_others {
        true => tokio::time::timeout(wait, order).await.map_err(|_| Failure::Told(timed_out()))?,
        false => order.await,
    };
    let error = match answer {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) | Err(RemoteError::Refused(error)) => error,
        Err(error) => return Err(error.to_mysql().into()),
    };
    Err(rename(catalog, group, &locks.tables, error).into())
}

/// UNLOCK TABLES on these groups; whether it worked on all of them.
async fn give_up<B: Backend>(session: &Session<B>, groups: &[GroupId]) -> bool {
    let wait = session.proxy.catalog.load().settings.acquire_timeout;
    let mut all = true;
    for group in groups {
        let answer = tokio::time::timeout(wait, order(session, *group, b"UNLOCK TABLES", wait)).await;
        match answer {
            Ok(Ok(Ok(()))) => session.backend.unpin(*group, PinReason::LockTables),
            other => {
                tracing::debug!(%group, answer = ?other, "UNLOCK TABLES failed; the connection is closed");
                all = false;
            }
        }
    }
    all
}

/// Runs a statement that has no rows on the group's pinned connection.
async fn order<B: Backend>(
    session: &Session<B>,
    group: GroupId,
    sql: &[u8],
    wait: Duration,
) -> Result<Result<(), MysqlError>, RemoteError> {
    let state = session.effective_state();
    let deadline = Instant::now() + wait;
    let mut connection = session.backend.acquire(group, Access::Primary, &state, deadline).await?;
    let request = Request { database: None, state: &state, begin: None, sql, execution: None };
    connection.send(&request).await?;
    loop {
        if let Some(completion) = connection.read_burst().await?.completion {
            connection.forget_warnings();
            return Ok(completion.error.map_or(Ok(()), |error| Err(error.to_mysql())));
        }
    }
}

/// Logical names in an error of a group.
fn rename(catalog: &Catalog, group: GroupId, tables: &[PlanTable], mut error: MysqlError) -> MysqlError {
    for table in tables {
        let shards = table.table.sharding().map_or(1, |sharding| sharding.shards.len());
        for shard in 0..shards {
            let place = match table.table.sharding() {
                Some(sharding) => (sharding.shards[shard].node, Some(shard)),
                None => match table
                    .table
                    .placement
                    .nodes()
                    .into_iter()
                    .find(|node| catalog.node(*node).group == group)
                {
                    Some(node) => (node, None),
                    None => continue,
                },
            };
            if catalog.node(place.0).group == group {
                let target = Target::new(place.0, place.1, Vec::new());
                error = Names::of(catalog, std::slice::from_ref(table), &target).map_error(error);
            }
        }
    }
    error
}

fn timed_out() -> MysqlError {
    MysqlError::new(ErrorCode::WaitTimeout, "Lock wait timeout exceeded; try restarting transaction")
}
