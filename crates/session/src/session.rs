//! What one authenticated client has set, opened and done.

mod changes;
mod characteristics;
mod copies;
mod define;
mod described;
mod effects;
mod family;
mod last;
mod locked;
mod named;
mod numbers;
mod own;
mod prepare;
mod query;
mod read_back;
mod run;
mod schema;
mod staging;
mod status;
mod temporary;
mod variables;
mod views;
mod warnings;
mod zone;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_catalog::{Catalog, Schema, TransactionMode};
use serval_planner::ClientText;
use serval_remote::{Backend, SessionState};
use serval_sql::{HintedServer, LexOptions, Pairs};
use serval_transaction::Transaction;
use serval_wire::command::Attribute;

use crate::charset;
use crate::cursor::Cursor;
use crate::pins::PinReason;
use crate::proxy::Proxy;
use crate::registry::Entry;
use crate::statement::prepared::Registry;
use crate::stream::Door;
use crate::watched::Watched;
use copies::Copies;
use named::NamedLocks;
use temporary::Temporary;

pub(crate) use changes::{Changes, is_tracked};
pub(crate) use characteristics::{Characteristics, begin_sql, has_not_run, isolation_level};
pub(crate) use described::{describe_columns, fresh_overlay};
pub(crate) use effects::{Effects, Into, counts_all, found_in_query, found_rows, sets_insert_id, skips_rows};
pub(crate) use family::places;

pub(crate) use last::Last;
pub(crate) use locked::Locked;
pub(crate) use numbers::Numbers;
pub(crate) use own::{Own, wrong_type, wrong_value};
pub(crate) use prepare::{Purpose, Ready, fixed_timestamp, plan, prepare, prepare_moving};
pub(crate) use query::{Execution, Query, rescan};
pub(crate) use read_back::{Wanted, question};
pub(crate) use run::{is_one_node, on_node};
pub(crate) use schema::is_system_schema;
pub(crate) use staging::{Lock, Staging, Sum};
pub(crate) use warnings::targets;

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
    /// What [`Session::client_text`] last was, and of which state.
    client_text: Option<(SessionState, ClientText)>,
    /// What a server has said of the session's time zone.
    clock: Option<Box<zone::Clock>>,
    /// When the running command began.
    pub(crate) began: Instant,
    /// How the session's statements are read.
    pub(crate) options: LexOptions,
    pub(crate) autocommit: bool,
    /// Variables that no server is told of.
    pub(crate) own: Own,
    /// RELEASE: the connection ends when the client has its answer.
    pub(crate) leaving: bool,
    /// The servers, watched for warnings, with the connections that are the session's own.
    pub(crate) backend: Watched<B>,
    pub(crate) transaction: Transaction<Watched<B>>,
    /// Which servers the running statement asks for.
    pub(crate) asked: Option<HintedServer>,
    /// The running statement reads what has just been made, which replicas may lack.
    pub(crate) at_primary: bool,
    /// Where a statement asks for the client's file.
    pub(crate) door: Arc<Door>,
    /// The open transaction was begun READ ONLY.
    pub(crate) read_only: bool,
    /// What SET TRANSACTION said of the next transaction.
    pub(crate) next_transaction: Characteristics,
    /// The snapshot that the open transaction works under.
    pinned: Option<Arc<Catalog>>,
    /// What was SET when the open transaction began.
    begun: Option<SessionState>,
    /// The catalog of the running statement alone, where engines' rows stand beside other tables.
    pub(crate) beside: Option<Arc<Catalog>>,
    /// Its temporary tables.
    pub(crate) temporary: Temporary,
    /// What it has locked with LOCK TABLES.
    pub(crate) locked: Option<Locked>,
    /// The locks of GET_LOCK that it may hold.
    pub(crate) named: NamedLocks,
    /// The statements that it has prepared.
    pub(crate) prepared: Registry,
    /// The cursor that the running execution has opened.
    pub(crate) opened: Option<Cursor>,
    /// What the last statement did.
    pub(crate) last: Last,
    /// What the client said of the running statement.
    pub(crate) attributes: Vec<Attribute>,
    /// What the running statement changes.
    pub(crate) changes: Changes,
    /// `resultset_metadata`: whether column definitions are sent to a client that can do without.
    pub(crate) metadata: bool,
    /// The table for want of whose definition, or against whose definition, the running statement could not be planned,
    /// by schema and name.
    pub(crate) undefined: Option<(String, String)>,
    /// Which copies of global tables it reads.
    pub(crate) copies: Copies,
    /// The views that the running statement names, by schema and name.
    pub(crate) views: Vec<(String, String)>,
    /// The last statement left warnings that have yet to be fetched.
    warned: Option<Box<warnings::Warned>>,
    /// What the session began with, and COM_RESET_CONNECTION goes back to.
    initial: SessionState,
}

