//! Where LAST_INSERT_ID() is learned from after an INSERT.
//!
//! A server puts a row's number into the OK packet whether it made it or the statement brought it, but LAST_INSERT_ID()
//! changes only where it was made. What the text does not say has to be asked.

use serval_executor::Completed;
use serval_planner::primitive::Primitive;
use serval_remote::Backend;
use serval_sql::{LexOptions, TableDefinition, Token, TokenKind, is_call, tokens};
use serval_types::Value;

use super::dml::is_insert;
use crate::session::{Query, Ready, Session, sets_insert_id};
use crate::words::{contains_word, updates_duplicates};

/// Where LAST_INSERT_ID() is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learned {
    /// It stays as it is.
    Stays,
    /// From the OK packet, and from the numbers that Serval gave itself.
    Told,
    /// From the OK packet of a single row; it stays where that changed another row in its place.
    ToldOfOne,
    /// Only the server knows.
    Asked,
}

impl Learned {
    /// How a statement is one that says it.
    pub(crate) fn of<B: Backend>(session: &Session<B>, query: &Query<'_>, ready: &Ready) -> Self {
        if !is_insert(query.scan.class) {
            return Self::Told;
        }
        let options = query.options(session);
        let sets = query.scan.marks.parenthesis && sets_insert_id(query, options);
        if let Some(numbers) = &ready.numbers {
            let asked = sets && (numbers.brings() || !is_idiom(query, options));
            return if asked { Self::Asked } else { Self::Told };
        }
        let table = ready.plan.tables().first();
        let Some(definition) = table.and_then(|table| table.table.definition.as_deref()) else {
            return Self::Asked;
        };
        if definition.auto_increment().is_none() {
            return if sets { Self::Asked } else { Self::Told };
        }
        let given = Given::of(query, options, definition);
        let updates = updates_duplicates(&query.scan.key);
        let leaves_out = updates || contains_word(&query.scan.key, b"IGNORE");
        match given.brings {
            _ if returns_rows(&ready.bound.root, query) => Self::Asked,
            _ if sets && !(given.is_one_generated() && is_idiom(query, options)) => Self::Asked,
            _ if sets => Self::Told,
            Some(Brings::Value) => Self::Stays,
            Some(Brings::Nothing) if updates && given.rows == 1 => Self::ToldOfOne,
            Some(Brings::Nothing) if updates => Self::Asked,
            Some(Brings::Nothing) => Self::Told,
            Some(Brings::Either) if !leaves_out => Self::Told,
            Some(Brings::Either) | None => Self::Asked,
        }
    }
}

impl Learned {
    /// What LAST_INSERT_ID() becomes as far as the answer says it; 0 where it stays as it is, or will be `asked` for.
    pub(crate) fn insert_id(self, ready: &Ready, completed: &Completed, asked: bool) -> u64 {
        let told = completed.last_insert_id;
        match (self, &ready.numbers) {
            (Self::Asked, Some(numbers)) if asked && !numbers.gave(told) => 0,
            (_, Some(numbers)) => numbers.remembered(told),
            (Self::Asked, None) if asked => 0,
            (Self::Stays, None) => 0,
            // A row that changed another in its place counts twice, and the number is that row's.
            (Self::ToldOfOne, None) if completed.affected_rows >= 2 => 0,
            (_, None) => told,
        }
    }
}

/// INSERT … RETURNING of one node, whose rows come without an OK packet.
fn returns_rows(root: &Primitive, query: &Query<'_>) -> bool {
    matches!(root, Primitive::Route(_)) && contains_word(&query.scan.key, b"RETURNING")
}

