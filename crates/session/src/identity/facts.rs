//! What a session knows of itself.

use serval_types::{MysqlError, Value};

use super::mention::{Fact, Form};
use crate::flavour::Flavour;
use crate::literal::quote;
use crate::session::Own;

/// The answers.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The current schema.
    pub schema: Option<&'a str>,
    /// The user's name.
    pub user: &'a str,
    /// Where the client is.
    pub host: &'a str,
    /// The session's id.
    pub connection_id: u32,
    /// The version that clients see.
    pub version: &'a str,
    /// The port that clients connect to.
    pub port: u16,
    /// Whether statements commit by themselves.
    pub autocommit: bool,
    /// Whether a transaction is open.
    pub in_transaction: bool,
    /// The last generated AUTO_INCREMENT value.
    pub last_insert_id: u64,
    /// Rows that the last statement affected; -1 after a result set.
    pub row_count: i64,
    /// Rows of the last result set; `None` where only the server that ran it would know.
    pub found_rows: Option<u64>,
    /// Warnings of the last statement.
    pub warnings: u64,
    /// Errors among them.
    pub errors: u64,
    /// What the session has set of the variables that no server is told of.
    pub own: &'a Own,
    /// `wait_timeout`, in seconds.
    pub wait_timeout: u64,
    /// The isolation level as SQL, where a server that is asked would name another one.
    pub isolation: Option<String>,
    /// READ ONLY in the same way.
    pub read_only: Option<String>,
}

/// A literal, and how its type is made plain where it is a column of its own.
#[derive(Debug)]
pub(super) struct Replacement {
    pub(super) literal: String,
    cast: Option<&'static str>,
    /// MariaDB's type of a small number is narrower than that of the function it stands for; a bit operation's is not.
    wide: bool,
    /// A number that is another one each time.
    value: Option<Value>,
    /// A server knows the same fact of itself, and so its type: texts of its own in its own character set.
    of_server: bool,
}

impl Replacement {
    /// The literal with the type of what it stands for, where the server is asked for nothing but that: `IF` has the
    /// character set, the length and the coercibility also of what it does not evaluate.
    pub(super) fn typed_as(self, original: &[u8]) -> String {
        format!("IF(1, {}, {})", self.literal, String::from_utf8_lossy(original))
    }

    /// Whether a server knows the fact, of itself.
    pub(super) fn is_of_server(&self) -> bool {
        self.of_server
    }

    /// The literal with its type.
    pub(super) fn typed(self) -> String {
        match self.cast {
            Some("UNSIGNED") if self.wide => format!("({} | 0)", self.literal),
            Some(cast) if self.wide => format!("CAST(({} | 0) AS {cast})", self.literal),
            Some(cast) => format!("CAST({} AS {cast})", self.literal),
            None => self.literal,
        }
    }

    /// A parameter in the place of a number; the number.
    pub(super) fn take_value(&mut self) -> Option<Value> {
        let value = self.value.take()?;
        "?".clone_into(&mut self.literal);
        self.wide = false;
        Some(value)
    }
}

