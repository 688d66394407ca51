//! `show @@help`.

use serval_session::Answer;

/// All statements.
pub(super) fn rows(statements: &[(&str, &str)]) -> Answer {
    let mut answer = Answer::of_text(&["STATEMENT", "DESCRIPTION"]);
    for (statement, description) in statements {
        answer.push([*statement, *description]);
    }
    answer
}