/// Whether LAST_INSERT_ID(expr) stands in the statement only as `ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)`, of
/// which the OK packet tells.
fn is_idiom(query: &Query<'_>, options: LexOptions) -> bool {
    let (sql, mut tokens) = (query.sql, tokens(query.sql, options).unwrap_or_default());
    tokens.retain(|token| !token.kind.is_comment());
    let mut calls = (0..tokens.len()).filter(|at| is_call(sql, &tokens, *at, "LAST_INSERT_ID"));
    let (Some(call), None) = (calls.next(), calls.next()) else { return false };
    let Some([before, name, equals, _, _, argument, close]) =
        call.checked_sub(3).and_then(|at| tokens.get(at..at + 7))
    else {
        return false;
    };
    let behind = tokens.get(call + 4).is_none_or(|token| token.is_symbol(b',') || token.is_symbol(b';'));
    let unquoted = |token: &Token| serval_sql::identifier_value(token.span.of(sql)).to_ascii_lowercase();
    updates_duplicates(&query.scan.key)
        && (before.is_word(sql, "update") || before.is_symbol(b','))
        && equals.is_symbol(b'=')
        && close.is_symbol(b')')
        && unquoted(name) == unquoted(argument)
        && behind
}

/// What a value asks of an AUTO_INCREMENT column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brings {
    /// To store it.
    Value,
    /// To make a number.
    Nothing,
    /// Some rows the one, some the other.
    Either,
}

/// What an INSERT gives to its table's AUTO_INCREMENT column.
#[derive(Debug, PartialEq, Eq)]
struct Given {
    /// `None` where the text does not say.
    brings: Option<Brings>,
    /// How many rows there are; 0 where that is not known.
    rows: u64,
}

impl Given {
    /// Reads the statement's text.
    fn of(query: &Query<'_>, options: LexOptions, definition: &TableDefinition) -> Self {
        let sql = query.sql;
        let unknown = Self { brings: None, rows: 0 };
        let (Some(column), Ok(mut tokens)) = (definition.auto_increment(), tokens(sql, options)) else {
            return unknown;
        };
        tokens.retain(|token| !token.kind.is_comment());
        let zero_is_value = options.no_auto_value_on_zero;
        let statement = Insert { query, tokens: &tokens, column: &column.name, zero_is_value };
        // Behind ON DUPLICATE KEY UPDATE, VALUES(a) is a function, and a column may be called value.
        let source = source(sql, &tokens);
        let is = |words: &[&str]| source.filter(|at| words.iter().any(|word| tokens[*at].is_word(sql, word)));
        let select = || tokens.iter().position(|token| token.is_word(sql, "select"));
        if let Some(values) = is(&["values", "value"]) {
            statement.values(values, definition)
        } else if is(&["with"]).is_some() {
            unknown
        } else if let Some(select) = is(&["select"]).or_else(|| select().filter(|_| is(&["set"]).is_none())) {
            let brings = match statement.position(select, definition) {
                Some(position) => statement.selects(select, position),
                None => Some(Brings::Nothing),
            };
            Self { brings, rows: 0 }
        } else if let Some(set) = is(&["set"]) {
            Self { brings: statement.assigns(set), rows: 1 }
        } else {
            unknown
        }
    }

    /// One row, whose number the server makes.
    fn is_one_generated(&self) -> bool {
        *self == Self { brings: Some(Brings::Nothing), rows: 1 }
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
    /// NO_AUTO_VALUE_ON_ZERO.
    zero_is_value: bool,
}

impl Insert<'_> {
    /// Where in a row the column stands; `before` is the word that ends the list of columns.
    fn position(&self, before: usize, definition: &TableDefinition) -> Option<usize> {
        let names = self.tokens[..before].iter().position(|token| token.is_symbol(b'('));
        match names.filter(|open| *open + 1 < before) {
            Some(open) => items(&self.tokens[open + 1..before])
                .position(|item| item.last().is_some_and(|token| self.is_column(token))),
            None => {
                let mut shown = definition.columns.iter().filter(|column| !column.invisible);
                shown.position(|other| other.name == self.column)
            }
        }
    }

