//! Small queries of Serval's own.

use std::time::{Duration, Instant};

use serval_remote::{Access, Backend, Connection, Request, SessionState};
use serval_types::GroupId;
use serval_wire::packet::ColumnDefinition;
use serval_wire::response::{Part, PartDecoder};
use serval_wire::{WireError, text_row};

use crate::error::ExecuteError;

/// How long a query of Serval's own waits for a connection.
pub(crate) const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// A decoded row: the text of each cell, or NULL.
pub(crate) type Row = Vec<Option<Vec<u8>>>;

/// Asks the primary of `group` and gives all rows of the answer, decoded. For small answers: they are held whole.
///
/// # Errors
/// [`ExecuteError::Server`] and [`ExecuteError::Remote`], with physical names as they are.
pub async fn query_rows<B: Backend>(
    backend: &B,
    group: GroupId,
    database: Option<&str>,
    sql: &str,
) -> Result<Vec<Vec<Option<Vec<u8>>>>, ExecuteError> {
    query_rows_under(backend, group, database, &SessionState::default(), sql).await
}

/// [`query_rows`] on a connection in this state.
///
/// # Errors
/// Likewise.
pub async fn query_rows_under<B: Backend>(
    backend: &B,
    group: GroupId,
    database: Option<&str>,
    state: &SessionState,
    sql: &str,
) -> Result<Vec<Vec<Option<Vec<u8>>>>, ExecuteError> {
    let deadline = Instant::now() + CONNECTION_WAIT;
    let mut connection = backend.acquire(group, Access::Primary, state, deadline).await?;
    let request = Request { database, state, begin: None, sql: sql.as_bytes(), execution: None };
    ask(&mut connection, &request).await
}

/// Has the primary of `group` prepare a statement on a connection of its own, and so read it without running it.
///
/// # Errors
/// As [`query_rows`]; [`ExecuteError::Remote`] with what the server says of it.
pub async fn read_apart<B: Backend>(
    backend: &B,
    group: GroupId,
    database: &str,
    state: &SessionState,
    sql: &[u8],
) -> Result<(), ExecuteError> {
    let deadline = Instant::now() + CONNECTION_WAIT;
    let mut connection = backend.acquire(group, Access::Primary, state, deadline).await?;
    let request = Request { database: Some(database), state, begin: None, sql, execution: None };
    connection.prepare(&request).await?;
    Ok(())
}

/// Asks on a connection.
pub(crate) async fn ask<C: Connection>(
    connection: &mut C,
    request: &Request<'_>,
) -> Result<Vec<Row>, ExecuteError> {
    Ok(ask_all(connection, request).await?.1)
}

/// Asks on a connection for rows and their columns.
pub(crate) async fn ask_all<C: Connection>(
    connection: &mut C,
    request: &Request<'_>,
) -> Result<(Vec<ColumnDefinition>, Vec<Row>), ExecuteError> {
    connection.send(request).await?;
    let mut decoder = PartDecoder::new(true);
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    loop {
        let burst = connection.read_burst().await?;
        let completion = burst.completion;
        decoder.push(burst.bytes.freeze());
        take_rows(&mut decoder, &mut columns, &mut rows).map_err(malformed)?;
        if let Some(completion) = completion {
            let error = completion.error.map(|error| ExecuteError::Server(error.to_mysql()));
            return error.map_or(Ok((columns, rows)), Err);
        }
    }
}

fn take_rows(
    decoder: &mut PartDecoder,
    columns: &mut Vec<ColumnDefinition>,
    rows: &mut Vec<Row>,
) -> Result<(), WireError> {
    while let Some(part) = decoder.next()? {
        match part {
            Part::Columns(found) => *columns = found,
            Part::Row(payload) => {
                let cells = text_row::cells(&payload).map(|cell| Ok(cell?.map(<[u8]>::to_vec)));
                rows.push(cells.collect::<Result<_, WireError>>()?);
            }
            _ => {}
        }
    }
    Ok(())
}

fn malformed(source: WireError) -> ExecuteError {
    ExecuteError::Malformed { from: "a node".to_owned(), source }
}
