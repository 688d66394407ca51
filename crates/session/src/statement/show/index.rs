//! SHOW INDEX.

use serval_remote::Backend;
use serval_sql::{Filter, TableName};

use super::columns::{clause, words};
use super::filter;
use super::place::Place;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::Session;

/// The keys of a table, as its first shard shows them, under the table's logical name.
pub(super) async fn rows<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    extended: bool,
    table: &TableName,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let place = Place::find(session, table)?;
    let words = words(extended, false);
    let renamed = place.physical() != place.logical();
    // A condition may be about the table's name.
    let clause = if renamed { String::new() } else { clause(text, filter, session.options) };
    let mut answer = place.ask(session, format!("SHOW {words}INDEX FROM {}{clause}", place.quoted())).await?;
    for cell in answer.rows.iter_mut().filter_map(|row| row.first_mut()) {
        *cell = Some(place.logical().as_bytes().to_vec());
    }
    if renamed { filter::apply(session, answer, text, 0, filter).await } else { Ok(answer) }
}
