//! The statements that a connection's server has prepared for us: bounded, the least recently used go first, unless
//! it is their length that is too much.
//!
//! A statement means what its text meant when it was prepared, so it is known by the text together with all that a
//! server reads a text by: the database, the sql_mode, the character sets of the client and of literals, and what MySQL
//! looks up once.
//!
//! MySQL also fits a statement to the types of its parameters and keeps it so: after a number was given for `code = ?`
//! it compares later strings as numbers. One client's types must not change another's rows, so there a statement is
//! known by the [classes](Class) of its parameters too, and by the types of the user variables that it may name.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use serval_remote::{NAMES, SessionState};
use serval_wire::command::execute::ParameterType;
use serval_wire::packet::PrepareOk;
use serval_wire::packet::column_type::{
    MYSQL_TYPE_BLOB, MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_DOUBLE,
    MYSQL_TYPE_FLOAT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_LONGLONG,
    MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_SHORT, MYSQL_TYPE_TIME, MYSQL_TYPE_TIMESTAMP,
    MYSQL_TYPE_TINY, MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_YEAR,
};

/// The variables that a text is read by.
const READ_BY: [&str; 11] = [
    "sql_mode",
    // MariaDB's `UTF8_IS_UTF8MB3` and its like.
    "old_mode",
    NAMES,
    "character_set_client",
    "character_set_connection",
    "collation_connection",
    // MySQL asks for these once.
    "default_collation_for_utf8mb4",
    "default_week_format",
    "div_precision_increment",
    "lc_time_names",
    "windowing_use_high_precision",
];

/// Texts of more bytes altogether are not kept, whatever their number.
const MOST_BYTES: usize = 4 << 20;

/// A statement as its server knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) id: u32,
    /// How many `?` the server found.
    pub(crate) parameters: u16,
}

impl Statement {
    pub(crate) fn of(ok: &PrepareOk) -> Self {
        Self { id: ok.statement, parameters: ok.parameters }
    }
}

/// Types of parameters that a server treats alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// Character strings. NULL counts as one: it fits every type.
    Text = b's',
    Binary = b'b',
    Signed = b'i',
    Unsigned = b'u',
    Real = b'f',
    Decimal = b'n',
    Date = b'd',
    Moment = b'm',
    Time = b't',
}

impl Class {
    pub(crate) fn of(parameter: ParameterType) -> Self {
        match parameter.column_type {
            MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_YEAR | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG
            | MYSQL_TYPE_LONGLONG => {
                if parameter.unsigned {
                    Self::Unsigned
                } else {
                    Self::Signed
                }
            }
            MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => Self::Real,
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            MYSQL_TYPE_DATE => Self::Date,
            MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => Self::Moment,
            MYSQL_TYPE_TIME => Self::Time,
            MYSQL_TYPE_TINY_BLOB | MYSQL_TYPE_MEDIUM_BLOB | MYSQL_TYPE_LONG_BLOB | MYSQL_TYPE_BLOB => {
                Self::Binary
            }
            _ => Self::Text,
        }
    }
}

/// The type of a literal: what stands around its digits, or around its text.
fn kind(literal: &str) -> String {
    match (literal.find('\''), literal.rfind('\'')) {
        (Some(first), Some(last)) => format!("{}{}", &literal[..first], &literal[last..]),
        _ => literal.chars().filter(|c| !c.is_ascii_digit() && *c != '-').collect(),
    }
}

/// The statements of one connection, and the one that is asked for or executed at present.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    /// Clients choose the texts, so the hash has a seed; SipHash takes four times as long over them.
    known: HashMap<Box<[u8]>, Known, RandomState>,
    /// How many there may be; at least one.
    most: usize,
    /// The lengths of all keys.
    bytes: usize,
    clock: u64,
    /// The key of the present statement, its text at the end.
    key: Vec<u8>,
    /// What the text was read by when the key was last made; the next statement's begins likewise, mostly.
    read_by: Option<(Option<Box<str>>, SessionState)>,
    /// How much of the key says so.
    prefix: usize,
    text: usize,
}

#[derive(Debug)]
struct Known {
    statement: Statement,
    used: u64,
}

