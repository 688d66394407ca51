//! A command under watch: it ends early if its time is up, its client is gone, or somebody kills it.
//!
//! Ending early is dropping its future. Connections that it held are closed, and what runs on their servers is
//! killed, by their own drop.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::Capabilities;
use serval_wire::command::attributes::split_query;
use serval_wire::command::code;
use serval_wire::frame::Packet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::{Next, command};
use crate::failure::{Failure, interrupted};
use crate::registry::{Entry, Pace};
use crate::running::Running;
use crate::session::Session;
use crate::statement;
use crate::stream::{Door, Piece, ReadError, Reader, Writer};

/// How long a client may take for the next bytes of its file, as a server's net_read_timeout.
const FILE_TIME: Duration = Duration::from_secs(30);
/// How long it may send a file that nobody wants any more.
const UNWANTED_TIME: Duration = Duration::from_secs(600);
/// How long a server may take to end a statement that it was asked to interrupt.
const INTERRUPT_TIME: Duration = Duration::from_secs(5);

/// Answers one command; its answer has been sent when this returns.
pub(super) async fn run<B, R, W>(
    session: &mut Session<B>,
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    packet: Packet,
) -> Result<Next, Failure>
where
    B: Backend,
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let (entry, door) = (session.entry.clone(), Arc::clone(&session.door));
    let limit = limit(session, &packet.payload, writer.capabilities());
    let may_end = may_end(session, &packet.payload, writer.capabilities());
    let committing = session.transaction.committing();
    let running = Arc::clone(session.backend.running());
    running.begin(session.transaction.is_open());
    // Of a statement that was given up.
    session.beside = None;
    let result = {
        // Pinned where it is made: it is too large to be moved.
        let mut work = pin!(async {
            let next = command::answer(session, writer, packet.payload).await?;
            writer.flush().await?;
            Ok(next)
        });
        tokio::select! {
            biased;
            result = &mut work => result,
            failure = async {
                tokio::select! {
                    biased;
                    () = watch(reader, &door) => Failure::Gone,
                    failure = entry.told_to_stop() => failure,
                    () = elapsed(limit, may_end, &entry) => timed_out().into(),
                }
            } => match failure {
                // Given up between two groups, a commit would leave them to recovery, and nobody could say how it ended.
                Failure::Told(_) if committing.load(Ordering::Relaxed) => work.await,
                failure if committing.load(Ordering::Relaxed) => work.await.and(Err(failure)),
                Failure::Told(error) if running.is_any() => interrupt(&running, work, error).await,
                failure => Err(failure),
            },
        }
    };
    let end = end_of_file(reader, &door, &result).await?;
    end.into_iter().for_each(|sequence| writer.follow(sequence));
    result
}

/// Has the servers interrupt what runs, and waits for what they answer.
async fn interrupt(
    running: &Running,
    work: Pin<&mut impl Future<Output = Result<Next, Failure>>>,
    error: MysqlError,
) -> Result<Next, Failure> {
    let ended = async { tokio::join!(work, running.interrupt()).0 };
    match tokio::time::timeout(INTERRUPT_TIME, ended).await {
        // It was not the statement's fault, and clients look at the number.
        Ok(Err(Failure::Told(told))) if told.number == interrupted().number => Err(error.into()),
        Ok(result) => result,
        Err(_) => Err(error.into()),
    }
}

/// Where the statement has failed before the end of its client's file: skips what is left, and gives the sequence id of
/// its last packet, which the error follows.
async fn end_of_file<R: AsyncRead + Unpin>(
    reader: &mut Reader<R>,
    door: &Door,
    result: &Result<Next, Failure>,
) -> Result<Option<u8>, Failure> {
    if let Some(ask) = door.untaken() {
        reader.begin_file(ask.sequence);
    }
    let end = door.take_end();
    if !matches!(result, Err(Failure::Told(_))) {
        return Ok(None);
    }
    if end.is_some() || !reader.is_in_file() {
        return Ok(end);
    }
    let skipped = tokio::time::timeout(UNWANTED_TIME, skip_file(reader)).await;
    skipped.ok().flatten().map(Some).ok_or(Failure::Gone)
}

