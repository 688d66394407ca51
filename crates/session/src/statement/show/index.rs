//! SHOW INDEX.

use serval_remote::Backend;
use serval_sql::{Filter, TableName};

use super::columns::clause;
use super::place::Place;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::Session;

/// The keys of a table, as its first shard shows them, under the table's logical name.
pub(super) async fn rows<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    table: &TableName,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let place = Place::find(session, table)?;
    let sql = format!("SHOW INDEX FROM {}{}", place.quoted(), clause(text, filter, session.options));
    let mut answer = place.ask(session, sql).await?;
    for cell in answer.rows.iter_mut().filter_map(|row| row.first_mut()) {
        *cell = Some(place.logical().as_bytes().to_vec());
    }
    Ok(answer)
}