impl<B: Backend> Session<B> {
    /// A session as it is after the handshake.
    pub(crate) fn new(proxy: Arc<Proxy<B>>, entry: Arc<Entry>, user: String, state: SessionState) -> Self {
        let host = entry.peer.map_or_else(|| "localhost".to_owned(), |peer| peer.ip().to_string());
        let coordinator = Arc::clone(&proxy.coordinator);
        let pairs = Pairs::of_charset(&charset::of_client(&state));
        let options = proxy.catalog.load().lex_options().with_pairs(pairs);
        Self {
            backend: Watched::new(Arc::clone(&proxy.backend), Arc::clone(&entry)),
            proxy,
            entry,
            user,
            host,
            schema: None,
            warned: None,
            copies: Copies::default(),
            client_text: None,
            clock: None,
            began: Instant::now(),
            initial: state.clone(),
            state,
            options,
            autocommit: true,
            own: Own::default(),
            leaving: false,
            transaction: Transaction::with(&coordinator),
            asked: None,
            at_primary: false,
            door: Arc::default(),
            read_only: false,
            next_transaction: Characteristics::default(),
            pinned: None,
            begun: None,
            beside: None,
            temporary: Temporary::default(),
            locked: None,
            named: NamedLocks::default(),
            prepared: Registry::default(),
            opened: None,
            attributes: Vec::new(),
            changes: Changes::default(),
            metadata: true,
            undefined: None,
            views: Vec::new(),
            last: Last::default(),
        }
    }

    /// COM_RESET_CONNECTION: everything as after the handshake, but for the schema.
    pub(crate) async fn reset(&mut self) {
        self.transaction.rollback().await;
        self.transaction_ended();
        self.backend.drop_pins();
        self.temporary.clear();
        self.locked = None;
        self.named.clear();
        self.entry.set_lock_thread(0);
        self.state = self.initial.clone();
        self.options = self.proxy.catalog.load().lex_options();
        self.refresh_options();
        self.autocommit = true;
        self.own = Own::default();
        self.prepared.clear();
        self.metadata = true;
        // Servers keep it, too.
        let found_rows = self.last.found_rows;
        self.last = Last { found_rows, ..Last::default() };
    }

    /// Reads statements as the session's character set wants.
    pub(crate) fn refresh_options(&mut self) {
        self.options = self.options.with_pairs(Pairs::of_charset(&charset::of_client(&self.state)));
    }

    /// What the bytes of the client's strings are. It is worked out when the state has changed, not for each statement.
    pub(crate) fn client_text(&mut self) -> ClientText {
        match &self.client_text {
            Some((state, text)) if *state == self.state => *text,
            _ => {
                let text = charset::client_text(&self.state);
                self.client_text = Some((self.state.clone(), text));
                text
            }
        }
    }

    /// How long the client may be silent.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.own.idle().unwrap_or_else(|| self.proxy.catalog.load().settings.idle_timeout)
    }

    /// The catalog that the next statement works under: the transaction's, or the newest, with the session's temporary
    /// tables in it.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        match &self.beside {
            Some(catalog) => Arc::clone(catalog),
            None => self.temporary.over(self.base_catalog(), &self.proxy.overlays),
        }
    }

    /// [`Session::catalog`] without the temporary tables. A transaction keeps the places of tables, and no definitions:
    /// others may change those of tables that it has not used yet.
    pub(crate) fn base_catalog(&self) -> Arc<Catalog> {
        let newest = self.proxy.catalog.load();
        self.placed_before(&newest).map_or_else(|| Arc::clone(&newest), Arc::clone)
    }

    /// The version of [`Session::base_catalog`].
    pub(crate) fn catalog_version(&self) -> u64 {
        let newest = self.proxy.catalog.load();
        self.placed_before(&newest).map_or(newest.version, |pinned| pinned.version)
    }

    /// The transaction's catalog, where tables have other places in the newest.
    fn placed_before(&self, newest: &Catalog) -> Option<&Arc<Catalog>> {
        self.pinned.as_ref().filter(|pinned| pinned.placed != newest.placed)
    }

    /// Forgets what was lost with its connection; the client has been told.
    pub(crate) fn forget_lost(&mut self) {
        for (group, reason) in self.backend.take_lost_pins() {
            match reason {
                PinReason::TemporaryTable => self.temporary.lose(group),
                PinReason::LockTables => self.locked = None,
                PinReason::NamedLock => {
                    self.named.clear();
                    self.entry.set_lock_thread(0);
                }
                PinReason::ReadBack | PinReason::Routine | PinReason::Cursor => {}
            }
        }
    }

    /// Opens a transaction; each group joins when it is first used.
    pub(crate) fn begin(&mut self, begin_sql: &str, catalog: &Arc<Catalog>) {
        self.read_only =
            begin_sql.contains("READ ONLY") || !begin_sql.contains("READ WRITE") && self.begins_read_only();
        self.transaction.begin(begin_sql, self.transaction_mode(self.current_schema(catalog)));
        self.begun = Some(self.state.clone());
        let pinned = if catalog.is_overlay() { self.base_catalog() } else { Arc::clone(catalog) };
        self.entry.set_catalog(pinned.version);
        self.pinned = Some(pinned);
    }

    /// The current schema, as the catalog has it.
    pub(crate) fn current_schema<'a>(&self, catalog: &'a Catalog) -> Option<&'a Schema> {
        self.schema.as_deref().and_then(|name| catalog.schema(name))
    }

    /// How a transaction that begins now in this schema ends, should it use several groups.
    pub(crate) fn transaction_mode(&self, schema: Option<&Schema>) -> TransactionMode {
        self.own.transaction().or(schema.map(|schema| schema.transaction)).unwrap_or_default()
    }

    /// Notes that no transaction is open any more: its snapshot and its characteristics are over.
    pub(crate) fn transaction_ended(&mut self) {
        self.pinned = None;
        self.entry.set_catalog(0);
        self.begun = None;
        self.copies.transaction_ended();
        self.next_transaction = Characteristics::default();
    }
}
