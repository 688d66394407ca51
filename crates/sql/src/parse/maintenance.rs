//! ANALYZE, CHECK, CHECKSUM, OPTIMIZE and REPAIR TABLE.

use super::{Cursor, ParseError, TableName};
use crate::Span;

/// A statement that looks after tables and answers with rows about each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// ANALYZE, CHECK, CHECKSUM, OPTIMIZE or REPAIR.
    pub verb: &'static str,
    /// The words up to the tables.
    pub words: Span,
    /// The tables.
    pub tables: Vec<TableName>,
    /// The options behind them; empty where there are none.
    pub options: Span,
}

const VERBS: [&str; 5] = ["ANALYZE", "CHECK", "CHECKSUM", "OPTIMIZE", "REPAIR"];

/// Reads the statement; `None` where it is another one that begins with such a word.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Maintenance>, ParseError> {
    let start = cursor.peek().map_or(0, |token| token.span.start);
    let Some(verb) = cursor.accept_one(&VERBS) else { return Ok(None) };
    let _ = cursor.accept_one(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if cursor.accept_one(&["TABLE", "TABLES"]).is_none() {
        return Ok(None);
    }
    let end = cursor.previous().map_or(start, |last| last.span.end);
    let mut tables = vec![cursor.table_name()?];
    while cursor.accept_symbol(b',') {
        tables.push(cursor.table_name()?);
    }
    let options = if cursor.is_end() { Span::default() } else { cursor.rest() };
    Ok(Some(Maintenance { verb, words: Span { start, end }, tables, options }))
}

#[cfg(test)]
mod tests {
    use crate::{LexOptions, Statement, StatementClass, parse};

    #[test]
    fn tables_and_options_are_found() {
        let sql = "CHECK TABLE a, s.b QUICK FAST";
        let Ok(Statement::Maintenance(found)) = parse(sql, LexOptions::default()) else { panic!("{sql}") };
        assert_eq!(
            (found.verb, found.words.text(sql), found.options.text(sql)),
            ("CHECK", "CHECK TABLE", "QUICK FAST")
        );
        assert_eq!(found.tables.len(), 2);
        let local = parse("ANALYZE LOCAL TABLE t", LexOptions::default());
        assert!(matches!(local, Ok(Statement::Maintenance(_))));
    }

    #[test]
    fn others_are_not_maintenance() {
        let view = parse("CHECK VIEW v", LexOptions::default());
        assert!(matches!(view, Ok(Statement::Other(StatementClass::Check))));
        assert!(matches!(parse("ANALYZE SELECT 1", LexOptions::default()), Ok(Statement::Explain(_))));
    }
}
