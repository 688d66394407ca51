//! Statements: from a COM_QUERY's text to its answer.
//!
//! The text is scanned once. Rows that are read or changed take the short way through the plan cache ([`dml`]);
//! everything else is parsed and goes to the file of its kind.

mod call;
mod databases;
mod ddl;
mod definitions;
mod dml;
mod engines;
mod explain;
mod expressions;
mod functions;
mod gathered;
mod hints;
mod implied;
pub(crate) mod information_schema;
mod insert_id;
mod into;
mod kill;
mod load;
mod lock_tables;
mod log;
mod maintenance;
mod missed;
mod multi;
pub(crate) mod named_locks;
pub(crate) mod prepared;
mod select_limit;
mod set;
mod show;
mod staged;
mod stored;
mod temporary;
mod track;
mod transaction;

use bytes::Bytes;
use serval_remote::Backend;
use serval_sql::{Scan, Statement, StatementClass};
use serval_types::MysqlError;
use serval_wire::Capabilities;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use crate::answer::Answer;
use crate::failure::{Failure, refused};
use crate::session::{Query, Session};
use crate::stream::Writer;

pub use definitions::store_views;
pub(crate) use hints::{limit as hinted_limit, of as hints_of, refuse_places};
pub(crate) use insert_id::Learned;
pub(crate) use into::{one_group, telling_group};
pub(crate) use kill::kill;
pub(crate) use log::span;
pub(crate) use set::{check_size, user_variable};
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
    let started = session.began;
    let scan = scan_first(session, sql)?;
    if scan.end as usize != sql.len() && writer.capabilities().contains(Capabilities::CLIENT_MULTI_STATEMENTS)
    {
        return Box::pin(multi::run(session, writer, sql, scan, started)).await;
    }
    alone(sql, &scan)?;
    let result = dispatch(session, writer, sql, &scan).await;
    log::finished(session, sql, scan.class, started, &result);
    result
}

/// Whether a statement may be given up when its time is over. A COMMIT that is given up half-way would leave its
/// outcome unknown.
pub(crate) fn may_end(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_start();
    let is = |word: &[u8]| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    !is(b"COMMIT") && !is(b"ROLLBACK")
}

/// Scans a text that has to be one statement.
fn scan<B: Backend>(session: &Session<B>, sql: &[u8]) -> Result<Scan, MysqlError> {
    let scan = scan_first(session, sql)?;
    alone(sql, &scan)?;
    Ok(scan)
}

/// Scans the first statement of a text.
fn scan_first<B: Backend>(session: &Session<B>, sql: &[u8]) -> Result<Scan, MysqlError> {
    let found = crate::heavy::beside_others(sql.len(), || serval_sql::scan(sql, session.options));
    found.map_err(|error| {
        let text = String::from_utf8_lossy(sql);
        serval_sql::ParseError::from_lex(&text, &error).to_mysql()
    })
}

/// Refuses a text that has another statement behind the scanned one.
fn alone(sql: &[u8], scan: &Scan) -> Result<(), MysqlError> {
    match scan.next_statement {
        // Clients that may send several statements have to say so.
        Some(next) => Err(serval_sql::ParseError::at(&String::from_utf8_lossy(sql), next).to_mysql()),
        None => Ok(()),
    }
}

async fn dispatch<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
    scan: &Scan,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    if scan.version_comments {
        return Box::pin(opened(session, writer, sql)).await;
    }
    if let Some(named) = engines::named(session, sql, scan)? {
        return Box::pin(engines::run(session, writer, sql, scan, &named)).await;
    }
    if scan.hints.is_some() && !is_dml(scan.class) {
        hints::check_class(scan)?;
    }
    match scan.class {
        class if is_dml(class) => definitions::with_fresh(session, writer, Query::text(sql, scan)).await,
        // Servers are content with a comment, as dump files and command-line clients send them.
        StatementClass::Empty if !is_blank(sql) => done(session, writer),
        StatementClass::Call => Box::pin(call::run(session, writer, Query::text(sql, scan))).await,
        // Everything else is rare, and its futures are large.
        _ => Box::pin(parsed(session, writer, sql)).await,
    }
}

/// A statement with version comments: what a server of the announced version reads of it.
async fn opened<B, W>(session: &mut Session<B>, writer: &mut Writer<W>, sql: &Bytes) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let sql = open_version_comments(session, sql)?;
    let scan = scan(session, &sql)?;
    if scan.class == StatementClass::Empty {
        return done(session, writer);
    }
    dispatch(session, writer, &sql, &scan).await
}

