//! SHOW WARNINGS, SHOW ERRORS and their counts.

use serval_remote::Backend;
use serval_sql::Show;

use crate::answer::{Answer, integer_column, text_column};
use crate::failure::{Failure, refused};
use crate::session::Session;

/// What is asked for of the last statement's warnings.
pub(super) fn rows<B: Backend>(session: &Session<B>, show: &Show) -> Result<Answer, Failure> {
    match show {
        Show::Errors { window } => Ok(cut(errors(session)?, *window)),
        Show::WarningCount => Ok(count("@@session.warning_count", session.last.warnings.into())),
        Show::ErrorCount => Ok(count("@@session.error_count", errors(session)?.rows.len())),
        Show::Warnings { window } => Ok(cut(warnings(session)?, *window)),
        _ => warnings(session),
    }
}

/// The rows that LIMIT leaves.
fn cut(mut answer: Answer, window: Option<(u64, u64)>) -> Answer {
    if let Some((skip, count)) = window {
        let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        answer.rows = answer.rows.into_iter().skip(at(skip)).take(at(count)).collect();
    }
    answer
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
