//! A file on its way: from the client, through the spool where there are several nodes, to the servers.

use std::sync::Arc;
use std::time::Instant;

use serval_catalog::{Catalog, TransactionMode};
use serval_executor::load::{self, FileSource, Loaded, Split, Splitting, Spool};
use serval_executor::{Context, ExecuteError};
use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::{Backend, SessionState};
use serval_sql::LoadData;
use serval_types::GroupId;
use tokio::io::AsyncWrite;

use super::file::ClientFile;
use super::placing::Placing;
use crate::failure::Failure;
use crate::session::{Session, fixed_timestamp};
use crate::stream::Writer;
use crate::watched::Watched;

/// What there is to do.
pub(super) struct Job<'a> {
    pub(super) catalog: Arc<Catalog>,
    pub(super) table: PlanTable,
    pub(super) placing: Placing,
    pub(super) load: &'a LoadData,
}

/// What was done.
pub(super) struct Done {
    pub(super) loaded: Loaded,
    /// The first number that the table's sequence gave.
    pub(super) insert_id: Option<u64>,
    pub(super) nodes: usize,
    /// The group that the last row went to.
    pub(super) last_group: Option<GroupId>,
}

impl Job<'_> {
    /// Does it.
    pub(super) async fn run<B, W>(
        mut self,
        session: &mut Session<B>,
        writer: &mut Writer<W>,
    ) -> Result<Done, Failure>
    where
        B: Backend,
        W: AsyncWrite + Unpin + Send,
    {
        let mode = session.transaction_mode(session.current_schema(&self.catalog));
        if self.placing.is_direct() {
            return self.stream(session, writer, mode).await;
        }
        let state = session.effective_state();
        let state = match fixed_timestamp(session, &self.catalog).await? {
            Some(timestamp) => state.with("timestamp", &timestamp),
            None => state,
        };
        let charset = match &self.load.charset {
            Some(charset) => charset.clone(),
            None => {
                let node = self.placing.targets[0].0.node;
                let answer = session.ask_readably(node, "SELECT @@character_set_database").await?;
                answer.text(0, 0).unwrap_or_default()
            }
        };
        let text = self.placing.text(&charset)?;
        let mut spool = Spool::new(self.placing.parts(), self.catalog.settings.load_spool as u64);
        self.split(session, writer, text, &mut spool).await?;
        self.placing.targets.retain(|(_, part)| spool.has_rows(*part));
        if self.placing.targets.is_empty() {
            // The server has to say what it thinks of the statement all the same.
            self.placing.targets.extend(self.placing.first.take());
        }
        if let Some(last) = spool.last_part() {
            self.placing.put_last(last, &self.catalog);
        }
        let targets = &self.placing.targets;
        let group = |target: &Target| self.catalog.node(target.node).group;
        let last = targets.iter().find(|(_, part)| spool.last_part().is_none_or(|last| last == *part));
        let (last_group, nodes) = (last.map(|(target, _)| group(target)), targets.len());
        let insert_id = spool.first_number();
        let (tally, tables) = (self.placing.tally(), [self.table.clone()]);
        let mut context = context(session, &self.catalog, &state, mode);
        let loaded = load::spooled(targets, tally, &tables, &mut context, &mut spool).await;
        let loaded = loaded.map_err(|error| Failure::Told(error.to_mysql()))?;
        Ok(Done { loaded, insert_id, nodes, last_group })
    }

    /// To one node, as it comes.
    async fn stream<B, W>(
        &mut self,
        session: &mut Session<B>,
        writer: &mut Writer<W>,
        mode: TransactionMode,
    ) -> Result<Done, Failure>
    where
        B: Backend,
        W: AsyncWrite + Unpin + Send,
    {
        let (target, _) = self.placing.targets.swap_remove(0);
        let last_group = Some(self.catalog.node(target.node).group);
        let door = Arc::clone(&session.door);
        let mut file = ClientFile::new(writer, &door, &self.load.file);
        let (state, tables) = (session.effective_state(), [self.table.clone()]);
        let mut context = context(session, &self.catalog, &state, mode);
        match load::stream(target, &tables, &mut context, &mut file).await {
            Ok(loaded) => Ok(Done { loaded, insert_id: None, nodes: 1, last_group }),
            Err(error) => Err(file.failure(&error)),
        }
    }

    async fn split<B, W>(
        &self,
        session: &mut Session<B>,
        writer: &mut Writer<W>,
        text: load::FileText,
        spool: &mut Spool,
    ) -> Result<(), Failure>
    where
        B: Backend,
        W: AsyncWrite + Unpin + Send,
    {
        let placing = &self.placing;
        let sharding = self.table.table.sharding().into_iter();
        let zone = session.zone(&self.catalog, sharding.map(|sharding| &**sharding)).await?;
        let split = Split {
            schema: &self.table.schema,
            table: &self.table.table,
            format: &placing.format,
            text,
            columns: placing.columns,
            ignored_lines: self.load.ignored_lines.map_or(0, |(lines, _)| lines),
            keys: &placing.keys,
            numbering: placing.numbering,
            zero_is_value: session.options.no_auto_value_on_zero,
            row_limit: self.catalog.settings.memory_per_query,
            zone: zone.as_ref(),
        };
        let with = Splitting {
            backend: &*session.proxy.backend,
            catalog: &self.catalog,
            sequences: &session.proxy.sequences,
        };
        let mut file = ClientFile::new(writer, &session.door, &self.load.file);
        match cut(&split, &with, &mut file, spool).await {
            Ok(()) => Ok(()),
            Err(error) => Err(file.failure(&error)),
        }
    }
}

async fn cut<B: Backend, W: AsyncWrite + Unpin + Send>(
    split: &Split<'_>,
    with: &Splitting<'_, B>,
    file: &mut ClientFile<'_, W>,
    spool: &mut Spool,
) -> Result<(), ExecuteError> {
    file.open().await?;
    load::split(split, with, file, spool).await
}

fn context<'a, B: Backend>(
    session: &'a mut Session<B>,
    catalog: &'a Catalog,
    state: &'a SessionState,
    mode: TransactionMode,
) -> Context<'a, Watched<B>> {
    Context {
        backend: &session.backend,
        catalog,
        deadline: Instant::now() + catalog.settings.acquire_timeout,
        memory_limit: catalog.settings.memory_per_query,
        replicas: false,
        transaction: &mut session.transaction,
        mode,
        state,
        parameters: None,
        watch: None,
        share: 1,
    }
}
