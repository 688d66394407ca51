//! Whether an INSERT brought its AUTO_INCREMENT value itself.
//!
//! A server puts the value into the OK packet either way, but LAST_INSERT_ID() changes only where it was generated.

use serval_sql::{LexOptions, TableDefinition, Token, TokenKind, tokens};

/// Whether the first row gives a value of its own to the table's AUTO_INCREMENT column.
pub(super) fn is_explicit(sql: &[u8], options: LexOptions, definition: &TableDefinition) -> bool {
    let Some(column) = definition.auto_increment() else { return false };
    let Ok(mut tokens) = tokens(sql, options) else { return false };
    tokens.retain(|token| !token.kind.is_comment());
    let is_column = |token: &Token| {
        let name = serval_sql::identifier_value(token.span.of(sql));
        name.eq_ignore_ascii_case(column.name.as_bytes())
    };
    let word = |word: &str| tokens.iter().position(|token| token.is_word(sql, word));
    if let Some(values) = word("values").or_else(|| word("value")) {
        let names = tokens[..values].iter().position(|token| token.is_symbol(b'('));
        let position = match names {
            Some(open) => {
                items(&tokens[open + 1..values]).position(|item| item.last().is_some_and(is_column))
            }
            None => definition.columns.iter().position(|other| other.name == column.name),
        };
        let row = tokens.get(values + 2..).unwrap_or_default();
        return position
            .and_then(|position| items(row).nth(position))
            .is_some_and(|item| is_value(sql, item));
    }
    let Some(set) = word("set") else { return false };
    let mut assignments = items(&tokens[set + 1..]);
    let value = assignments.find_map(|item| {
        let equals = item.iter().position(|token| token.is_symbol(b'='))?;
        is_column(item.get(equals.checked_sub(1)?)?).then(|| &item[equals + 1..])
    });
    value.is_some_and(|value| is_value(sql, value))
}

/// What stands between the commas up to the closing parenthesis.
fn items(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0_usize;
    let mut end = tokens.len();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') if depth == 0 => {
                end = at;
                break;
            }
            TokenKind::Symbol(b')') => depth -= 1,
            _ => {}
        }
    }
    let mut depth = 0_usize;
    tokens[..end].split(move |token| {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is_symbol(b',')
    })
}

/// Anything but NULL, 0 and DEFAULT, which ask for a generated value.
fn is_value(sql: &[u8], item: &[Token]) -> bool {
    match item {
        [] => false,
        [one] => {
            let text = one.span.of(sql).trim_ascii();
            !text.eq_ignore_ascii_case(b"null") && !text.eq_ignore_ascii_case(b"default") && !is_zero(text)
        }
        _ => true,
    }
}

fn is_zero(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(|byte| *byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, explicit: bool) {
        let definition = "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, `v` int, PRIMARY KEY (`id`))";
        let definition =
            serval_sql::create_table::parse(definition, LexOptions::default()).expect("a definition");
        assert_eq!(is_explicit(sql.as_bytes(), LexOptions::default(), &definition), explicit, "{sql}");
    }

    #[test]
    fn generated_values_are_told_from_given_ones() {
        check("INSERT INTO t (v) VALUES (1)", false);
        check("INSERT INTO t (v, `ID`) VALUES (f(1, 2), 7)", true);
        check("INSERT INTO t (id, v) VALUES (NULL, 1), (5, 1)", false);
        check("INSERT INTO t VALUES (100, 1)", true);
        check("INSERT INTO t VALUES (0, 1)", false);
        check("INSERT INTO t VALUES (DEFAULT, 1)", false);
        check("INSERT INTO t VALUES (1 + 1, 1)", true);
        check("INSERT INTO t SET v = 1, id = 7", true);
        check("INSERT INTO t SET v = 1", false);
        check("INSERT INTO t () VALUES ()", false);
    }
}
