//! One target and nothing to merge: the answer passes through.

use bytes::BytesMut;
use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::{Backend, Burst};
use serval_wire::response::{Completion, CompletionKind, Part, PartDecoder};

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::frames;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::rewrite::Rewriter;
use crate::sink::{End, ResultSink};

/// Runs one target's statement and passes its answer on.
pub(crate) async fn run<B: Backend, S: ResultSink>(
    target: &Target,
    replica_safe: bool,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let node = context.catalog.node(target.node);
    let names = Names::of(context.catalog, tables, target);
    let access = context.access(replica_safe);
    let link = Link::open(context, node.group, access).await.map_err(|error| names.map_remote(error))?;
    let mut link = link.reading(replica_safe, tables);
    let relay = Relay { query: context.query(target), node: &node.name, names: &names };
    let result = relay.pass(&mut link, sink).await;
    let closed = link.close(context.transaction).await;
    let completed = result?;
    closed?;
    Ok(completed)
}

/// Runs a statement on a connection that is already there, and passes its answer on.
pub(crate) async fn answer<B: Backend, S: ResultSink>(
    query: Query<'_>,
    node: &str,
    names: &Names<'_>,
    link: &mut Link<B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    Relay { query, node, names }.pass(link, sink).await
}

struct Relay<'a> {
    query: Query<'a>,
    node: &'a str,
    names: &'a Names<'a>,
}

impl Relay<'_> {
    async fn pass<B: Backend, S: ResultSink>(
        &self,
        link: &mut Link<B>,
        sink: &mut S,
    ) -> Result<Completed, ExecuteError> {
        let sent = link.send(&self.query).await;
        sent.map_err(|error| self.names.map_remote(error))?;
        if sink.relays() { self.pass_bursts(link, sink).await } else { self.pass_parts(link, sink).await }
    }

    fn malformed(&self, source: serval_wire::WireError) -> ExecuteError {
        ExecuteError::Malformed { from: format!("node {}", self.node), source }
    }

    /// Packets as they are, except the column definitions and the error that may end them.
    async fn pass_bursts<B: Backend, S: ResultSink>(
        &self,
        link: &mut Link<B>,
        sink: &mut S,
    ) -> Result<Completed, ExecuteError> {
        let mut rewriter = Rewriter::new(self.names);
        loop {
            let mut burst = link.read_burst().await.map_err(|error| self.names.map_remote(error))?;
            let failure = burst.completion.as_ref().and_then(|completion| self.failure(completion));
            if let Some(error) = failure {
                burst.completion = None;
                burst.bytes.truncate(frames::last_frame(&burst.bytes));
                if !burst.bytes.is_empty() {
                    let before = rewriter.apply(burst).map_err(|source| self.malformed(source))?;
                    sink.relay(before).await?;
                }
                return Err(error);
            }
            let completed = burst.completion.as_ref().map(completed);
            let burst = rewriter.apply(burst).map_err(|source| self.malformed(source))?;
            sink.relay(burst).await?;
            if let Some(completed) = completed {
                return Ok(completed);
            }
        }
    }

    /// Taken apart, for a client of another dialect.
    async fn pass_parts<B: Backend, S: ResultSink>(
        &self,
        link: &mut Link<B>,
        sink: &mut S,
    ) -> Result<Completed, ExecuteError> {
        let mut decoder = PartDecoder::new(true);
        loop {
            let burst = link.read_burst().await.map_err(|error| self.names.map_remote(error))?;
            let Burst { bytes, completion } = burst;
            self.pass_decoded(&mut decoder, bytes, sink).await?;
            if let Some(completion) = completion {
                return self.failure(&completion).map_or_else(|| Ok(self::completed(&completion)), Err);
            }
        }
    }

    async fn pass_decoded<S: ResultSink>(
        &self,
        decoder: &mut PartDecoder,
        bytes: BytesMut,
        sink: &mut S,
    ) -> Result<(), ExecuteError> {
        decoder.push(bytes.freeze());
        while let Some(part) = decoder.next().map_err(|source| self.malformed(source))? {
            match part {
                Part::Columns(mut columns) => {
                    columns.iter_mut().for_each(|column| self.names.map_column(column));
                    sink.columns(&columns).await?;
                }
                Part::Row(payload) => sink.row(&payload).await?,
                Part::End(end) => sink.end(End::of(&end)).await?,
                Part::Ok(ok) => sink.ok(&ok).await?,
                // The completion says the same.
                Part::Err(_) | Part::LocalInfile(_) => {}
            }
        }
        Ok(())
    }

    fn failure(&self, completion: &Completion) -> Option<ExecuteError> {
        match (&completion.error, completion.kind) {
            (Some(error), _) => Some(ExecuteError::Server(self.names.map_error(error.to_mysql()))),
            (None, CompletionKind::LocalInfile) => Some(ExecuteError::local_infile()),
            (None, _) => None,
        }
    }
}

fn completed(completion: &Completion) -> Completed {
    Completed {
        affected_rows: completion.affected_rows,
        last_insert_id: completion.last_insert_id,
        warnings: completion.warnings,
        rows: completion.rows,
        found_rows: None,
        behind: None,
    }
}
