//! SET STATEMENT … FOR: variables that hold for one statement, as MariaDB has it.

use bytes::Bytes;
use serval_remote::Backend;
use serval_sql::{Assignment, Span};
use serval_types::MysqlError;
use tokio::io::AsyncWrite;

use super::Text;
use crate::failure::{Failure, refused};
use crate::session::Session;
use crate::statement::{dispatch, scan};
use crate::stream::Writer;

/// Variables that MariaDB takes in no SET STATEMENT.
const NOT_FOR_ONE: [&str; 18] = [
    "autocommit",
    "character_set_client",
    "character_set_connection",
    "character_set_filesystem",
    "collation_connection",
    "default_master_connection",
    "debug_sync",
    "gtid_domain_id",
    "gtid_seq_no",
    "interactive_timeout",
    "last_insert_id",
    "log_slow_filter",
    "identity",
    "insert_id",
    "pseudo_thread_id",
    "rand_seed1",
    "rand_seed2",
    "wait_timeout",
];

/// Sets the variables, runs the statement, and sets them back.
pub(in crate::statement) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    (sql, readable): (&Bytes, &str),
    assignments: Vec<Assignment>,
    statement: Span,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    if !session.proxy.flavour().is_mariadb() {
        let at = readable.to_ascii_uppercase().find("STATEMENT").unwrap_or(0);
        let at = u32::try_from(at).unwrap_or(0);
        return Err(serval_sql::ParseError::at(readable, at).to_mysql().into());
    }
    let names: Vec<String> = assignments.iter().filter_map(name).collect();
    if let Some(name) = names.iter().find(|name| NOT_FOR_ONE.contains(&name.as_str())) {
        return Err(cannot(name).into());
    }
    let (state, options, own) = (session.state.clone(), session.options, session.own.clone());
    super::run(session, Text { sql, readable }, assignments).await?;
    let result = if session.options == options {
        let inner = sql.slice(statement.start as usize..statement.end as usize);
        let scan = scan(session, &inner)?;
        Box::pin(dispatch(session, writer, &inner, &scan)).await
    } else {
        // MariaDB reads the statement before it sets the variable; the servers would read it after.
        Err(refused("SET STATEMENT cannot change how the statement itself is read; SET sql_mode before it"))
    };
    for name in &names {
        session.state = match state.value(name) {
            Some(value) => session.state.with(name, value),
            None => session.state.without(name),
        };
    }
    (session.options, session.own) = (options, own);
    result
}

fn name(assignment: &Assignment) -> Option<String> {
    match assignment {
        Assignment::Variable { name, .. } => Some(name.clone()),
        _ => None,
    }
}

fn cannot(name: &str) -> MysqlError {
    // ER_SET_STATEMENT_NOT_SUPPORTED.
    let message = format!("The system variable {name} cannot be set in SET STATEMENT.");
    MysqlError { number: 1971, sqlstate: *b"42000", message }
}
