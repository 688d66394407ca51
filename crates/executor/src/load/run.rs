//! LOAD DATA LOCAL on the servers, in one transaction.

use bytes::Bytes;
use serval_planner::PlanTable;
use serval_planner::primitive::{Tally, Target};
use serval_remote::Backend;
use serval_wire::response::{Completion, CompletionKind};

use super::spool::{Place, Spool};
use super::{FileSource, Loaded};
use crate::context::Context;
use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::sink::SinkError;
use crate::spread::links::Links;
use crate::spread::tally::Count;
use crate::spread::warnings::{Places, Warnings};

/// Loads a client's file into one node as it comes.
///
/// # Errors
/// Those of the server; [`ExecuteError::Client`] where the file breaks off.
pub async fn stream<B: Backend, F: FileSource>(
    target: Target,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    source: &mut F,
) -> Result<Loaded, ExecuteError> {
    all(&[(target, 0)], Tally::Sum, tables, context, &mut Body::Client(source)).await
}

/// Loads parts of a spool, each into the target beside it, in the order of the targets.
///
/// # Errors
/// Those of the servers.
pub async fn spooled<B: Backend>(
    targets: &[(Target, usize)],
    tally: Tally,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    spool: &mut Spool,
) -> Result<Loaded, ExecuteError> {
    all(targets, tally, tables, context, &mut Body::<Nobody>::Spool(spool)).await
}

/// What a server is sent.
enum Body<'a, F> {
    Client(&'a mut F),
    Spool(&'a mut Spool),
}

/// No client: all is in the spool.
struct Nobody;

impl FileSource for Nobody {
    async fn open(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, SinkError> {
        Ok(None)
    }
}

async fn all<B: Backend, F: FileSource>(
    targets: &[(Target, usize)],
    tally: Tally,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    body: &mut Body<'_, F>,
) -> Result<Loaded, ExecuteError> {
    if context.transaction.is_open() {
        let mut links = Links::with_savepoints();
        let result = write(targets, tally, tables, context, &mut links, body).await;
        let undone = links.end_statement(context, result.is_ok()).await;
        let closed = links.close(context.transaction).await;
        let loaded = result?;
        undone?;
        closed?;
        return Ok(loaded);
    }
    // Also for one server: were its connection lost, it could take what it has for the whole file.
    let mut own = context.transaction.sibling();
    own.begin("START TRANSACTION", context.mode);
    let mut links = Links::new();
    let mut inner = Context { transaction: &mut own, ..*context };
    let result = write(targets, tally, tables, &mut inner, &mut links, body).await;
    let closed = links.close(&mut own).await;
    match result {
        Ok(loaded) => {
            closed?;
            own.commit().await?;
            Ok(loaded)
        }
        Err(error) => {
            own.rollback().await;
            Err(error)
        }
    }
}

async fn write<B: Backend, F: FileSource>(
    targets: &[(Target, usize)],
    tally: Tally,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    links: &mut Links<B>,
    body: &mut Body<'_, F>,
) -> Result<Loaded, ExecuteError> {
    let (mut count, mut warnings) = (Count::new(tally), Warnings::default());
    for (at, (target, part)) in targets.iter().enumerate() {
        // Copies all say the same.
        let heard = tally == Tally::First && at > 0;
        let node = context.catalog.node(target.node);
        let names = Names::of(context.catalog, tables, target);
        let query = context.query(target);
        let link = links.link(node.group, context).await.map_err(|error| names.map_remote(error))?;
        let completion = load(link, &query, body, *part, &names).await?;
        count.add(target, &completion);
        if completion.warnings > 0 && !heard {
            warnings.ask(link, context.state, &names, Places::NONE).await?;
        }
    }
    Ok(Loaded { ok: count.ok(), warnings: warnings.into_rows() })
}

async fn load<B: Backend, F: FileSource>(
    link: &mut Link<B>,
    query: &Query<'_>,
    body: &mut Body<'_, F>,
    part: usize,
    names: &Names<'_>,
) -> Result<Completion, ExecuteError> {
    link.send(query).await.map_err(|error| names.map_remote(error))?;
    let mut completion = read(link, names).await?;
    if completion.kind == CompletionKind::LocalInfile {
        feed(link, body, part, names).await?;
        link.send_file(b"").await.map_err(|error| names.map_remote(error))?;
        completion = read(link, names).await?;
    }
    match &completion.error {
        Some(error) => Err(ExecuteError::Server(names.map_error(error.to_mysql()))),
        None if completion.kind == CompletionKind::Ok => Ok(completion),
        None => Err(ExecuteError::malformed("a node", "answer to LOAD DATA")),
    }
}

async fn feed<B: Backend, F: FileSource>(
    link: &mut Link<B>,
    body: &mut Body<'_, F>,
    part: usize,
    names: &Names<'_>,
) -> Result<(), ExecuteError> {
    match body {
        Body::Client(source) => {
            source.open().await?;
            while let Some(bytes) = source.next().await? {
                if !bytes.is_empty() {
                    link.send_file(&bytes).await.map_err(|error| names.map_remote(error))?;
                }
            }
        }
        Body::Spool(spool) => {
            let mut place = Place::default();
            loop {
                match spool.read(part, &mut place).await? {
                    [] => break,
                    bytes => link.send_file(bytes).await.map_err(|error| names.map_remote(error))?,
                }
            }
        }
    }
    Ok(())
}

async fn read<B: Backend>(link: &mut Link<B>, names: &Names<'_>) -> Result<Completion, ExecuteError> {
    loop {
        let burst = link.read_burst().await.map_err(|error| names.map_remote(error))?;
        if let Some(completion) = burst.completion {
            return Ok(completion);
        }
    }
}