impl Statements {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), ..Self::default() }
    }

    /// Makes a statement the present one, which all other functions are about. `classes` are those of its parameters,
    /// as far as they matter.
    pub(crate) fn select(
        &mut self,
        database: Option<&str>,
        state: &SessionState,
        sql: &[u8],
        classes: impl Iterator<Item = Class>,
    ) {
        self.begin_key(database, state);
        let start = self.key.len();
        self.key.extend(classes.map(|class| class as u8));
        // What has not been executed yet fits strings, so that the same statement serves both.
        while self.key.len() > start && self.key.last() == Some(&(Class::Text as u8)) {
            self.key.pop();
        }
        self.key.push(0);
        if sql.contains(&b'@') {
            self.add_variables(state);
        }
        self.text = self.key.len();
        self.key.extend_from_slice(sql);
    }

    /// What the user variables are that a text may name: MySQL fits it to their types, too.
    fn add_variables(&mut self, state: &SessionState) {
        for (name, value) in state.iter().filter(|(name, _)| name.starts_with('@')) {
            self.key.extend_from_slice(name.as_bytes());
            self.key.push(b'=');
            self.key.extend_from_slice(kind(value).as_bytes());
            self.key.push(0);
        }
    }

    /// Begins the key with all that a text is read by.
    fn begin_key(&mut self, database: Option<&str>, state: &SessionState) {
        if let Some((before, known)) = &self.read_by
            && before.as_deref() == database
            && known == state
        {
            return self.key.truncate(self.prefix);
        }
        self.key.clear();
        for part in [database].into_iter().chain(READ_BY.map(|name| state.value(name))) {
            // Neither names nor the text of a value hold a NUL.
            self.key.push(u8::from(part.is_some()));
            self.key.extend_from_slice(part.unwrap_or_default().as_bytes());
            self.key.push(0);
        }
        self.prefix = self.key.len();
        self.read_by = Some((database.map(Into::into), state.clone()));
    }

    /// The present statement's text.
    pub(crate) fn text(&self) -> &[u8] {
        self.key.get(self.text..).unwrap_or_default()
    }

    /// The present statement, if it is prepared.
    pub(crate) fn find(&mut self) -> Option<Statement> {
        self.clock += 1;
        let known = self.known.get_mut(self.key.as_slice())?;
        known.used = self.clock;
        Some(known.statement)
    }

    /// Takes note that the present statement was prepared.
    pub(crate) fn add(&mut self, ok: &PrepareOk) {
        self.clock += 1;
        self.bytes += self.key.len();
        let known = Known { statement: Statement::of(ok), used: self.clock };
        self.known.insert(self.key.as_slice().into(), known);
    }

    /// Forgets the present statement; the id it had.
    pub(crate) fn forget(&mut self) -> Option<u32> {
        let known = self.known.remove(self.key.as_slice())?;
        self.bytes -= self.key.len();
        Some(known.statement.id)
    }

    /// Forgets as many as must go so that there is room for one more; their ids.
    pub(crate) fn make_room(&mut self) -> Vec<u32> {
        self.keep(self.most.saturating_sub(1))
    }

    /// Forgets half of them, or the only one; their ids.
    pub(crate) fn halve(&mut self) -> Vec<u32> {
        self.keep(self.known.len() / 2)
    }

    fn keep(&mut self, most: usize) -> Vec<u32> {
        let mut ids = Vec::new();
        while self.known.len() > most || self.bytes > MOST_BYTES {
            let goes = if self.bytes > MOST_BYTES {
                self.known.keys().max_by_key(|key| key.len())
            } else {
                self.known.iter().min_by_key(|(_, known)| known.used).map(|(key, _)| key)
            };
            let Some(key) = goes.cloned() else { break };
            self.bytes -= key.len();
            ids.extend(self.known.remove(&key).map(|known| known.statement.id));
        }
        ids
    }

    /// Lets go of a buffer that an unusual statement made large.
    pub(crate) fn shrink(&mut self, most: usize) {
        if self.key.capacity() > most {
            self.key = Vec::new();
            self.text = 0;
            self.read_by = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(statement: u32) -> PrepareOk {
        PrepareOk { statement, parameters: 1, ..PrepareOk::default() }
    }

    fn fresh() -> SessionState {
        SessionState::default()
    }

    #[test]
    fn a_text_means_what_database_and_session_make_of_it() {
        let mut statements = Statements::default();
        statements.select(Some("d"), &fresh(), b"SELECT ?", [].into_iter());
        assert_eq!(statements.find(), None);
        statements.add(&ok(7));
        let mut find = |database, state: &SessionState| {
            statements.select(database, state, b"SELECT ?", [].into_iter());
            statements.find().map(|statement| statement.id)
        };
        assert_eq!(find(Some("d"), &fresh()), Some(7));
        assert_eq!(find(Some("d"), &fresh().with("time_zone", "'+00:00'")), Some(7));
        assert_eq!(find(Some("d2"), &fresh()), None);
        assert_eq!(find(None, &fresh()), None);
        for name in READ_BY {
            assert_eq!(find(Some("d"), &fresh().with(name, "''")), None, "{name}");
        }
        assert_eq!(find(Some("d"), &fresh()), Some(7));
    }

    #[test]
    fn a_text_is_another_statement_for_variables_of_other_types() {
        let mut statements = Statements::default();
        let state = |value| fresh().with("@a", value);
        statements.select(None, &state("1"), b"SELECT @a", [].into_iter());
        statements.add(&ok(7));
        let mut find = |state: &SessionState, sql: &[u8]| {
            statements.select(None, state, sql, [].into_iter());
            statements.find().map(|statement| statement.id)
        };
        assert_eq!(find(&state("-22"), b"SELECT @a"), Some(7));
        for other in ["1.5", "1e0", "x'31'", "_utf8mb4'1' COLLATE utf8mb4_bin", "CAST(1 AS UNSIGNED)"] {
            assert_eq!(find(&state(other), b"SELECT @a"), None, "{other}");
        }
        assert_eq!(find(&fresh(), b"SELECT @a"), None);
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let mut statements = Statements::new(4);
        for (id, sql) in [(1, b"a"), (2, b"b"), (3, b"c")] {
            assert!(statements.make_room().is_empty());
            statements.select(None, &fresh(), sql, [].into_iter());
            statements.add(&ok(id));
        }
        statements.select(None, &fresh(), b"a", [].into_iter());
        statements.find();
        statements.select(None, &fresh(), b"d", [].into_iter());
        statements.add(&ok(4));
        assert_eq!(statements.make_room(), [2]);
        assert_eq!((statements.halve(), statements.halve()), (vec![3, 1], vec![4]));
        assert_eq!((statements.halve(), statements.bytes), (vec![], 0));
    }

    #[test]
    fn long_texts_do_not_stay() {
        let mut statements = Statements::new(9);
        statements.select(None, &fresh(), b"short", [].into_iter());
        statements.add(&ok(7));
        statements.select(None, &fresh(), &vec![b'x'; MOST_BYTES], [].into_iter());
        statements.add(&ok(1));
        statements.shrink(MOST_BYTES / 2);
        statements.select(None, &fresh(), b"short", [].into_iter());
        assert_eq!(statements.find().map(|statement| statement.id), Some(7));
        statements.select(None, &fresh(), b"a", [].into_iter());
        assert_eq!(statements.make_room(), [1]);
        statements.add(&ok(2));
        assert_eq!(statements.text(), b"a");
        assert_eq!((statements.forget(), statements.forget()), (Some(2), None));
    }

    #[test]
    fn a_text_is_another_statement_for_other_types() {
        let mut statements = Statements::new(9);
        let mut select = |classes: &[Class]| {
            statements.select(None, &fresh(), b"SELECT ?, ?", classes.iter().copied());
            let known = statements.find().map(|statement| statement.id);
            statements.add(&ok(known.unwrap_or(u32::try_from(statements.known.len()).unwrap())));
            known
        };
        let (text, number) = (Class::Text, Class::Signed);
        assert_eq!(select(&[]), None);
        assert_eq!((select(&[text, text]), select(&[text])), (Some(0), Some(0)));
        assert_eq!((select(&[number, text]), select(&[text, number])), (None, None));
        assert_eq!((select(&[number, text]), select(&[text, number])), (Some(1), Some(2)));
    }

    #[test]
    fn widths_and_signs() {
        let class = |column_type, unsigned| Class::of(ParameterType { column_type, unsigned });
        assert_eq!(class(MYSQL_TYPE_TINY, false), class(MYSQL_TYPE_LONGLONG, false));
        assert_ne!(class(MYSQL_TYPE_LONGLONG, true), class(MYSQL_TYPE_LONGLONG, false));
        assert_eq!(class(MYSQL_TYPE_TIMESTAMP, false), Class::Moment);
        assert_eq!(class(serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING, false), Class::Text);
        assert_eq!(class(serval_wire::packet::column_type::MYSQL_TYPE_NULL, false), Class::Text);
    }
}
