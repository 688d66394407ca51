//! Whether an INSERT brought its AUTO_INCREMENT value itself.
//!
//! A server puts the value into the OK packet either way, but LAST_INSERT_ID() changes only where it was generated.

use serval_sql::{LexOptions, TableDefinition, Token, TokenKind, tokens};
use serval_types::Value;

use crate::session::Query;

/// What an INSERT gives to its table's AUTO_INCREMENT column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Every row brings a value of its own.
    pub(super) all: bool,
    /// How many rows there are; 1 where that is not known.
    pub(super) rows: u64,
}

impl Given {
    /// Reads the statement's text.
    pub(super) fn of(query: &Query<'_>, options: LexOptions, definition: &TableDefinition) -> Self {
        let sql = query.sql;
        let nothing = Self { all: false, rows: 1 };
        let (Some(column), Ok(mut tokens)) = (definition.auto_increment(), tokens(sql, options)) else {
            return nothing;
        };
        tokens.retain(|token| !token.kind.is_comment());
        let statement = Insert { query, tokens: &tokens, column: &column.name };
        // Behind ON DUPLICATE KEY UPDATE, VALUES(a) is a function, and a column may be called value.
        let source = source(sql, &tokens);
        let is = |words: &[&str]| source.filter(|at| words.iter().any(|word| tokens[*at].is_word(sql, word)));
        let select = || tokens.iter().position(|token| token.is_word(sql, "select"));
        if let Some(values) = is(&["values", "value"]) {
            statement.values(values, definition)
        } else if let Some(select) = is(&["select"]).or_else(|| select().filter(|_| is(&["set"]).is_none())) {
            // Rows of a query are taken to have a value in the column, as far as it is among the columns and not written NULL.
            let position = statement.position(select, definition);
            Self { all: position.is_some_and(|position| statement.selects(select, position)), rows: 1 }
        } else if let Some(set) = is(&["set"]) {
            Self { all: statement.assigns(set), rows: 1 }
        } else {
            nothing
        }
    }
}

/// The word that the rows begin with, outside of parentheses and behind the table's name.
fn source(sql: &[u8], tokens: &[Token]) -> Option<usize> {
    const SOURCES: [&str; 5] = ["set", "select", "with", "values", "value"];
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(1) {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ if depth > 0 || tokens[at - 1].is_word(sql, "into") || tokens[at - 1].is_symbol(b'.') => {}
            _ if SOURCES.iter().any(|word| token.is_word(sql, word)) => return Some(at),
            _ => {}
        }
    }
    None
}

/// A statement's tokens without its comments, and the name of the AUTO_INCREMENT column.
struct Insert<'a> {
    query: &'a Query<'a>,
    tokens: &'a [Token],
    column: &'a str,
}

impl Insert<'_> {
    /// Where in a row the column stands; `before` is the word that ends the list of columns.
    fn position(&self, before: usize, definition: &TableDefinition) -> Option<usize> {
        let names = self.tokens[..before].iter().position(|token| token.is_symbol(b'('));
        match names {
            Some(open) => items(&self.tokens[open + 1..before])
                .position(|item| item.last().is_some_and(|token| self.is_column(token))),
            None => definition.columns.iter().position(|other| other.name == self.column),
        }
    }

    /// The rows behind VALUES.
    fn values(&self, values: usize, definition: &TableDefinition) -> Given {
        let position = self.position(values, definition);
        let mut given = Given { all: position.is_some(), rows: 0 };
        let mut at = values + 1;
        while self.tokens.get(at).is_some_and(|token| token.is_symbol(b'(')) {
            let row = &self.tokens[at + 1..];
            let value = position.and_then(|position| items(row).nth(position));
            given.all &= value.is_some_and(|item| is_value(self.query, self.tokens, item));
            given.rows += 1;
            // Behind the closing parenthesis and the comma.
            at += closing(row) + 3;
        }
        given
    }

    /// Whether a query selects a value for the column.
    fn selects(&self, select: usize, position: usize) -> bool {
        let list = &self.tokens[select + 1..];
        let end = list.iter().position(|token| token.is_word(self.query.sql, "from")).unwrap_or(list.len());
        items(&list[..end]).nth(position).is_none_or(|item| is_value(self.query, self.tokens, item))
    }

    /// Whether SET gives the column a value.
    fn assigns(&self, set: usize) -> bool {
        let mut assignments = items(&self.tokens[set + 1..]);
        let value = assignments.find_map(|item| {
            let equals = item.iter().position(|token| token.is_symbol(b'='))?;
            self.is_column(item.get(equals.checked_sub(1)?)?).then(|| &item[equals + 1..])
        });
        value.is_some_and(|value| is_value(self.query, self.tokens, value))
    }

    fn is_column(&self, token: &Token) -> bool {
        let name = serval_sql::identifier_value(token.span.of(self.query.sql));
        name.eq_ignore_ascii_case(self.column.as_bytes())
    }
}

