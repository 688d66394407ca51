//! A prepared statement, as sessions share it.

use bytes::Bytes;
use serval_remote::{Backend, NAMES, SessionState};
use serval_sql::{LexOptions, Scan};
use serval_types::MysqlError;
use serval_wire::packet::ColumnDefinition;

use super::mode;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::session::Session;

/// A statement's text, and what was found out about it when it was prepared.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The text as the client sent it.
    pub(crate) sql: Bytes,
    /// Its scan.
    pub(crate) scan: Scan,
    /// How it is executed.
    pub(crate) kind: Kind,
    /// How it was to be read.
    pub(crate) manner: Manner,
    /// Its parameters as clients are told of them.
    pub(crate) parameters: Vec<ColumnDefinition>,
    /// Its columns, where they are known before it runs.
    pub(crate) columns: Vec<ColumnDefinition>,
    /// Warnings that preparing it left.
    pub(crate) warnings: u16,
}

/// How a statement is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It reads or changes rows: planned, and sent on with its parameters.
    Rows,
    /// It calls a procedure: sent on with its parameters.
    Call,
    /// It is about the schema that was current: run as text.
    OfSchema,
    /// Anything else: run as text.
    Plain,
}

/// What a session had set when it prepared a statement, as far as the statement depends on it. It holds for all its
/// executions, whatever the session sets later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manner {
    /// The current schema.
    pub(crate) schema: Option<Box<str>>,
    /// How literals and identifiers are written.
    pub(crate) options: LexOptions,
    /// The mode that says so to servers.
    sql_mode: Option<Box<str>>,
    /// The character set of the text.
    client: Box<str>,
    /// What else decides about character sets of answers and collations of literals.
    charsets: [Option<Box<str>>; 5],
}

/// The variables that [`Manner::charsets`] are of.
const CHARSETS: [&str; 5] = [
    NAMES,
    "character_set_client",
    "character_set_connection",
    "character_set_results",
    "collation_connection",
];

impl Manner {
    /// The session's manner now.
    pub(crate) fn of<B: Backend>(session: &Session<B>) -> Self {
        let value = |name: &str| session.state.value(name).map(Into::into);
        Self {
            schema: session.schema.as_deref().map(Into::into),
            options: session.options,
            sql_mode: value("sql_mode"),
            client: charset::of_client(&session.state).into(),
            charsets: CHARSETS.map(value),
        }
    }
}

impl Statement {
    /// Whether the session would prepare the statement as it did then.
    pub(crate) fn is_as_prepared<B: Backend>(&self, session: &Session<B>) -> bool {
        self.manner == Manner::of(session)
    }

    /// What to say where [`Statement::is_as_prepared`] says no and the statement has to be read anew.
    pub(crate) fn prepared_otherwise(&self) -> Failure {
        again("USE or SET")
    }
}

#[cfg(test)]
impl Statement {
    /// A statement of which nothing was found out.
    pub(super) fn for_tests(sql: &str) -> Self {
        let options = LexOptions::default();
        Self {
            sql: Bytes::copy_from_slice(sql.as_bytes()),
            scan: serval_sql::scan(sql.as_bytes(), options).expect("a scan"),
            kind: Kind::Plain,
            manner: Manner {
                schema: None,
                options,
                sql_mode: None,
                client: "utf8mb4".into(),
                charsets: Default::default(),
            },
            parameters: Vec::new(),
            columns: Vec::new(),
            warnings: 0,
        }
    }
}

impl Statement {
    /// How many parameters an execution needs.
    pub(crate) fn parameter_count(&self) -> u16 {
        // Checked when it was prepared.
        u16::try_from(self.scan.parameter_count()).unwrap_or(u16::MAX)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let holes = self.scan.holes.len() + self.scan.elements.len();
        let definitions = self.parameters.len() + self.columns.len();
        512 + self.sql.len() + self.scan.key.len() + holes * 24 + definitions * 256
    }

    /// Whether the text still means what it meant.
    ///
    /// # Errors
    /// 1235 where the session has since changed what the text depends on.
    pub(crate) fn check_readable<B: Backend>(&self, session: &Session<B>) -> Result<(), Failure> {
        if !self.sql.is_ascii() && charset::of_client(&session.state) != *self.manner.client {
            return Err(again("SET NAMES"));
        }
        let moved = self.manner.schema.as_deref() != session.schema.as_deref();
        if moved && self.kind == Kind::OfSchema {
            return Err(again("USE"));
        }
        if self.reads_otherwise(session.options) && !matches!(self.kind, Kind::Rows | Kind::Call) {
            return Err(again("SET sql_mode"));
        }
        Ok(())
    }

    /// [`Statement::check_readable`] for an execution as text, which is read as the session says now.
    ///
    /// # Errors
    /// 1235 likewise.
    pub(super) fn check_as_text<B: Backend>(&self, session: &Session<B>) -> Result<(), Failure> {
        self.check_readable(session)?;
        if self.manner.schema.as_deref() != session.schema.as_deref() && self.kind == Kind::Rows {
            return Err(again("USE"));
        }
        if self.reads_otherwise(session.options) {
            return Err(again("SET sql_mode"));
        }
        Ok(())
    }

    /// Whether sql_mode says that the text means something else now. A text beyond ASCII has its character set checked.
    fn reads_otherwise(&self, options: LexOptions) -> bool {
        let LexOptions { pairs, no_auto_value_on_zero, .. } = options;
        LexOptions { no_auto_value_on_zero, ..self.manner.options.with_pairs(pairs) } != options
    }

    /// The state under which servers read the text as it was meant, and do what the session wants now. `default` is the mode of
    /// the servers themselves, where it is known.
    pub(crate) fn state(&self, default: Option<&str>, state: SessionState) -> SessionState {
        let (prepared, present) = (self.manner.sql_mode.as_deref(), state.value("sql_mode"));
        if prepared == present {
            return state;
        }
        match (mode::words(prepared, default), mode::words(present, default)) {
            (Some(prepared), Some(present)) => match mode::mixed(prepared, present) {
                Some(mode) => state.with("sql_mode", &format!("'{mode}'")),
                None => state,
            },
            _ => match prepared {
                Some(mode) => state.with("sql_mode", mode),
                None => state.without("sql_mode"),
            },
        }
    }
}

fn again(statement: &str) -> Failure {
    refused(format!("The statement was prepared before {statement} and depends on it; prepare it again"))
}

/// ER_UNKNOWN_STMT_HANDLER.
pub(super) fn unknown(id: &str, command: &str) -> MysqlError {
    let message = format!("Unknown prepared statement handler ({id}) given to {command}");
    MysqlError { number: 1243, sqlstate: *b"HY000", message }
}
