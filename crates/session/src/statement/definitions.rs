//! What is known of tables' definitions, brought up to date with the servers.
//!
//! A definition may have changed through another proxy, or past all of them. The servers' errors tell of that first:
//! then the tables are read again, and a statement of which nothing has run is tried once more.

use std::sync::Arc;

use serval_executor::definitions::{Fetched, fetch};
use serval_remote::Backend;
use serval_sql::LexOptions;
use tokio::io::AsyncWrite;

use super::{dml, missed};
use crate::failure::{Failure, unknown_table};
use crate::proxy::Proxy;
use crate::session::{Query, Session, plan};
use crate::stream::{Progress, Writer};

/// What a server says of a statement that was written for another definition than the one Serval knows: an unknown
/// column, a wrong number of values, an unknown table, a column without a default.
const STALE: [u16; 4] = [1054, 1136, 1146, 1364];

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
        return Err(failure.into());
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
    session.undefined = None;
    session.copies.statement_begins();
    let failure = match with_copies(session, writer, query).await {
        Err(Failure::Told(error)) if session.undefined.is_some() || STALE.contains(&error.number) => {
            Failure::Told(error)
        }
        result => return result,
    };
    if session.undefined.is_some() {
        Box::pin(resolve(session, failure)).await?;
    } else {
        let tables = Box::pin(named(session, query)).await;
        let learned = Box::pin(learn(session, &tables)).await;
        if let Some((schema, table)) = learned.absent {
            return Err(unknown_table(&schema, &table).into());
        }
        // A transaction keeps the catalog that it began with, and of a read something has perhaps been sent.
        if !learned.changed || session.transaction.is_open() || !is_write(&query) {
            return Err(failure);
        }
    }
    with_copies(session, writer, query).await
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
    if catalog.is_overlay() {
        return Vec::new();
    }
    match plan(session, &catalog, &query).await {
        Ok(plan) => {
            plan.tables().iter().map(|table| (table.schema.clone(), table.table.name.clone())).collect()
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
    changed
}
