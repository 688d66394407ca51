//! The tables' definitions, from the servers into the running catalog.
//!
//! A proxy starts with what the snapshot says and asks the servers at once. A group that is down is asked again until
//! it answers; the tables of the others are known by then. What a server says replaces what the snapshot said.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serval_backend::Servers;
use serval_catalog::{Catalog, Severity, TableDefinition};
use serval_executor::definitions::{Fetched, fetch};
use serval_sql::{LexOptions, create_table};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How long to wait before a group that was down is asked again.
const RETRY: Duration = Duration::from_secs(3);
/// How many of them a warning about missing definitions names.
const NAMED: usize = 8;

/// Keeps the running catalog's definitions those of the servers.
#[derive(Debug)]
pub struct Definitions {
    catalog: Arc<ArcSwap<Catalog>>,
    servers: Arc<Servers>,
    /// Somebody wants them read again.
    wanted: Notify,
    /// How often all schemas have been asked for, answered or not.
    rounds: watch::Sender<u64>,
}

/// A table whose definition could not be read, or a node whose tables could not be listed.
struct Missing {
    what: String,
    why: String,
}

impl Definitions {
    /// Nothing is read before [`Definitions::keep`] runs.
    pub fn new(catalog: Arc<ArcSwap<Catalog>>, servers: Arc<Servers>) -> Arc<Self> {
        Arc::new(Self { catalog, servers, wanted: Notify::new(), rounds: watch::Sender::new(0) })
    }

    /// Reads them, again after every [`Definitions::read_again`], and again and again while something is missing.
    pub async fn keep(self: Arc<Self>, shutdown: CancellationToken) {
        let mut said = vec!["nothing has been read yet".to_owned()];
        loop {
            let missing = tokio::select! {
                missing = self.round() => missing,
                () = shutdown.cancelled() => return,
            };
            report(&missing, &mut said);
            let pause = async {
                if missing.is_empty() {
                    std::future::pending().await
                } else {
                    tokio::time::sleep(RETRY).await
                }
            };
            tokio::select! {
                () = self.wanted.notified() => {}
                () = pause => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Asks for another round, after a reload.
    pub fn read_again(&self) {
        self.wanted.notify_one();
    }

    /// Waits until every schema has been asked for once, but not longer than `limit`.
    pub async fn first_round(&self, limit: Duration) {
        let mut rounds = self.rounds.subscribe();
        // The sender lives as long as `self`, and whoever runs into the limit starts with what is known.
        let _ = tokio::time::timeout(limit, rounds.wait_for(|rounds| *rounds > 0)).await;
    }

    /// One round over all schemas: what could not be asked, and why.
    async fn round(&self) -> Vec<Missing> {
        let catalog = self.catalog.load_full();
        let mut missing = Vec::new();
        for schema in catalog.schemas.values() {
            let Fetched { definitions, absent, failed, views, all_views } =
                fetch(&*self.servers, &catalog, &schema.name, None).await;
            missing.extend(failed.into_iter().map(|(what, error)| Missing {
                what: format!("{}.{what}", schema.name),
                why: error.to_string(),
            }));
            self.join(&schema.name, definitions, &absent);
            expand(&self.catalog, &schema.name, &views, &[], all_views);
        }
        self.rounds.send_modify(|rounds| *rounds += 1);
        missing
    }

    /// Reads the definitions of these tables, by schema and name, once more.
    pub async fn read(&self, tables: &[(String, String)]) {
        let catalog = self.catalog.load_full();
        for (schema, table) in tables {
            let Fetched { definitions, absent, failed, views, all_views } =
                fetch(&*self.servers, &catalog, schema, Some(table)).await;
            for (table, error) in failed {
                tracing::warn!(schema, table, %error, "the definition of the table could not be read again");
            }
            expand(&self.catalog, schema, &views, &absent, all_views);
            self.join(schema, definitions, &absent);
        }
    }

    /// Stores a catalog with these definitions and without the absent ones, unless it would be the same.
    fn join(&self, schema: &str, texts: Vec<(String, String)>, absent: &[String]) {
        let definitions: Vec<TableDefinition> =
            texts.iter().filter_map(|(name, text)| read(schema, name, text)).collect();
        if self.catalog.load().refreshed(schema, &definitions, absent).is_none() {
            return;
        }
        let mut diagnostics = Vec::new();
        self.catalog.rcu(|current| match current.refreshed(schema, &definitions, absent) {
            Some((next, found)) => {
                diagnostics = found;
                Arc::new(next)
            }
            None => Arc::clone(current),
        });
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => tracing::error!("{diagnostic}"),
                Severity::Warning => tracing::warn!("{diagnostic}"),
            }
        }
    }
}

/// Stores a catalog with these views and without those that are not there any more.
fn expand(
    catalog: &ArcSwap<Catalog>,
    schema: &str,
    views: &[(String, String)],
    absent: &[String],
    all: bool,
) {
    for view in serval_session::store_views(catalog, schema, views, absent, all) {
        tracing::error!(schema, view, "the server's definition of the view cannot be read");
    }
}

fn read(schema: &str, name: &str, text: &str) -> Option<TableDefinition> {
    match create_table::parse(text, LexOptions::default()) {
        Ok(definition) => Some(definition),
        Err(error) => {
            tracing::warn!(schema, table = name, %error, "the server's definition of the table cannot be read");
            None
        }
    }
}

/// Says what is missing, in one line, but not again and again while it stays the same.
fn report(missing: &[Missing], said: &mut Vec<String>) {
    let names: Vec<String> = missing.iter().map(|missing| missing.what.clone()).collect();
    if names == *said {
        return;
    }
    match missing.first() {
        Some(first) => {
            let (number, shown) = (names.len(), names[..names.len().min(NAMED)].join(", "));
            tracing::warn!(
                number,
                "definitions could not be read from the servers yet, first {shown}: {}",
                first.why
            );
        }
        None => tracing::info!("the definitions of all tables have been read from the servers"),
    }
    *said = names;
}
