//! Fetching the warnings of the last statement while they can still be had.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serval_catalog::{Catalog, DataNode};
use serval_executor::Names;
use serval_planner::primitive::{Primitive, Target};
use serval_planner::{Bound, PlanTable};
use serval_remote::{Backend, Connection, RemoteError, Request, SessionState};
use serval_transaction::Ending;
use serval_types::{GroupId, MysqlError, NodeId};
use serval_wire::packet::text_row;
use serval_wire::response::{Part, PartDecoder};

use super::{Session, on_node};
use crate::answer::Answer;

/// How long the client's next statement may wait for the warnings of the last one.
const FETCH_TIME: Duration = Duration::from_secs(1);

/// How many warnings are kept, as a server's max_error_count has it.
const MOST_WARNINGS: usize = 64;

/// What has to be known of a statement to fetch its warnings.
#[derive(Debug)]
pub(crate) struct Warned {
    catalog: Arc<Catalog>,
    tables: Arc<[PlanTable]>,
    /// Without their SQL.
    targets: Vec<Target>,
    state: SessionState,
}

impl<B: Backend> Session<B> {
    /// Notes that the statement left warnings, to be fetched when its answer is out.
    pub(crate) fn note_warnings(&mut self, bound: &Bound, catalog: &Arc<Catalog>, state: SessionState) {
        let targets = targets(&bound.root).iter();
        let targets = targets.map(|target| Target::new(target.node, target.shard, Vec::new()));
        self.warned = Some(Box::new(Warned {
            catalog: Arc::clone(catalog),
            tables: Arc::clone(&bound.tables),
            targets: targets.collect(),
            state,
        }));
    }

    /// [`Session::note_warnings`] of a statement of Serval's own on one node.
    pub(crate) fn note_warnings_of(&mut self, node: NodeId, catalog: &Arc<Catalog>) {
        let state = self.effective_state();
        self.note_warnings(&on_node(Target::new(node, None, Vec::new())), catalog, state);
    }

    /// Fetches the last statement's warnings, if it left some. Where that fails, SHOW WARNINGS will say so.
    pub(crate) async fn fetch_warnings(&mut self) {
        let Some(warned) = self.warned.take() else {
            self.backend.forget_warned();
            return;
        };
        let fetched = tokio::time::timeout(FETCH_TIME, Box::pin(self.fetch(&warned))).await;
        // Connections that were not asked go back to their pools.
        drop(self.backend.take_warned());
        match fetched {
            Ok(Ok(answer)) => self.last.messages = Some(answer),
            Ok(Err(error)) => tracing::debug!(%error, "warnings not fetched"),
            Err(_) => tracing::debug!("warnings not fetched in time"),
        }
    }

    async fn fetch(&mut self, warned: &Warned) -> Result<Answer, RemoteError> {
        let mut answer = Answer::of_text(&["Level", "Code", "Message"]);
        for mut connection in self.backend.take_warned() {
            show_warnings(&mut connection, &warned.state, &mut answer).await?;
            connection.forget_warnings();
        }
        if self.transaction.is_open() {
            for group in groups(warned) {
                self.fetch_from_transaction(group, warned, &mut answer).await?;
            }
        }
        for row in &mut answer.rows {
            rename(row, warned);
        }
        Ok(answer)
    }

    async fn fetch_from_transaction(
        &mut self,
        group: GroupId,
        warned: &Warned,
        answer: &mut Answer,
    ) -> Result<(), RemoteError> {
        if !self.transaction.groups().contains(&group) {
            return Ok(());
        }
        let name = &warned.catalog.group(group).name;
        let deadline = Instant::now() + FETCH_TIME;
        let mut lent = self.transaction.lend(&self.backend, group, name, &warned.state, deadline).await?;
        let result = show_warnings(&mut lent.connection, &warned.state, answer).await;
        let ending = if result.is_ok() { Ending::Success } else { Ending::Lost };
        // A SELECT-like statement commits nothing, so there is nothing that could fail to follow.
        let _ = self.transaction.settle(lent, ending).await;
        result
    }
}

async fn show_warnings<C: Connection>(
    connection: &mut C,
    state: &SessionState,
    answer: &mut Answer,
) -> Result<(), RemoteError> {
    let request = Request { database: None, state, begin: None, sql: b"SHOW WARNINGS", execution: None };
    connection.send(&request).await?;
    let mut decoder = PartDecoder::new(true);
    loop {
        let burst = connection.read_burst().await?;
        let complete = burst.completion.is_some();
        decoder.push(burst.bytes.freeze());
        while let Ok(Some(part)) = decoder.next() {
            if let (Part::Row(payload), true) = (part, answer.rows.len() < MOST_WARNINGS) {
                let cells = text_row::cells(&payload).map_while(Result::ok);
                answer.rows.push(cells.map(|cell| cell.map(<[u8]>::to_vec)).collect());
            }
        }
        if complete {
            return Ok(());
        }
    }
}

impl<B: Backend> Session<B> {
    /// An error with logical names, whoever raised it: those of statements that the client sent are mapped where they
    /// come from, and this is for those that Serval sent by itself.
    pub(crate) fn logical(&self, error: MysqlError) -> MysqlError {
        let catalog = self.catalog();
        let named = |node: &&DataNode| {
            error.message.contains(&*node.database) && catalog.schema(&node.database).is_none()
        };
        let nodes: Vec<NodeId> = catalog.nodes.iter().filter(named).map(|node| node.id).collect();
        nodes.into_iter().fold(error, |error, node| {
            Names::of(&catalog, &[], &Target::new(node, None, Vec::new())).map_error(error)
        })
    }
}

/// Puts logical names into a warning's text.
fn rename(row: &mut [Option<Vec<u8>>], warned: &Warned) {
    let [_, Some(code), Some(message)] = row else { return };
    let number = String::from_utf8_lossy(code).parse().unwrap_or(0);
    let mut error =
        MysqlError { number, sqlstate: *b"HY000", message: String::from_utf8_lossy(message).into_owned() };
    for target in &warned.targets {
        error = Names::of(&warned.catalog, &warned.tables, target).map_error(error);
    }
    *message = error.message.into_bytes();
}

fn groups(warned: &Warned) -> Vec<GroupId> {
    let mut groups: Vec<_> =
        warned.targets.iter().map(|target| warned.catalog.node(target.node).group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The targets of a plan.
pub(crate) fn targets(root: &Primitive) -> &[Target] {
    match root.bottom() {
        Primitive::Spread(spread) => &spread.targets,
        Primitive::Returning(returning) => &returning.spread.targets,
        Primitive::Gather(gather) => std::slice::from_ref(&gather.statement),
        reads => reads.route().map_or(&[], |route| &route.targets),
    }
}