    /// The rows behind VALUES.
    fn values(&self, values: usize, definition: &TableDefinition) -> Given {
        let position = self.position(values, definition);
        let mut given = Given { brings: None, rows: 0 };
        let mut at = values + 1;
        while self.tokens.get(at).is_some_and(|token| token.is_symbol(b'(')) {
            let row = &self.tokens[at + 1..];
            let value = position.and_then(|position| items(row).nth(position));
            let brings = value.map_or(Some(Brings::Nothing), |item| self.brings(item));
            given.rows += 1;
            given.brings = match (given.brings, brings) {
                (_, None) => return Given { brings: None, ..given },
                (before, now) if given.rows == 1 || before == now => now,
                _ => Some(Brings::Either),
            };
            // Behind the closing parenthesis and the comma.
            at += closing(row) + 3;
        }
        given
    }

    /// What a query selects for the column.
    fn selects(&self, select: usize, position: usize) -> Option<Brings> {
        const SEVERAL: [&str; 5] = ["union", "except", "intersect", "minus", "with"];
        let (sql, list) = (self.query.sql, &self.tokens[select + 1..]);
        let is_one = |token: &Token| SEVERAL.iter().any(|word| token.is_word(sql, word));
        let end = list.iter().position(|token| token.is_word(sql, "from")).unwrap_or(list.len());
        let before: Vec<&[Token]> = items(&list[..end]).take(position + 1).collect();
        let stars = before.iter().any(|item| item.last().is_some_and(|token| token.is_symbol(b'*')));
        if stars || list.iter().any(is_one) {
            return None;
        }
        self.brings(before.get(position)?)
    }

    /// What SET gives to the column.
    fn assigns(&self, set: usize) -> Option<Brings> {
        let mut assignments = items(&self.tokens[set + 1..]);
        let value = assignments.find_map(|item| {
            let equals = item.iter().position(|token| token.is_symbol(b'='))?;
            self.is_column(item.get(equals.checked_sub(1)?)?).then(|| &item[equals + 1..])
        });
        value.map_or(Some(Brings::Nothing), |value| self.brings(value))
    }

    fn is_column(&self, token: &Token) -> bool {
        let name = serval_sql::identifier_value(token.span.of(self.query.sql));
        name.eq_ignore_ascii_case(self.column.as_bytes())
    }

    /// What one value asks for: NULL, 0 and DEFAULT for a number. `None` for what only a server can tell.
    fn brings(&self, item: &[Token]) -> Option<Brings> {
        let sql = self.query.sql;
        match item {
            [one] if one.kind == TokenKind::Parameter => {
                let before = self.tokens.iter().take_while(|token| token.span.start < one.span.start);
                let position = before.filter(|token| token.kind == TokenKind::Parameter).count();
                self.of_value(self.query.values().get(position)?)
            }
            [one] => {
                let text = one.span.of(sql).trim_ascii();
                if text.eq_ignore_ascii_case(b"null") || text.eq_ignore_ascii_case(b"default") {
                    return Some(Brings::Nothing);
                }
                let quoted = text.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'"));
                self.of_digits(quoted.unwrap_or(text))
            }
            [sign, number] if sign.is_symbol(b'-') || sign.is_symbol(b'+') => {
                self.of_digits(number.span.of(sql).trim_ascii())
            }
            _ => None,
        }
    }

    fn of_value(&self, value: &Value) -> Option<Brings> {
        match value {
            Value::Null => Some(Brings::Nothing),
            Value::Int(number) => Some(self.of_number(*number == 0)),
            Value::UInt(number) => Some(self.of_number(*number == 0)),
            Value::Text(text) => self.of_digits(text),
            _ => None,
        }
    }

    fn of_digits(&self, digits: &[u8]) -> Option<Brings> {
        let whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        whole.then(|| self.of_number(digits.iter().all(|byte| *byte == b'0')))
    }

    fn of_number(&self, is_zero: bool) -> Brings {
        if is_zero && !self.zero_is_value { Brings::Nothing } else { Brings::Value }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, brings: Option<Brings>) {
        let definition = "CREATE TABLE `t` (`id` int NOT NULL AUTO_INCREMENT, `v` int, PRIMARY KEY (`id`))";
        let definition =
            serval_sql::create_table::parse(definition, LexOptions::default()).expect("a definition");
        let scan = serval_sql::scan(sql.as_bytes(), LexOptions::default()).expect("a scan");
        let query = Query::text(sql.as_bytes(), &scan);
        assert_eq!(Given::of(&query, LexOptions::default(), &definition).brings, brings, "{sql}");
    }