/// Resolves when the client has gone away. Where a statement asks for the client's file, passes it on.
async fn watch<R: AsyncRead + Unpin>(reader: &mut Reader<R>, door: &Door) {
    loop {
        let ask = tokio::select! {
            () = reader.gone() => return,
            ask = door.asked() => ask,
        };
        reader.begin_file(ask.sequence);
        loop {
            let piece = match tokio::time::timeout(FILE_TIME, reader.file_piece()).await {
                Ok(Ok(piece)) => piece,
                Ok(Err(ReadError::Closed)) => return,
                Ok(Err(error)) => Piece::Failed(error),
                Err(_) => Piece::Failed(ReadError::Idle),
            };
            let is_last = !matches!(piece, Piece::Bytes(_));
            if let Piece::End { sequence } = &piece {
                door.note_end(*sequence);
            }
            // A statement that takes no more has failed; what is left of the file is skipped when it has said so.
            if ask.pieces.send(piece).await.is_err() || is_last {
                break;
            }
        }
    }
}

/// Throws away what is left of a file that nobody wants any more, so that the error behind it is read as one: clients
/// look at nothing before they have sent all. The sequence id of its last packet; `None` if there is no end.
async fn skip_file<R: AsyncRead + Unpin>(reader: &mut Reader<R>) -> Option<u8> {
    loop {
        match tokio::time::timeout(FILE_TIME, reader.file_piece()).await {
            Ok(Ok(Piece::Bytes(_))) => {}
            Ok(Ok(Piece::End { sequence })) => return Some(sequence),
            _ => return None,
        }
    }
}

/// How long the command may take.
fn limit<B: Backend>(session: &Session<B>, payload: &Bytes, capabilities: Capabilities) -> Option<Duration> {
    let limit = session.proxy.catalog.load().settings.query_timeout;
    let hinted = |sql: &[u8]| statement::hinted_limit(limit, sql, session.options);
    match payload.split_first() {
        Some((&code::COM_QUERY, _)) if capabilities.contains(Capabilities::CLIENT_QUERY_ATTRIBUTES) => {
            split_query(&payload.slice(1..)).map_or(limit, |(_, sql)| hinted(&sql))
        }
        Some((&code::COM_QUERY, body)) => hinted(body),
        Some((&code::COM_STMT_EXECUTE, body)) => {
            let id = body.first_chunk().map(|id| u32::from_le_bytes(*id));
            let statement = id.and_then(|id| session.prepared.find(id));
            statement.map_or(limit, |statement| hinted(&statement.sql))
        }
        _ => limit,
    }
}

/// Whether the command may be given up when its time is over.
fn may_end<B: Backend>(session: &Session<B>, payload: &Bytes, capabilities: Capabilities) -> bool {
    let Some((command, body)) = payload.split_first() else { return false };
    match *command {
        code::COM_QUERY if capabilities.contains(Capabilities::CLIENT_QUERY_ATTRIBUTES) => {
            split_query(&payload.slice(1..)).is_ok_and(|(_, sql)| statement::may_end(&sql))
        }
        code::COM_QUERY => statement::may_end(body),
        code::COM_STMT_PREPARE => true,
        code::COM_STMT_EXECUTE => {
            let id = body.first_chunk().map(|id| u32::from_le_bytes(*id));
            let statement = id.and_then(|id| session.prepared.find(id));
            statement.is_some_and(|statement| statement::may_end(&statement.sql))
        }
        _ => false,
    }
}

/// Resolves when a statement has taken longer than it may.
async fn elapsed(limit: Option<Duration>, may_end: bool, entry: &Entry) {
    let Some(limit) = limit else { return std::future::pending().await };
    let (mut pace, mut seen) = (Pace { number: 0, since: Instant::now(), may_end }, None);
    loop {
        let end = pace.since + limit;
        // One that may not be given up is looked at again later, since another may have taken its place.
        tokio::time::sleep_until(if pace.may_end { end } else { Instant::now() + limit }).await;
        match entry.pace() {
            Some(next) if seen != Some(next.number) => (pace, seen) = (next, Some(next.number)),
            _ if pace.may_end => return,
            _ => {}
        }
    }
}

fn timed_out() -> MysqlError {
    MysqlError::new(
        ErrorCode::QueryTimeout,
        "Query execution was interrupted, maximum statement execution time exceeded",
    )
}