impl Facts<'_> {
    /// Whether the answer is the session's; a server knows the default of what was not set, and has no function of some
    /// names.
    pub(super) fn know(&self, fact: Fact, form: Form) -> bool {
        let mariadb = || Flavour::of_version(self.version).is_mariadb();
        match fact {
            Fact::User | Fact::CurrentUser => form != Form::Quoted,
            Fact::Schema | Fact::RowCount => form != Form::Quoted || mariadb(),
            Fact::CurrentRole => form == Form::Called || mariadb() == (form == Form::Bare),
            Fact::Own(name) => name == "wait_timeout" || self.own.value(name).is_some(),
            Fact::Isolation => self.isolation.is_some(),
            Fact::ReadOnly => self.read_only.is_some(),
            _ => true,
        }
    }

    pub(super) fn answer(&self, fact: Fact) -> Result<Replacement, MysqlError> {
        Ok(match fact {
            Fact::Schema => self.schema.map_or_else(null_text, of_server),
            Fact::User => of_server(&format!("{}@{}", self.user, self.host)),
            Fact::CurrentUser => of_server(&format!("{}@%", self.user)),
            Fact::ConnectionId => unsigned(self.connection_id.into()),
            Fact::Version => of_server(self.version),
            Fact::VersionComment => of_server("Serval"),
            Fact::HostName => of_server("serval"),
            Fact::Port => unsigned(self.port.into()),
            Fact::Autocommit => signed(self.autocommit.into()),
            Fact::InTransaction => signed(self.in_transaction.into()),
            Fact::LastInsertId => self.wide(unsigned(self.last_insert_id)),
            Fact::RowCount => self.wide(signed(self.row_count)),
            Fact::FoundRows => match self.found_rows {
                Some(rows) => self.wide(signed(i64::try_from(rows).unwrap_or(i64::MAX))),
                None => return Err(found_rows_unknown()),
            },
            Fact::WarningCount => self.wide(unsigned(self.warnings)),
            Fact::ErrorCount => self.wide(unsigned(self.errors)),
            Fact::CurrentRole => self.role(),
            Fact::Isolation => {
                sql(self.isolation.as_deref().map(|level| format!("IF(1, {level}, NULL)")), None)
            }
            Fact::ReadOnly => sql(self.read_only.clone(), Some("SIGNED")),
            Fact::Own(name) => self.own_variable(name),
        })
    }
}

impl Facts<'_> {
    /// A number of 64 bits, whatever its value.
    fn wide(&self, number: Replacement) -> Replacement {
        Replacement { wide: Flavour::of_version(self.version).is_mariadb(), ..number }
    }

    /// Accounts of Serval have no roles.
    fn role(&self) -> Replacement {
        if Flavour::of_version(self.version).is_mariadb() { null_text() } else { text("NONE") }
    }

    fn own_variable(&self, name: &str) -> Replacement {
        match self.own.value(name) {
            None => unsigned(self.wait_timeout),
            Some(value) => match value.parse() {
                Ok(number) if Own::is_number(name) => unsigned(number),
                _ => text(value),
            },
        }
    }
}

fn text(value: &str) -> Replacement {
    Replacement {
        literal: quote(value.as_bytes(), "utf8mb4"),
        cast: None,
        wide: false,
        value: None,
        of_server: false,
    }
}

/// A text that the server has another one for.
fn of_server(value: &str) -> Replacement {
    Replacement { of_server: true, ..text(value) }
}

/// What is SQL already.
fn sql(text: Option<String>, cast: Option<&'static str>) -> Replacement {
    let literal = text.unwrap_or_else(|| "NULL".to_owned());
    Replacement { literal, cast, wide: false, value: None, of_server: false }
}

fn null_text() -> Replacement {
    Replacement {
        literal: "NULL".to_owned(),
        cast: Some("CHAR(64)"),
        wide: false,
        value: None,
        of_server: false,
    }
}

fn unsigned(value: u64) -> Replacement {
    let number = i64::try_from(value).map_or(Value::UInt(value), Value::Int);
    Replacement {
        literal: value.to_string(),
        cast: Some("UNSIGNED"),
        wide: false,
        value: Some(number),
        of_server: false,
    }
}

/// Negative numbers are put in parentheses, so that what stands before them cannot join them.
fn signed(value: i64) -> Replacement {
    let literal = if value < 0 { format!("({value})") } else { value.to_string() };
    Replacement {
        literal,
        cast: Some("SIGNED"),
        wide: false,
        value: Some(Value::Int(value)),
        of_server: false,
    }
}

fn found_rows_unknown() -> MysqlError {
    MysqlError::refused(
        "FOUND_ROWS() is known only right after a SELECT without SQL_CALC_FOUND_ROWS; use SELECT COUNT(*)",
    )
}
