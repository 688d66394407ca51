//! What is known of tables' definitions, brought up to date with the servers.
//!
//! A definition may have changed through another proxy, or past all of them. The servers' errors tell of that first:
//! then the tables are read again, and a statement of which nothing has run is tried once more.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serval_catalog::Catalog;
use serval_executor::definitions::{Fetched, fetch};
use serval_planner::PlanTable;
use serval_remote::Backend;
use serval_sql::LexOptions;
use serval_types::MysqlError;
use tokio::io::AsyncWrite;

use super::{dml, functions, missed, stored};
use crate::failure::{Failure, unknown_table};
use crate::proxy::Proxy;
use crate::session::{Query, Session, plan};
use crate::stream::{Progress, Writer};

/// What a server says of a statement that was written for another definition than the one Serval knows: an unknown
/// column, a wrong number of values, an unknown table, a column without a default.
const STALE: [u16; 4] = [1054, 1136, 1146, 1364];

/// How often a statement is run for want of definitions.
const MOST: usize = 5;

/// What the servers said.
#[derive(Debug, Default)]
struct Learned {
    /// Tables whose definitions are other than was known.
    changed: bool,
    /// The first table that is not there.
    absent: Option<(String, String)>,
}

/// Runs a statement that reads or changes rows, and once more where it failed for want of a definition or of a period's
/// table.
pub(super) async fn with_fresh<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: Query<'_>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    session.at_primary = false;
    let failure = match with_definitions(session, writer, query).await {
        Err(Failure::Told(error)) if writer.progress() == Progress::NotStarted => error,
        result => return result,
    };
    if !missed::may_be(&failure) || !Box::pin(missed::make(session, query)).await {
        return Err(Box::pin(functions::explained(session, failure)).await.into());
    }
    // A replica may not have them yet.
    session.at_primary = true;
    let result = Box::pin(with_definitions(session, writer, query)).await;
    session.at_primary = false;
    result
}

async fn with_definitions<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: Query<'_>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    // A view may stand on others, which are missed one after another.
    for _ in 1..MOST {
        let Some(failure) = attempt(session, writer, query).await? else { return Ok(()) };
        Box::pin(learned(session, writer.progress(), query, failure)).await?;
    }
    with_copies(session, writer, query).await
}

/// Runs the statement; gives a failure that more knowledge of definitions may help.
async fn attempt<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: Query<'_>,
) -> Result<Option<Missed>, Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    session.undefined = None;
    session.views.clear();
    session.copies.statement_begins();
    let version = session.catalog_version();
    match with_copies(session, writer, query).await {
        Err(Failure::Told(error)) if session.undefined.is_some() || STALE.contains(&error.number) => {
            Ok(Some(Missed { error, version }))
        }
        result => result.map(|()| None),
    }
}

/// A failure for want of a definition, it may be.
struct Missed {
    error: MysqlError,
    /// The catalog's version before the statement.
    version: u64,
}

/// Learns what a statement has missed, so that it is worth running again.
///
/// # Errors
/// Why it failed, where nothing more is known now.
async fn learned<B: Backend>(
    session: &mut Session<B>,
    progress: Progress,
    query: Query<'_>,
    Missed { error, version }: Missed,
) -> Result<(), Failure> {
    let views = std::mem::take(&mut session.views);
    if let Some(broken) = broken(session, &error, &views).await {
        return Err(broken.into());
    }
    if session.undefined.is_some() {
        let Err(failure) = resolve(session, Failure::Told(error)).await else { return Ok(()) };
        if session.adopt_views() {
            return Ok(());
        }
        let Failure::Told(error) = &failure else { return Err(failure) };
        return Err(broken(session, error, &views).await.map_or(failure, Failure::Told));
    }
    let tables = named(session, query).await;
    let Learned { changed, absent } = learn(session, &tables).await;
    if let Some((schema, table)) = absent {
        return Err(unknown_table(&schema, &table).into());
    }
    // Of a read something has perhaps been sent.
    let untouched = is_write(&query) || progress == Progress::NotStarted;
    if untouched && missed::may_be(&error) && session.adopt_views() {
        return Ok(());
    }
    // Somebody else may have learned it just now; a transaction whose tables have other places by now does not see it.
    let changed = session.catalog_version() != version || changed && !session.transaction.is_open();
    if changed && untouched { Ok(()) } else { Err(error.into()) }
}

/// What a server says of the views of a statement that failed with this error, where it failed because one is broken.
pub(super) async fn broken<B: Backend>(
    session: &mut Session<B>,
    error: &MysqlError,
    views: &[(String, String)],
) -> Option<MysqlError> {
    if views.is_empty() || !STALE.contains(&error.number) {
        return None;
    }
    Box::pin(stored::what_is_broken(session, views)).await
}

