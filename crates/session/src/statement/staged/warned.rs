//! Warnings of rows that a write reads: in strict mode one server makes errors of them, so nothing is written.

use serval_remote::Backend;
use serval_types::MysqlError;

use crate::answer::Row;
use crate::failure::Failure;
use crate::session::Staging;

/// What MySQL's strict mode makes errors of; MariaDB's does of every warning.
const STRICT: [u16; 17] =
    [1048, 1071, 1260, 1261, 1263, 1264, 1265, 1292, 1364, 1365, 1366, 1406, 1411, 1423, 1441, 3020, 3903];

/// Keeps the warnings of what was read last for the client, or gives up with the first that is an error.
///
/// # Errors
/// The warning.
pub(super) async fn heed<B: Backend>(staging: &mut Staging<'_, B>, ignore: bool) -> Result<(), Failure> {
    let (count, warned) = staging.take_warned();
    if count == 0 {
        return Ok(());
    }
    let mariadb = staging.session.proxy.flavour().is_mariadb();
    let error = warned.iter().find_map(|row| error(row, mariadb));
    if let Some(error) = error
        && !ignore
        && is_strict(staging).await?
    {
        return Err(error.into());
    }
    staging.sum.warn(count, warned);
    Ok(())
}

/// Whether the session is in a strict mode.
///
/// # Errors
/// Those of a server.
pub(super) async fn is_strict<B: Backend>(staging: &mut Staging<'_, B>) -> Result<bool, Failure> {
    let answer = staging.session.collect(b"SELECT @@sql_mode").await?;
    let mode = answer.text(0, 0).unwrap_or_default();
    Ok(["STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"].iter().any(|word| mode.contains(word)))
}

fn error(row: &Row, mariadb: bool) -> Option<MysqlError> {
    let cell = |at: usize| row.get(at)?.as_deref().map(String::from_utf8_lossy);
    let number = cell(1)?.parse().ok()?;
    let counts = cell(0)? == "Warning" && (mariadb || STRICT.contains(&number));
    counts.then(|| MysqlError {
        number,
        sqlstate: sqlstate(number),
        message: cell(2).unwrap_or_default().into_owned(),
    })
}

/// The SQLSTATE of an error that a warning has become.
fn sqlstate(number: u16) -> [u8; 5] {
    *match number {
        1048 => b"23000",
        1264 => b"22003",
        1265 => b"01000",
        1292 => b"22007",
        1365 => b"22012",
        1406 => b"22001",
        1441 => b"22008",
        _ => b"HY000",
    }
}
