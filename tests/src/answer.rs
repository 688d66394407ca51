//! A client that keeps everything a server's answer says.

use mysql_async::prelude::Protocol;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, Error, OptsBuilder, Params, QueryResult, Row, Value};

/// `ER_UNSUPPORTED_PS`.
const UNSUPPORTED_PREPARE: u16 = 1295;

/// Everything that one statement's answer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An OK packet.
    Done {
        /// Affected rows.
        affected: u64,
        /// The insert id, 0 for none.
        insert_id: u64,
        /// Number of warnings.
        warnings: u16,
        /// `Rows matched: 1  Changed: 1  Warnings: 0` and the like.
        info: String,
    },
    /// A result set.
    Rows {
        /// One line per column with all that its definition says.
        columns: Vec<String>,
        /// The rows' values as text; `NULL` for none.
        rows: Vec<Vec<String>>,
        /// Number of warnings.
        warnings: u16,
    },
    /// An error packet.
    Refused {
        /// The error's number.
        number: u16,
        /// Its SQLSTATE.
        state: String,
        /// Its text.
        message: String,
    },
    /// No answer: the connection broke, or what came was not the protocol.
    Broken(String),
}

impl Answer {
    /// The error's number, 0 for an answer without an error.
    #[must_use]
    pub fn error_number(&self) -> u16 {
        match self {
            Answer::Refused { number, .. } => *number,
            _ => 0,
        }
    }

    /// The error's text, empty without an error.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Answer::Refused { message, .. } | Answer::Broken(message) => message,
            _ => "",
        }
    }

    /// The rows.
    ///
    /// # Panics
    /// If the answer is not a result set.
    #[must_use]
    pub fn rows(&self) -> &[Vec<String>] {
        match self {
            Answer::Rows { rows, .. } => rows,
            other => panic!("no rows but {other:?}"),
        }
    }
}

/// A connection whose answers are kept whole.
#[derive(Debug)]
pub struct Client {
    name: &'static str,
    options: OptsBuilder,
    connection: Option<Conn>,
    prepares: bool,
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// If that fails; tests of refused connections use [`Client::try_connect`].
    pub async fn connect(name: &'static str, options: OptsBuilder) -> Client {
        match Client::try_connect(name, options).await {
            Ok(client) => client,
            Err(answer) => panic!("connecting to the {name}: {answer:?}"),
        }
    }

    /// Connects; the error is what the server answered.
    pub async fn try_connect(name: &'static str, options: OptsBuilder) -> Result<Client, Answer> {
        // Given sizes keep the client from asking for them, so that the first statement is the test's own.
        let options = options.max_allowed_packet(Some(64 << 20)).wait_timeout(Some(28_800));
        let connection = Conn::new(options.clone()).await.map_err(answer_of)?;
        Ok(Client { name, options, connection: Some(connection), prepares: false })
    }

    /// The same, but every statement is prepared and executed, in the binary protocol.
    #[must_use]
    pub fn preparing(self) -> Client {
        Client { prepares: true, ..self }
    }

    /// Runs a statement and keeps its answer.
    ///
    /// # Panics
    /// If the connection broke in an earlier statement.
    pub async fn run(&mut self, sql: &str) -> Answer {
        // Asking whether it can be prepared would already change what there is to warn of.
        if self.prepares && !sql.ends_with("WARNINGS") && !sql.ends_with("ERRORS") {
            match self.execute(sql, &[]).await {
                // What cannot be prepared is sent as it is, as drivers do.
                answer if answer.error_number() == UNSUPPORTED_PREPARE => {}
                answer => return answer,
            }
        }
        let name = self.name;
        let connection =
            self.connection.as_mut().unwrap_or_else(|| panic!("the {name}'s connection is gone"));
        let answer = ask(connection, sql).await.unwrap_or_else(answer_of);
        if matches!(answer, Answer::Broken(_)) {
            self.connection = None;
        }
        answer
    }