/// Runs the statement, and where a copy of global tables could not be read, on another one.
async fn with_copies<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: Query<'_>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    loop {
        let result = dml::run(session, writer, query).await;
        if result.is_ok() || !session.copies.takes_another() {
            return result;
        }
    }
}

/// Learns the definition for want of which a statement could not be planned; then it can be planned.
///
/// # Errors
/// 1146 where there is no such table, and otherwise `failure`.
pub(super) async fn resolve<B: Backend>(session: &mut Session<B>, failure: Failure) -> Result<(), Failure> {
    let Some((schema, table)) = session.undefined.take() else { return Err(failure) };
    session.check_schema(&schema)?;
    match learn(session, &[(schema, table)]).await {
        Learned { absent: Some((schema, table)), .. } => Err(unknown_table(&schema, &table).into()),
        Learned { changed: true, .. } if !session.transaction.is_open() => Ok(()),
        _ => Err(failure),
    }
}

fn is_write(query: &Query<'_>) -> bool {
    use serval_sql::StatementClass as Class;
    matches!(query.scan.class, Class::Insert | Class::Replace | Class::Update | Class::Delete)
}

/// The tables of a statement that could be planned.
async fn named<B: Backend>(session: &mut Session<B>, query: Query<'_>) -> Vec<(String, String)> {
    let catalog = session.catalog();
    let Ok(filled) = query.filled(session, &catalog) else { return Vec::new() };
    let query = filled.as_ref().map_or(query, |filled| filled.query(query));
    match plan(session, &catalog, &query).await {
        Ok(plan) => {
            // Nobody else knows anything of temporary ones.
            let shared = |table: &&PlanTable| !session.temporary.has(&table.schema, &table.table.name);
            let tables = plan.tables().iter().filter(shared);
            let tables = tables.map(|table| (table.schema.clone(), table.table.name.clone()));
            tables.chain(query.views.iter().cloned()).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// Reads the definitions of these tables, by schema and name, from the servers.
async fn learn<B: Backend>(session: &Session<B>, tables: &[(String, String)]) -> Learned {
    let catalog = session.proxy.catalog.load_full();
    let mut learned = Learned::default();
    for (schema, table) in tables {
        let fetched = fetch(&*session.proxy.backend, &catalog, schema, Some(table)).await;
        if let (None, Some(absent)) = (&learned.absent, fetched.absent.first()) {
            learned.absent = Some((schema.clone(), absent.clone()));
        }
        learned.changed |= store(&session.proxy, schema, fetched);
    }
    learned
}

/// Puts what was fetched into the proxy's catalog; whether that changed anything.
pub(super) fn store<B: Backend>(proxy: &Proxy<B>, schema: &str, fetched: Fetched) -> bool {
    for (table, error) in fetched.failed {
        tracing::warn!(schema, table, %error, "definition not read; a reload reads it");
    }
    let mut definitions = Vec::new();
    for (table, text) in fetched.definitions {
        match serval_sql::create_table::parse(&text, LexOptions::default()) {
            Ok(definition) => definitions.push(definition),
            Err(error) => tracing::warn!(schema, table, %error, "definition not understood"),
        }
    }
    let (views, absent) = (&fetched.views, &fetched.absent);
    let before = proxy.catalog.load().version;
    for view in store_views(&proxy.catalog, schema, views, absent, fetched.all_views) {
        tracing::warn!(schema, view, "definition of a view not understood");
    }
    let has_views = proxy.catalog.load().version != before;
    let (mut changed, mut diagnostics) = (false, Vec::new());
    proxy.catalog.rcu(|current| {
        let Some((next, found)) = current.refreshed(schema, &definitions, &fetched.absent) else {
            changed = false;
            return Arc::clone(current);
        };
        (changed, diagnostics) = (true, found);
        Arc::new(next)
    });
    for diagnostic in diagnostics {
        let (table, message) = (&diagnostic.file, &diagnostic.message);
        tracing::warn!(table, message, "definition of a table as its servers have it");
    }
    changed || has_views
}

/// Puts what the servers say of a schema's views into a catalog; gives the names of those that are not understood.
pub fn store_views(
    catalog: &ArcSwap<Catalog>,
    schema: &str,
    views: &[(String, String)],
    absent: &[String],
    all: bool,
) -> Vec<String> {
    let mut unread = Vec::new();
    if catalog.load().with_views(schema, views, absent, all).is_none() {
        return unread;
    }
    catalog.rcu(|current| match current.with_views(schema, views, absent, all) {
        Some((next, not_understood)) => {
            unread = not_understood;
            Arc::new(next)
        }
        None => Arc::clone(current),
    });
    unread
}
