//! The snapshot of tables' definitions: files of SHOW CREATE TABLE texts, one file per schema.

use std::ops::Range;

use serval_sql::{LexOptions, Token, TokenKind, tokens};

use crate::{Diagnostic, TableDefinition};

/// The CREATE TABLE statements of a file with their places, and what could not be read.
///
/// Other statements are passed over, so that the output of `mysqldump --no-data` works too.
pub(crate) fn read(file: &str, text: &str) -> (Vec<(Range<usize>, TableDefinition)>, Vec<Diagnostic>) {
    let options = LexOptions::default();
    let tokens = match tokens(text.as_bytes(), options) {
        Ok(tokens) => tokens,
        Err(error) => {
            let fix = "let `serval snapshot` write the file again";
            let message = format!("the snapshot cannot be read: {error}");
            return (Vec::new(), vec![Diagnostic::error(file, 0..first_line(text), message).with_fix(fix)]);
        }
    };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for span in statements(text, &tokens) {
        match serval_sql::create_table::parse(&text[span.clone()], options) {
            Ok(definition) => found.push((span, definition)),
            Err(error) => {
                let line = span.start..span.start + first_line(&text[span.clone()]);
                let message = format!("this CREATE TABLE cannot be read: {error}");
                wrong.push(
                    Diagnostic::error(file, line, message)
                        .with_fix("write it as SHOW CREATE TABLE prints it"),
                );
            }
        }
    }
    (found, wrong)
}

/// The statements between semicolons that begin with CREATE TABLE.
fn statements(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let bytes = |token: &Token| token.span.start as usize..token.span.end as usize;
    let is_end = |token: &Token| &text[bytes(token)] == ";";
    tokens
        .split(is_end)
        .filter_map(|statement| {
            let mut words = statement.iter().filter(|token| token.kind != TokenKind::Comment);
            let first = words.next()?;
            let create = text[bytes(first)].eq_ignore_ascii_case("create");
            let table = words.next().is_some_and(|word| text[bytes(word)].eq_ignore_ascii_case("table"));
            (create && table)
                .then(|| first.span.start as usize..statement.last().map_or(0, |t| t.span.end as usize))
        })
        .collect()
}

fn first_line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}
