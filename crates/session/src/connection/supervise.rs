//! A command under watch: it ends early if its time is up, its client is gone, or somebody kills it.
//!
//! Ending early is dropping its future. Connections that it held are closed, and what runs on their servers is
//! killed, by their own drop.

use std::time::Duration;

use bytes::Bytes;
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::command::code;
use serval_wire::frame::Packet;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Next, command};
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::{Reader, Writer};

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
    let entry = session.entry.clone();
    let limit = time_limit(session, &packet.payload);
    let work = async {
        let next = command::answer(session, writer, packet.payload).await?;
        writer.flush().await?;
        Ok(next)
    };
    tokio::select! {
        biased;
        result = work => result,
        () = reader.gone() => Err(Failure::Gone),
        failure = entry.told_to_stop() => Err(failure),
        () = elapsed(limit) => Err(timed_out().into()),
    }
}

/// How long the command may take. A COMMIT that is given up half-way would leave its outcome unknown, so it is not.
fn time_limit<B: Backend>(session: &Session<B>, payload: &Bytes) -> Option<Duration> {
    let (command, body) = payload.split_first()?;
    let sql = match *command {
        code::COM_QUERY | code::COM_STMT_PREPARE => body,
        code::COM_STMT_EXECUTE => {
            let id = u32::from_le_bytes(*body.first_chunk()?);
            &session.prepared.find(id)?.sql
        }
        _ => return None,
    };
    let sql = sql.trim_ascii_start();
    let is = |word: &[u8]| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if *command != code::COM_STMT_PREPARE && (is(b"COMMIT") || is(b"ROLLBACK")) {
        return None;
    }
    session.proxy.catalog.load().settings.query_timeout
}

async fn elapsed(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn timed_out() -> MysqlError {
    MysqlError::new(
        ErrorCode::QueryTimeout,
        "Query execution was interrupted, maximum statement execution time exceeded",
    )
}
