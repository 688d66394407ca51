//! One statement whose answer carries nothing but success or an error.

use serval_remote::{Connection, RemoteError, Request};
use serval_types::MysqlError;

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
