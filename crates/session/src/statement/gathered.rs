//! What a gathered statement leaves behind: variables, FOUND_ROWS() and warnings of the scratch server's session, which
//! nobody else will ever ask.

use serval_executor::Behind;
use serval_planner::primitive::Primitive;
use serval_remote::Backend;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::session::{Effects, Query, Ready, Session, Wanted, question, skips_rows};

/// Has the scratch server asked for what the statement leaves in its session.
pub(super) fn ask(ready: &mut Ready, query: &Query<'_>, effects: &Effects) -> Wanted {
    let Primitive::Gather(gather) = &mut ready.bound.root else { return Wanted::default() };
    let mut wanted = effects.wanted.clone();
    wanted.found_rows |= skips_rows(query);
    if !wanted.is_nothing() {
        gather.then = Some(question(&wanted));
    }
    wanted
}

/// Notes what it has said.
pub(super) fn note<B: Backend>(
    session: &mut Session<B>,
    behind: Behind,
    wanted: &Wanted,
) -> Result<(), Failure> {
    if session.last.warnings > 0 {
        let mut messages = Answer::of_text(&["Level", "Code", "Message"]);
        messages.rows = behind.warnings;
        session.last.messages = Some(messages);
    }
    if wanted.is_nothing() || behind.columns.is_empty() {
        return Ok(());
    }
    session.note_read(&Answer { columns: behind.columns, rows: vec![behind.cells] }, wanted)
}
