//! Statements: from a COM_QUERY's text to its answer.
//!
//! The text is scanned once. Rows that are read or changed take the short way through the plan cache ([`dml`]);
//! everything else is parsed and goes to the file of its kind.

mod ddl;
mod dml;
mod explain;
mod insert_id;
mod kill;
mod log;
pub(crate) mod prepared;
mod set;
mod show;
mod transaction;

use std::time::Instant;

use bytes::Bytes;
use serval_remote::Backend;
use serval_sql::{Scan, Statement, StatementClass};
use serval_types::MysqlError;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use crate::answer::Answer;
use crate::failure::{Failure, refused};
use crate::session::{Query, Session};
use crate::stream::Writer;

pub(crate) use kill::kill;
pub(crate) use show::columns::field_list;

/// One COM_QUERY: its answer is in the writer's buffer when this returns.
pub(crate) async fn query<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let started = Instant::now();
    let scan = match scan(session, sql) {
        Ok(scan) => scan,
        Err(error) => return Err(error.into()),
    };
    let class = scan.class;
    let result = dispatch(session, writer, sql, scan).await;
    log::finished(session, sql, class, started, &result);
    result
}

fn scan<B: Backend>(session: &Session<B>, sql: &[u8]) -> Result<Scan, MysqlError> {
    let scan = serval_sql::scan(sql, session.options).map_err(|error| {
        let text = String::from_utf8_lossy(sql);
        serval_sql::ParseError::from_lex(&text, &error).to_mysql()
    })?;
    match scan.next_statement {
        // Clients that may send several statements have to say so, and Serval does not offer it.
        Some(next) => Err(serval_sql::ParseError::at(&String::from_utf8_lossy(sql), next).to_mysql()),
        None => Ok(scan),
    }
}

async fn dispatch<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
    scan: Scan,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    match scan.class {
        class if is_dml(class) => dml::run(session, writer, Query::text(sql, &scan)).await,
        // Servers are content with a comment, as dump files and command-line clients send them.
        StatementClass::Empty if !is_blank(sql) => done(session, writer),
        // Everything else is rare, and its futures are large.
        _ => Box::pin(parsed(session, writer, sql)).await,
    }
}

/// Whether a statement's first word says that it reads or changes rows.
fn is_dml(class: StatementClass) -> bool {
    matches!(
        class,
        StatementClass::Select
            | StatementClass::With
            | StatementClass::Values
            | StatementClass::Insert
            | StatementClass::Replace
            | StatementClass::Update
            | StatementClass::Delete
    )
}

async fn parsed<B, W>(session: &mut Session<B>, writer: &mut Writer<W>, sql: &Bytes) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let Ok(text) = std::str::from_utf8(sql) else {
        return Err(refused("This statement must be written in UTF-8; SET NAMES utf8mb4 first"));
    };
    match serval_sql::parse(text, session.options).map_err(|error| error.to_mysql())? {
        Statement::Dml(_) => {
            let scan = scan(session, sql)?;
            dml::run(session, writer, Query::text(sql, &scan)).await
        }
        Statement::Set(assignments) => {
            set::run(session, text, assignments).await?;
            done(session, writer)
        }
        Statement::Show(show) => show::run(session, writer, text, show).await,
        Statement::Use(name) => {
            session.use_schema(&name)?;
            done(session, writer)
        }
        Statement::Transaction(statement) => {
            transaction::run(session, &statement).await?;
            done(session, writer)
        }
        Statement::Ddl(ddl) => ddl::run(session, writer, text, &ddl).await,
        Statement::Explain(explain) => explain::run(session, writer, text, &explain).await,
        Statement::Kill(statement) => {
            let id = u32::try_from(statement.id).unwrap_or(0);
            kill(session, id, statement.query)?;
            done(session, writer)
        }
        Statement::LockTables => Err(refused(
            "LOCK TABLES is not supported: no lock spans the servers behind Serval; use SELECT … FOR UPDATE in a \
             transaction",
        )),
        // There is never a lock to give up, and dump tools ask for it without having one.
        Statement::UnlockTables => done(session, writer),
        Statement::Other(StatementClass::Prepare) => {
            prepared::prepare_by_name(session, text).await?;
            session.last.changed(0, 0, 0);
            writer.ok(&OkPacket { info: b"Statement prepared".to_vec(), ..session.plain_ok() });
            Ok(())
        }
        Statement::Other(StatementClass::Execute) => prepared::execute_by_name(session, writer, text).await,
        Statement::Other(StatementClass::Deallocate) => {
            prepared::deallocate(session, text)?;
            done(session, writer)
        }
        Statement::Other(class) => Err(other(class)),
    }
}

/// Whether there is nothing at all, not even a comment.
fn is_blank(sql: &[u8]) -> bool {
    sql.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b';')
}

/// Answers a statement that has nothing to tell but its success.
fn done<B: Backend, W: AsyncWrite + Unpin>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
) -> Result<(), Failure> {
    session.last.changed(0, 0, 0);
    writer.ok(&session.plain_ok());
    Ok(())
}

/// Answers with rows that Serval has in memory.
async fn answer<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    answer: &Answer,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    session.last.selected(answer.rows.len() as u64, true, 0);
    Ok(answer.send(writer, session.status()).await?)
}

fn other(class: StatementClass) -> Failure {
    let advice = match class {
        StatementClass::Empty => {
            return Failure::Told(MysqlError {
                number: 1065,
                sqlstate: *b"42000",
                message: "Query was empty".to_owned(),
            });
        }
        StatementClass::Call => "CALL is not supported yet; run the procedure's statements one by one",
        StatementClass::Load => "LOAD DATA is not supported yet; use INSERT with many rows per statement",
        StatementClass::Do => "DO is not supported; use SELECT",
        StatementClass::Handler => "HANDLER is not supported; use SELECT",
        StatementClass::Xa => {
            "XA is not supported: Serval itself coordinates the servers behind it; use BEGIN and COMMIT"
        }
        StatementClass::Grant | StatementClass::Revoke => {
            "Accounts are defined in Serval's config, under [users]; change them there and reload"
        }
        StatementClass::Flush | StatementClass::Reset => {
            "This statement concerns one server; run it there, not through Serval"
        }
        StatementClass::Analyze
        | StatementClass::Optimize
        | StatementClass::Check
        | StatementClass::Checksum
        | StatementClass::Repair => "Table maintenance is not supported yet; run it on each server",
        _ => "This statement is not supported through Serval; run it on the servers directly",
    };
    refused(advice)
}
