//! SHOW COLUMNS, DESCRIBE and COM_FIELD_LIST.

use serval_remote::Backend;
use serval_sql::{Filter, Ident, LexOptions, Span, TableName};
use tokio::io::AsyncWrite;

use super::like;
use super::place::Place;
use crate::answer::{Answer, end_rows};
use crate::failure::Failure;
use crate::session::Session;
use crate::stream::Writer;

/// The columns of a table, as its first shard shows them.
pub(super) async fn rows<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    words: &str,
    table: &TableName,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    let place = Place::find(session, table)?;
    let sql = format!("SHOW {words}COLUMNS FROM {}{}", place.quoted(), clause(text, filter, session.options));
    place.ask(session, sql).await
}

/// The words before COLUMNS.
pub(super) fn words(extended: bool, full: bool) -> String {
    format!("{}{}", if extended { "EXTENDED " } else { "" }, if full { "FULL " } else { "" })
}

/// The filter in the client's own words; the column that DESCRIBE names becomes a pattern.
pub(super) fn clause(text: &str, filter: Option<&Filter>, options: LexOptions) -> String {
    match filter {
        None => String::new(),
        Some(Filter::Like { pattern, span }) => match of(text, *span) {
            literal if literal.ends_with('\'') => format!(" LIKE {literal}"),
            _ => format!(" LIKE {}", string(pattern, options)),
        },
        Some(Filter::Where(span)) => format!(" WHERE {}", of(text, *span)),
    }
}

/// A string literal in its plainest form, which is the only one that SHOW takes.
fn string(text: &str, options: LexOptions) -> String {
    let text = text.replace('\'', "''");
    if options.no_backslash_escapes {
        format!("'{text}'")
    } else {
        format!("'{}'", text.replace('\\', r"\\"))
    }
}

fn of(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// COM_FIELD_LIST: the definitions of a table's columns, for the completion of command-line clients.
pub(crate) async fn field_list<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    table: &[u8],
    wildcard: &[u8],
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let nowhere = Span { start: 0, end: 0 };
    let name = Ident { value: String::from_utf8_lossy(table).into_owned(), span: nowhere };
    let place = Place::find(session, &TableName { schema: None, table: name })?;
    let sql = format!("SELECT * FROM {} WHERE FALSE", place.quoted());
    let answer = place.ask(session, sql).await?;
    let wildcard = String::from_utf8_lossy(wildcard);
    let wanted =
        |name: &[u8]| wildcard.is_empty() || like::matches(&wildcard, &String::from_utf8_lossy(name));
    for column in answer.columns.iter().filter(|column| wanted(&column.name)) {
        writer.encode(|capabilities, out| column.encode_with_default(capabilities, None, out));
    }
    end_rows(writer, session.status(), 0);
    Ok(())
}