    #[test]
    fn given_values_are_told_from_generated_ones() {
        for sql in [
            "INSERT INTO t (v, `ID`) VALUES (f(1, 2), 7)",
            "INSERT INTO t (id, v) VALUES (5, f(1, 2)), (6, 1) ON DUPLICATE KEY UPDATE v = VALUES(v)",
            "INSERT INTO t SELECT 90, 1",
            "INSERT INTO t (id, v) (SELECT 1, 2)",
            "INSERT INTO t VALUES (100, 1)",
            "INSERT INTO t VALUES ('100', 1), (-5, 2)",
            "INSERT INTO t SET v = 1, id = 7",
        ] {
            check(sql, Some(Brings::Value));
        }
        for sql in [
            "INSERT INTO t (v) VALUES (1)",
            "INSERT INTO t (v) SELECT 1",
            "INSERT INTO t SELECT NULL, 1",
            "INSERT INTO t SET v = 1 ON DUPLICATE KEY UPDATE v = v + VALUES(v)",
            "INSERT INTO t SET value = 'b', v = 1",
            "INSERT INTO t SELECT NULL, f(1) ON DUPLICATE KEY UPDATE v = VALUES(v)",
            "INSERT INTO t (v, id) SELECT v, 0 FROM t",
            "INSERT INTO t VALUES (0, 1)",
            "INSERT INTO t VALUES (DEFAULT, 1)",
            "INSERT INTO t SET v = 1",
            "INSERT INTO t () VALUES ()",
        ] {
            check(sql, Some(Brings::Nothing));
        }
        check("INSERT INTO t (id, v) VALUES (NULL, 1), (5, 1)", Some(Brings::Either));
        check("INSERT INTO t (id, v) VALUES (5, (1)), (NULL, 1)", Some(Brings::Either));
    }

    #[test]
    fn what_only_a_server_can_tell_is_not_guessed() {
        for value in
            ["@n", "(NULL)", "IF(1, NULL, 2)", "1 - 1", "FALSE", "x'00'", "0.4", "'0.2'", "b'0'", "1 + 1"]
        {
            check(&format!("INSERT INTO t VALUES (5, 1), ({value}, 3)"), None);
            check(&format!("INSERT INTO t SET id = {value}, v = 3"), None);
            check(&format!("INSERT INTO t SELECT {value}, 3"), None);
        }
        for query in ["SELECT * FROM s", "SELECT s.*, 1 FROM s", "SELECT 1, 2 UNION SELECT NULL, 3"] {
            check(&format!("INSERT INTO t {query}"), None);
        }
        check("INSERT INTO t WITH c AS (SELECT 1 a) SELECT a, a FROM c", None);
    }

    #[test]
    fn the_idiom_is_known() {
        let check = |sql: &str, expect: bool| {
            let scan = serval_sql::scan(sql.as_bytes(), LexOptions::default()).expect("a scan");
            assert_eq!(is_idiom(&Query::text(sql.as_bytes(), &scan), LexOptions::default()), expect, "{sql}");
        };
        let head = "INSERT INTO t (v) VALUES (1) ON DUPLICATE KEY UPDATE";
        check(&format!("{head} id = LAST_INSERT_ID(id)"), true);
        check(&format!("{head} v = 1, `ID` = last_insert_id(id), w = 2"), true);
        check(&format!("{head} v = IF(v, LAST_INSERT_ID(id), 1)"), false);
        check(&format!("{head} id = LAST_INSERT_ID(id + 1)"), false);
        check(&format!("{head} id = LAST_INSERT_ID(id), v = LAST_INSERT_ID(v)"), false);
        check("INSERT INTO t (v) VALUES (LAST_INSERT_ID(1))", false);
    }
}
