//! The parser: no text makes it panic or overflow its stack, white space changes nothing, and neither does another
//! number in the place of a number.
//!
//! The input is as that of `statements`.

use serval_sql::{Edit, HoleKind, LexOptions, Span, Statement, create_table, parse, scan, splice, tokens};

use crate::statements::options;

pub(crate) fn check(input: &[u8]) {
    let Some((mode, sql)) = input.split_first() else { return };
    let Ok(sql) = std::str::from_utf8(sql) else { return };
    let options = options(*mode);
    let _ = create_table::parse(sql, options);
    let Ok(statement) = parse(sql, options) else { return };
    same(&statement, &spread(sql, options), options);
    renumbered(sql, options);
}

/// The text with one more space wherever white space follows a token.
fn spread(sql: &str, options: LexOptions) -> String {
    let tokens = tokens(sql.as_bytes(), options).expect("what parses lexes");
    let ends = tokens.iter().map(|token| token.span.end);
    let spaced = ends.filter(|end| sql.as_bytes().get(*end as usize).is_some_and(u8::is_ascii_whitespace));
    let edits: Vec<Edit> = spaced.map(|end| Edit { at: Span::at(end), text: " ".to_owned() }).collect();
    String::from_utf8(splice(sql.as_bytes(), &edits)).expect("spaces leave UTF-8 whole")
}

fn same(statement: &Statement, text: &str, options: LexOptions) {
    let other = parse(text, options).unwrap_or_else(|error| panic!("{text:?} does not parse: {error:?}"));
    match (statement, &other) {
        // Positions are not part of a tree's equality.
        (Statement::Dml(one), Statement::Dml(two)) => {
            assert_eq!(one.ast, two.ast, "{text:?}");
            assert_eq!(one.modifiers.len(), two.modifiers.len());
        }
        (one, two) => assert_eq!(std::mem::discriminant(one), std::mem::discriminant(two), "{text:?}"),
    }
}

/// Statements of one key have one plan, so what stands for a number must not decide whether a statement parses.
fn renumbered(sql: &str, options: LexOptions) {
    let Ok(found) = scan(sql.as_bytes(), options) else { return };
    let numbers = found.holes.iter().filter(|hole| hole.kind == HoleKind::Integer);
    let edits: Vec<Edit> = numbers.map(|hole| Edit { at: hole.span, text: "1".to_owned() }).collect();
    let text = String::from_utf8(splice(sql.as_bytes(), &edits)).expect("digits leave UTF-8 whole");
    parse(&text, options).unwrap_or_else(|error| panic!("{text:?} does not parse, {sql:?} does: {error:?}"));
}
