//! The interactive shell: a line editor with completion of the console's statements.

use mysql_async::Conn;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use tokio::runtime::Runtime;

use super::table::{Shape, render};
use super::{ask, statements_of};
use crate::failure::Failure;
use crate::output::{complain, say};

const PROMPT: &str = "serval> ";

/// Reads statements and runs them until `exit` or the end of input. A statement that is wrong ends nothing.
pub fn run(runtime: &Runtime, conn: &mut Conn) -> Result<(), Failure> {
    let statements = Statements(known(runtime, conn));
    let broken = |error: ReadlineError| Failure::other(format!("the terminal cannot be read: {error}"));
    let mut editor: Editor<Statements, MemHistory> =
        Editor::with_history(rustyline::Config::default(), MemHistory::new()).map_err(broken)?;
    editor.set_helper(Some(statements));
    say("show @@help lists the statements, Tab completes them, exit leaves.");
    loop {
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            // Ctrl-C gives up a line, as in a shell.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(broken(error)),
        };
        // A history that is full or off is no reason to stop.
        let _ = editor.add_history_entry(&line);
        for sql in statements_of(&line) {
            if matches!(sql, "exit" | "quit" | "\\q") {
                return Ok(());
            }
            match runtime.block_on(ask(conn, sql)) {
                Ok((header, rows)) => say(render(&header, &rows, Shape::Table)),
                Err(error) => complain(error),
            }
        }
    }
}

/// The console's statements up to what is to be filled in.
fn known(runtime: &Runtime, conn: &mut Conn) -> Vec<String> {
    let (_, rows) = runtime.block_on(ask(conn, "show @@help")).unwrap_or_default();
    rows.into_iter().filter_map(|row| row.into_iter().next()).map(|statement| fixed(&statement)).collect()
}

/// A statement up to its first optional or variable word.
fn fixed(statement: &str) -> String {
    let end = statement.find(['[', '?', '\'']).unwrap_or(statement.len());
    statement[..end].trim_end_matches(" id").trim_end().to_owned()
}

/// Completes statements.
struct Statements(Vec<String>);

impl Completer for Statements {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..at).unwrap_or_default();
        let begin = typed.rfind(';').map_or(0, |semicolon| semicolon + 1);
        let begin = begin + (typed[begin..].len() - typed[begin..].trim_start().len());
        let typed = typed[begin..].to_lowercase();
        Ok((begin, self.0.iter().filter(|known| known.starts_with(&typed)).cloned().collect()))
    }
}

impl Hinter for Statements {
    type Hint = String;
}

impl Highlighter for Statements {}
impl Validator for Statements {}
impl Helper for Statements {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_completed_where_they_begin() {
        let statements =
            Statements(vec!["show @@help".into(), "show @@version".into(), "reload @@config".into()]);
        let history = MemHistory::new();
        let complete = |line: &str| statements.complete(line, line.len(), &Context::new(&history)).unwrap();
        assert_eq!(complete("SHOW @@v"), (0, vec!["show @@version".to_owned()]));
        assert_eq!(complete("show @@help; rel"), (13, vec!["reload @@config".to_owned()]));
    }

    #[test]
    fn what_is_to_be_filled_in_is_not_completed() {
        assert_eq!(fixed("rollback @@config [to N] [force]"), "rollback @@config");
        assert_eq!(fixed("kill @@connection id[,id…]"), "kill @@connection");
        assert_eq!(fixed("resolve transaction 'name' commit|rollback"), "resolve transaction");
    }
}