    /// Prepares a statement, unless this connection has it prepared, and executes it with these values.
    ///
    /// # Panics
    /// If the connection broke in an earlier statement.
    pub async fn execute(&mut self, sql: &str, values: &[Value]) -> Answer {
        let name = self.name;
        let connection =
            self.connection.as_mut().unwrap_or_else(|| panic!("the {name}'s connection is gone"));
        let answer = execute(connection, sql, values).await.unwrap_or_else(answer_of);
        if matches!(answer, Answer::Broken(_)) {
            self.connection = None;
        }
        answer
    }

    /// Runs a statement that must not fail.
    ///
    /// # Panics
    /// If it fails.
    pub async fn must(&mut self, sql: &str) -> Answer {
        let answer = self.run(sql).await;
        match answer {
            Answer::Refused { .. } | Answer::Broken(_) => {
                panic!("the {} answers {sql:?}: {answer:?}", self.name)
            }
            answer => answer,
        }
    }

    /// The rows of a query that must not fail.
    ///
    /// # Panics
    /// If it fails or answers without a result set.
    pub async fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        self.must(sql).await.rows().to_vec()
    }

    /// The first value of the first row.
    ///
    /// # Panics
    /// If there is none.
    pub async fn value(&mut self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        let value = rows.first().and_then(|row| row.first());
        value.unwrap_or_else(|| panic!("no row for {sql:?}")).clone()
    }

    /// Connects again, after the connection broke or to begin anew.
    pub async fn reconnect(&mut self) {
        self.connection = None;
        let prepares = self.prepares;
        *self = Client { prepares, ..Client::connect(self.name, self.options.clone()).await };
    }

    /// What it is connected to, for somebody who wants to look as well.
    #[must_use]
    pub fn address(&self) -> String {
        let options = mysql_async::Opts::from(self.options.clone());
        format!("the {}: port {}, {:?}", self.name, options.tcp_port(), options.db_name())
    }

    /// The server's number for this connection.
    ///
    /// # Panics
    /// If the connection broke.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.connection.as_ref().expect("a connection").id()
    }
}

async fn ask(connection: &mut Conn, sql: &str) -> Result<Answer, Error> {
    read(connection.query_iter(sql).await?).await
}

async fn execute(connection: &mut Conn, sql: &str, values: &[Value]) -> Result<Answer, Error> {
    let parameters = match values {
        [] => Params::Empty,
        values => Params::Positional(values.to_vec()),
    };
    read(connection.exec_iter(sql, parameters).await?).await
}

async fn read<P: Protocol>(mut result: QueryResult<'_, '_, P>) -> Result<Answer, Error> {
    let Some(columns) = result.columns().filter(|columns| !columns.is_empty()) else {
        let (affected, insert_id) = (result.affected_rows(), result.last_insert_id().unwrap_or(0));
        let (warnings, info) = (result.warnings(), result.info().into_owned());
        result.drop_result().await?;
        return Ok(Answer::Done { affected, insert_id, warnings, info });
    };
    let rows: Vec<Row> = result.collect().await?;
    let warnings = result.warnings();
    result.drop_result().await?;
    let columns = columns.iter().map(described).collect();
    Ok(Answer::Rows { columns, rows: rows.into_iter().map(texts).collect(), warnings })
}

fn answer_of(error: Error) -> Answer {
    match error {
        Error::Server(error) => {
            Answer::Refused { number: error.code, state: error.state, message: error.message }
        }
        other => Answer::Broken(other.to_string()),
    }
}

fn texts(row: Row) -> Vec<String> {
    let text = |value| match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => error.as_bytes().iter().map(|byte| format!("\\x{byte:02x}")).collect(),
        },
        other => format!("{other:?}"),
    };
    row.unwrap().into_iter().map(text).collect()
}

/// All of a column's definition in one line, so that a difference shows as one.
fn described(column: &Column) -> String {
    format!(
        "`{}` of {}.{} (really `{}` of {}) {:?} length {} decimals {} charset {} flags {:?}",
        column.name_str(),
        column.schema_str(),
        column.table_str(),
        column.org_name_str(),
        column.org_table_str(),
        column.column_type(),
        column.column_length(),
        column.decimals(),
        column.character_set(),
        column.flags(),
    )
}
