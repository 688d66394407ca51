//! One statement of Serval's own, and its answer.

use serval_remote::{Connection, RemoteError, Request, SessionState};
use serval_types::MysqlError;
use serval_wire::response::{Part, PartDecoder};
use serval_wire::{WireError, text_row};

/// A decoded row: the text of each cell, or NULL.
pub(crate) type Row = Vec<Option<String>>;

/// Runs a statement and reads its answer to the end. The outer error is the connection's, the inner the server's.
pub(crate) async fn exchange<C: Connection>(
    connection: &mut C,
    request: &Request<'_>,
) -> Result<Result<(), MysqlError>, RemoteError> {
    connection.send(request).await?;
    loop {
        if let Some(completion) = connection.read_burst().await?.completion {
            return Ok(completion.error.map_or(Ok(()), |error| Err(error.to_mysql())));
        }
    }
}

/// As [`exchange`], for a small answer whose rows count.
pub(crate) async fn ask<C: Connection>(
    connection: &mut C,
    state: &SessionState,
    sql: &str,
) -> Result<Result<Vec<Row>, MysqlError>, RemoteError> {
    let request = Request { database: None, state, begin: None, sql: sql.as_bytes(), execution: None };
    connection.send(&request).await?;
    let (mut decoder, mut rows) = (PartDecoder::new(true), Vec::new());
    loop {
        let burst = connection.read_burst().await?;
        decoder.push(burst.bytes.freeze());
        take_rows(&mut decoder, &mut rows).map_err(|source| malformed(connection, source))?;
        if let Some(completion) = burst.completion {
            return Ok(completion.error.map_or(Ok(rows), |error| Err(error.to_mysql())));
        }
    }
}

fn take_rows(decoder: &mut PartDecoder, rows: &mut Vec<Row>) -> Result<(), WireError> {
    while let Some(part) = decoder.next()? {
        if let Part::Row(payload) = part {
            let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
            let cells = text_row::cells(&payload).map(|cell| Ok(cell?.map(text)));
            rows.push(cells.collect::<Result<_, WireError>>()?);
        }
    }
    Ok(())
}

fn malformed<C: Connection>(connection: &C, source: WireError) -> RemoteError {
    RemoteError::Wire { group: connection.server_name().to_owned(), source }
}
