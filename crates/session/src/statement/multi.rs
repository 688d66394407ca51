//! Several statements in one COM_QUERY, of clients that said that they may send them (`CLIENT_MULTI_STATEMENTS`, or
//! COM_SET_OPTION later).
//!
//! Each is a statement of its own: planned, timed, counted and logged by itself, and its answer follows the one before
//! under the next sequence id. All answers but the last carry `SERVER_MORE_RESULTS_EXISTS`. The first error ends it all.

use std::time::Instant;

use bytes::Bytes;
use serval_remote::Backend;
use serval_sql::{LexOptions, ParseError, Scan, StatementClass, tokens};
use serval_types::MysqlError;
use tokio::io::AsyncWrite;

use super::{dispatch, log, may_end, scan_first};
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::Writer;

/// Runs all statements of a text whose first one was scanned.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
    first: Scan,
    mut started: Instant,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let (mut text, mut scan) = (sql.slice(..trimmed(sql).max(first.end as usize)), first);
    let mut number = 0_usize;
    loop {
        let rest = behind(&text, &scan, session.options);
        if rest.is_some() && scan.class == StatementClass::Empty {
            return Err(error_at(&text, scan.end).into());
        }
        let statement = if rest.is_some() { text.slice(..scan.end as usize) } else { text };
        scan.next_statement = None;
        writer.set_more_results(rest.is_some());
        let class = scan.class;
        if rest.is_some() || number > 0 {
            super::hints::refuse_timeout(&scan)?;
        }
        number += 1;
        let result = dispatch(session, writer, &statement, &scan).await;
        log::finished(session, &statement, class, started, &result);
        result?;
        // RELEASE ends the connection, and whatever is behind it is not read.
        let Some(rest) = rest.filter(|_| !session.leaving) else { return Ok(()) };
        writer.flush().await?;
        session.fetch_warnings().await;
        writer.next_answer();
        writer.set_metadata(session.metadata);
        session.changes.clear();
        started = Instant::now();
        session.entry.next(rest.clone(), may_end(&rest));
        (scan, text) = (scan_first(session, &rest)?, rest);
    }
}

/// Where a text ends that has nothing but `;` and white space behind. Servers cut that off before they read.
fn trimmed(sql: &[u8]) -> usize {
    let is_more = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b';';
    sql.iter().rposition(is_more).map_or(0, |last| last + 1)
}

/// What follows the `;` behind the first statement. To a server a comment is a statement too, with an answer of its
/// own.
fn behind(text: &Bytes, scan: &Scan, options: LexOptions) -> Option<Bytes> {
    let end = scan.end as usize;
    // Up to the next statement there are only comments and `;`.
    let gap = text.get(end..scan.next_statement.map_or(text.len(), |next| next as usize))?;
    let tokens = tokens(gap, options).ok()?;
    let semicolon = tokens.iter().find(|token| token.is_symbol(b';'))?;
    let start = end + semicolon.span.end as usize;
    let rest = text.get(start..)?;
    let blank = rest.len() - rest.trim_ascii_start().len();
    Some(text.slice(start + blank..)).filter(|rest| !rest.is_empty())
}

fn error_at(text: &[u8], position: u32) -> MysqlError {
    ParseError::at(&String::from_utf8_lossy(text), position).to_mysql()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statements that a text is split into.
    fn check(text: &'static str, expect: &[&str]) {
        let options = LexOptions::default();
        let mut rest = Some(Bytes::from_static(text.as_bytes()));
        rest = rest.map(|text| text.slice(..trimmed(&text)));
        let mut found = Vec::new();
        while let Some(text) = rest {
            let scan = serval_sql::scan(&text, options).unwrap();
            rest = behind(&text, &scan, options);
            let statement = if rest.is_some() { text.slice(..scan.end as usize) } else { text };
            found.push(String::from_utf8_lossy(&statement).into_owned());
        }
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn texts_are_split_as_servers_do() {
        check("SELECT 1; SELECT ';' ; ", &["SELECT 1", "SELECT ';'"]);
        check("SELECT 1;;\n", &["SELECT 1"]);
        check("SELECT 1; -- c", &["SELECT 1", "-- c"]);
        check("SELECT 1 -- a;\n; /* b; */ SELECT 2", &["SELECT 1", "/* b; */ SELECT 2"]);
        // An empty statement is a mistake, which shows when its turn comes.
        check("SELECT 1;;SELECT 2", &["SELECT 1", "", "SELECT 2"]);
        check(
            "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
            &["CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END"],
        );
    }
}