/// The statement without its version comments.
fn open_version_comments<B: Backend>(session: &Session<B>, sql: &Bytes) -> Result<Bytes, MysqlError> {
    let opened =
        serval_sql::open_version_comments(sql, session.options, session.proxy.flavour().server_kind());
    let opened = opened.map_err(|error| {
        serval_sql::ParseError::from_lex(&String::from_utf8_lossy(sql), &error).to_mysql()
    })?;
    Ok(opened.map_or_else(|| sql.clone(), Bytes::from))
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
    let readable = serval_sql::readable(sql, &scan(session, sql)?, session.options.pairs);
    let Some(readable) = readable else { return Err(not_utf8()) };
    let (text, is_masked) = (&*readable, matches!(readable, std::borrow::Cow::Owned(_)));
    match serval_sql::parse(text, session.options).map_err(|error| error.to_mysql())? {
        Statement::Dml(_) => {
            let scan = scan(session, sql)?;
            definitions::with_fresh(session, writer, Query::text(sql, &scan)).await
        }
        Statement::Set(assignments) => {
            track::set(session, writer, set::Text { sql, readable: text }, assignments).await?;
            writer.ok(&OkPacket { warnings: session.last.answered, ..session.plain_ok() });
            Ok(())
        }
        Statement::SetStatement { assignments, statement } => {
            set::run_for_statement(session, writer, (sql, text), assignments, statement).await
        }
        Statement::Do(items) => expressions::run(session, writer, items.of(sql)).await,
        _ if is_masked => Err(not_utf8()),
        Statement::Show(show) => show::run(session, writer, text, show).await,
        Statement::Use(name) => {
            session.use_schema(&name)?;
            done(session, writer)
        }
        Statement::Transaction(statement) => {
            transaction::run(session, &statement).await?;
            done(session, writer)
        }
        Statement::Load(load) => {
            // What belongs to the session takes the place of its words, which moves what stands behind them.
            let filled = session.with_identity(text.as_bytes())?;
            match std::str::from_utf8(&filled) {
                Ok(filled) if filled != text => {
                    let parsed =
                        serval_sql::parse(filled, session.options).map_err(|error| error.to_mysql())?;
                    let Statement::Load(load) = parsed else { return Err(other(StatementClass::Load)) };
                    load::run(session, writer, filled, &load).await
                }
                _ => load::run(session, writer, text, &load).await,
            }
        }
        Statement::Ddl(ddl) if temporary::is_meant(&ddl) => ddl::run(session, writer, text, &ddl).await,
        Statement::Ddl(ddl) => {
            implied::read(session, text).await?;
            let result = ddl::run(session, writer, text, &ddl).await;
            implied::settle(session, result).await
        }
        Statement::Explain(explain) => explain::run(session, writer, text, &explain).await,
        Statement::Maintenance(statement) => {
            implied::read(session, text).await?;
            maintenance::run(session, writer, text, &statement).await
        }
        Statement::Kill(statement) => {
            let id = u32::try_from(statement.id).unwrap_or(0);
            kill(session, id, statement.query)?;
            done(session, writer)
        }
        Statement::LockTables(statement) => {
            lock_tables::lock(session, text, &statement).await?;
            done(session, writer)
        }
        Statement::UnlockTables => {
            lock_tables::unlock(session).await?;
            done(session, writer)
        }
        Statement::Other(StatementClass::Prepare) => {
            prepared::prepare_by_name(session, text).await?;
            session.changes.something();
            session.last.changed(0, 0, 0);
            writer.ok(&OkPacket { info: b"Statement prepared".to_vec(), ..session.plain_ok() });
            Ok(())
        }
        Statement::Other(StatementClass::Execute) => prepared::execute_by_name(session, writer, text).await,
        Statement::Other(StatementClass::Deallocate) => {
            prepared::deallocate(session, text)?;
            session.changes.something();
            done(session, writer)
        }
        Statement::Other(class) => Err(other(class)),
    }
}

fn not_utf8() -> Failure {
    refused("This statement must be written in UTF-8; SET NAMES utf8mb4 first")
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
    let kept = session.last.warnings();
    session.last.changed(0, 0, 0);
    session.last.keep(kept, session.proxy.flavour());
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
    session.last.selected(Some(answer.rows.len() as u64), 0);
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
        StatementClass::Load => {
            "LOAD XML is not supported; write the rows as lines and use LOAD DATA LOCAL INFILE"
        }
        StatementClass::Set => {
            "Accounts, their passwords and roles are defined in Serval's config, under [users]; change them there and \
             reload"
        }
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
        | StatementClass::Repair => {
            "This form of table maintenance is not supported through Serval; run it on each server"
        }
        _ => "This statement is not supported through Serval; run it on the servers directly",
    };
    refused(advice)
}
