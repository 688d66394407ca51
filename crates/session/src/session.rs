//! What one authenticated client has set, opened and done.

mod last;
mod numbers;
mod prepare;
mod query;
mod run;
mod schema;
mod status;
mod warnings;

use std::sync::Arc;
use std::time::Duration;

use serval_catalog::Catalog;
use serval_remote::{Backend, SessionState};
use serval_sql::LexOptions;
use serval_transaction::Transaction;

use crate::proxy::Proxy;
use crate::registry::Entry;
use crate::statement::prepared::Registry;
use crate::watched::Watched;

pub(crate) use last::Last;
pub(crate) use numbers::Numbers;
pub(crate) use prepare::{Purpose, Ready, contains_word, plan, prepare};
pub(crate) use query::{Execution, Query, rescan};
pub(crate) use run::on_node;
pub(crate) use schema::is_system_schema;

/// One authenticated client.
pub(crate) struct Session<B: Backend> {
    pub(crate) proxy: Arc<Proxy<B>>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) user: String,
    pub(crate) host: String,
    /// The current schema, by the name that the config gives it.
    pub(crate) schema: Option<String>,
    /// What was SET, to be replayed on every connection that works for the session.
    pub(crate) state: SessionState,
    /// How the session's statements are read.
    pub(crate) options: LexOptions,
    pub(crate) autocommit: bool,
    /// `wait_timeout`, where the session set it.
    pub(crate) idle: Option<Duration>,
    /// The servers, watched for warnings.
    pub(crate) backend: Watched<B>,
    pub(crate) transaction: Transaction<Watched<B>>,
    /// What SET TRANSACTION said of the next transaction.
    pub(crate) next_transaction: Characteristics,
    /// The snapshot that the open transaction works under.
    pinned: Option<Arc<Catalog>>,
    /// The statements that it has prepared.
    pub(crate) prepared: Registry,
    /// What the last statement did.
    pub(crate) last: Last,
    /// The last statement left warnings that have yet to be fetched.
    warned: Option<warnings::Warned>,
    /// What the session began with, and COM_RESET_CONNECTION goes back to.
    initial: SessionState,
}

/// Characteristics of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Characteristics {
    /// For example `READ-COMMITTED`.
    pub(crate) isolation: Option<String>,
    /// READ ONLY or READ WRITE.
    pub(crate) read_only: Option<bool>,
}

impl<B: Backend> Session<B> {
    /// A session as it is after the handshake.
    pub(crate) fn new(proxy: Arc<Proxy<B>>, entry: Arc<Entry>, user: String, state: SessionState) -> Self {
        let host = entry.peer.map_or_else(|| "localhost".to_owned(), |peer| peer.ip().to_string());
        Self {
            backend: Watched::new(Arc::clone(&proxy.backend)),
            proxy,
            entry,
            user,
            host,
            schema: None,
            warned: None,
            initial: state.clone(),
            state,
            options: LexOptions::default(),
            autocommit: true,
            idle: None,
            transaction: Transaction::new(),
            next_transaction: Characteristics::default(),
            pinned: None,
            prepared: Registry::default(),
            last: Last::default(),
        }
    }

    /// COM_RESET_CONNECTION: everything as after the handshake, but for the schema.
    pub(crate) async fn reset(&mut self) {
        self.transaction.rollback().await;
        self.transaction_ended();
        self.state = self.initial.clone();
        self.options = LexOptions::default();
        self.autocommit = true;
        self.idle = None;
        self.prepared.clear();
        self.last = Last::default();
    }

    /// How long the client may be silent.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.idle.unwrap_or_else(|| self.proxy.catalog.load().settings.idle_timeout)
    }

    /// The catalog that the next statement works under: the transaction's, or the newest.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.pinned.clone().unwrap_or_else(|| self.proxy.catalog.load_full())
    }

    /// The state that connections are brought to for the next statement: what was SET, and what SET TRANSACTION said
    /// of this transaction only.
    pub(crate) fn effective_state(&self) -> SessionState {
        let Characteristics { isolation, read_only } = &self.next_transaction;
        let mut state = self.state.clone();
        if let Some(isolation) = isolation {
            state = state.with(self.proxy.flavour().isolation_variable(), &format!("'{isolation}'"));
        }
        if let (Some(read_only), false) = (read_only, self.transaction.is_open()) {
            state = state.with(self.proxy.flavour().read_only_variable(), if *read_only { "1" } else { "0" });
        }
        state
    }

    /// Opens a transaction; each group joins when it is first used.
    pub(crate) fn begin(&mut self, begin_sql: &str, catalog: &Arc<Catalog>) {
        let schema = self.schema.as_deref().and_then(|name| catalog.schema(name));
        self.transaction.begin(begin_sql, schema.map(|schema| schema.transaction).unwrap_or_default());
        self.pinned = Some(Arc::clone(catalog));
    }

    /// Notes that no transaction is open any more: its snapshot and its characteristics are over.
    pub(crate) fn transaction_ended(&mut self) {
        self.pinned = None;
        self.next_transaction = Characteristics::default();
    }
}