/// Where the parenthesis stands that closes one opened before the tokens; their end where there is none.
fn closing(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') if depth == 0 => return at,
            TokenKind::Symbol(b')') => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// What stands between the commas up to the closing parenthesis.
fn items(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0_usize;
    tokens[..closing(tokens)].split(move |token| {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.is_symbol(b',')
    })
}

/// Anything but NULL, 0 and DEFAULT, which ask for a generated value.
fn is_value(query: &Query<'_>, tokens: &[Token], item: &[Token]) -> bool {
    let sql = query.sql;
    match item {
        [] => false,
        [one] if one.kind == TokenKind::Parameter => {
            let before = tokens.iter().take_while(|token| token.span.start < one.span.start);
            let position = before.filter(|token| token.kind == TokenKind::Parameter).count();
            query.values().get(position).is_some_and(|value| !is_nothing(value))
        }
        [one] => {
            let text = one.span.of(sql).trim_ascii();
            !text.eq_ignore_ascii_case(b"null") && !text.eq_ignore_ascii_case(b"default") && !is_zero(text)
        }
        _ => true,
    }
}

/// Whether a parameter asks for a generated value.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Int(0) => true,
        Value::Text(text) => is_zero(text),
        _ => false,
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
        let scan = serval_sql::scan(sql.as_bytes(), LexOptions::default()).expect("a scan");
        let query = Query::text(sql.as_bytes(), &scan);
        assert_eq!(Given::of(&query, LexOptions::default(), &definition).all, explicit, "{sql}");
    }

    #[test]
    fn generated_values_are_told_from_given_ones() {
        check("INSERT INTO t (v) VALUES (1)", false);
        check("INSERT INTO t (v, `ID`) VALUES (f(1, 2), 7)", true);
        check("INSERT INTO t (id, v) VALUES (NULL, 1), (5, 1)", false);
        check("INSERT INTO t (id, v) VALUES (5, (1)), (NULL, 1)", false);
        check(
            "INSERT INTO t (id, v) VALUES (5, f(1, 2)), (6, 1) ON DUPLICATE KEY UPDATE v = VALUES(v)",
            true,
        );
        check("INSERT INTO t SELECT 90, 1", true);
        check("INSERT INTO t (v) SELECT 1", false);
        check("INSERT INTO t SELECT NULL, 1", false);
        check("INSERT INTO t SET v = 1 ON DUPLICATE KEY UPDATE v = v + VALUES(v)", false);
        check("INSERT INTO t SET value = 'b', v = 1", false);
        check("INSERT INTO t SELECT NULL, f(1) ON DUPLICATE KEY UPDATE v = VALUES(v)", false);
        check("INSERT INTO t (id, v) (SELECT 1, 2)", true);
        check("INSERT INTO t (v, id) SELECT v, 0 FROM t", false);
        check("INSERT INTO t SELECT * FROM t", true);
        check("INSERT INTO t VALUES (100, 1)", true);
        check("INSERT INTO t VALUES (0, 1)", false);
        check("INSERT INTO t VALUES (DEFAULT, 1)", false);
        check("INSERT INTO t VALUES (1 + 1, 1)", true);
        check("INSERT INTO t SET v = 1, id = 7", true);
        check("INSERT INTO t SET v = 1", false);
        check("INSERT INTO t () VALUES ()", false);
    }
}
