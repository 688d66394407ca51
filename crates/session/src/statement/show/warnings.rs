//! SHOW WARNINGS, SHOW ERRORS and their counts.

use serval_remote::Backend;
use serval_sql::Show;

use crate::answer::{Answer, integer_column, text_column};
use crate::failure::{Failure, refused};
use crate::session::Session;

/// What is asked for of the last statement's warnings.
pub(super) fn rows<B: Backend>(session: &Session<B>, show: &Show) -> Result<Answer, Failure> {
    match show {
        Show::Errors => errors(session),
        Show::WarningCount => Ok(count("@@session.warning_count", session.last.warnings.into())),
        Show::ErrorCount => Ok(count("@@session.error_count", errors(session)?.rows.len())),
        _ => warnings(session),
    }
}

/// The warnings of the last statement.
fn warnings<B: Backend>(session: &Session<B>) -> Result<Answer, Failure> {
    let columns = vec![text_column("Level"), integer_column("Code"), text_column("Message")];
    match &session.last.messages {
        Some(messages) => Ok(Answer { columns, rows: messages.rows.clone() }),
        None if session.last.warnings == 0 => Ok(Answer::new(columns)),
        None => Err(refused(
            "The warnings of the last statement could not be fetched from the servers that ran it; run the \
             statement in a transaction and ask again",
        )),
    }
}

/// The errors among them.
fn errors<B: Backend>(session: &Session<B>) -> Result<Answer, Failure> {
    let mut answer = warnings(session)?;
    answer.rows.retain(|row| row.first().and_then(Option::as_deref) == Some(b"Error"));
    Ok(answer)
}

fn count(name: &str, count: usize) -> Answer {
    let mut answer = Answer::new(vec![integer_column(name)]);
    answer.push([count.to_string()]);
    answer
}
