//! The words of a query, to leave out columns that it cannot mean: servers open every table for some of them.

use std::collections::HashSet;

use serval_sql::{LexOptions, Token, TokenKind, identifier_value, tokens};
use serval_wire::packet::ColumnDefinition;

/// What a query mentions.
#[derive(Debug)]
pub(super) struct Words {
    /// Identifiers and keywords in upper case.
    mentioned: HashSet<String>,
    /// `*`, or a join on all columns that two tables share.
    all: bool,
}

impl Words {
    pub(super) fn of(sql: &[u8], options: LexOptions) -> Self {
        let tokens = tokens(sql, options).unwrap_or_default();
        // What stands in a version comment is not looked into.
        let hidden = tokens.iter().any(|token| token.kind == TokenKind::VersionComment);
        let names =
            tokens.iter().filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent));
        let mentioned: HashSet<String> = names.map(|token| upper(token.span.of(sql))).collect();
        let star = tokens.iter().enumerate().any(|(at, _)| is_star(sql, &tokens, at));
        Self { all: hidden || star || mentioned.contains("NATURAL"), mentioned }
    }

    /// The columns that the query may mean; one at least, so that rows can be counted.
    pub(super) fn wanted(&self, columns: Vec<ColumnDefinition>) -> Vec<ColumnDefinition> {
        if self.all {
            return columns;
        }
        let first = columns.first().cloned();
        let wanted = |column: &ColumnDefinition| self.mentioned.contains(&upper(&column.name));
        let columns: Vec<_> = columns.into_iter().filter(wanted).collect();
        if columns.is_empty() { first.into_iter().collect() } else { columns }
    }
}

fn upper(name: &[u8]) -> String {
    String::from_utf8_lossy(&identifier_value(name)).to_uppercase()
}

/// Whether a `*` stands for columns: not in COUNT(*), and behind no operand.
fn is_star(sql: &[u8], tokens: &[Token], at: usize) -> bool {
    if !tokens[at].is_symbol(b'*') {
        return false;
    }
    let Some(before) = at.checked_sub(1).and_then(|before| tokens.get(before)) else { return false };
    match before.kind {
        TokenKind::Symbol(symbol) => matches!(symbol, b',' | b'.'),
        TokenKind::Word => {
            let word = upper(before.span.of(sql));
            word == "SELECT" || word == "DISTINCT" || word == "ALL" || word.starts_with("SQL_")
        }
        kind => kind.is_comment(),
    }
}

#[cfg(test)]
mod tests {
    use serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING;

    use super::*;

    #[track_caller]
    fn check(sql: &str, expect: &[&str]) {
        let names = ["TABLE_SCHEMA", "TABLE_NAME", "TABLE_ROWS"];
        let columns = names.map(|name| ColumnDefinition::new(name, MYSQL_TYPE_VAR_STRING)).to_vec();
        let wanted = Words::of(sql.as_bytes(), LexOptions::default()).wanted(columns);
        let wanted: Vec<_> = wanted.iter().map(|column| String::from_utf8_lossy(&column.name)).collect();
        assert_eq!(wanted, expect, "{sql}");
    }

    #[test]
    fn only_what_is_mentioned_is_shown() {
        check("SELECT t.table_name FROM t WHERE `Table_Schema` = 'x'", &["TABLE_SCHEMA", "TABLE_NAME"]);
        check("SELECT COUNT(*), 2 * 3 FROM t", &["TABLE_SCHEMA"]);
    }

    #[test]
    fn a_star_is_everything() {
        for sql in [
            "SELECT * FROM t",
            "SELECT 1, t.* FROM t",
            "SELECT /* x */ * FROM t",
            "SELECT 1 FROM a NATURAL JOIN b",
        ] {
            check(sql, &["TABLE_SCHEMA", "TABLE_NAME", "TABLE_ROWS"]);
        }
    }
}
