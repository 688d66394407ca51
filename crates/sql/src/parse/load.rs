//! LOAD DATA: the whole of its grammar, with the places that have to be changed for a node
//! ([manual](https://dev.mysql.com/doc/refman/8.4/en/load-data.html)).

use serval_types::Value;

use super::{Cursor, Ident, ParseError, Statement, TableName};
use crate::{Span, StatementClass, TokenKind};

/// A LOAD DATA statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadData {
    /// LOCAL: the client has the file, not the server.
    pub local: bool,
    /// The file's name.
    pub file: Vec<u8>,
    /// What becomes of rows whose keys are there already.
    pub duplicates: Option<Duplicates>,
    /// The table.
    pub table: TableName,
    /// The character set that the file is said to be in.
    pub charset: Option<String>,
    /// How rows and fields are told from each other.
    pub format: LoadFormat,
    /// The number of lines to leave out, and where that is said.
    pub ignored_lines: Option<(u64, Span)>,
    /// What the fields of a row go to; empty for the table's columns.
    pub columns: Vec<LoadColumn>,
    /// Where the list of columns can be inserted, or begun with another: behind its parenthesis where there is one.
    pub list: Span,
    /// The columns that SET gives values to, and where the values stand.
    pub set: Vec<(Ident, Span)>,
    /// A value in SET reads tables, or changes a variable.
    pub reads_tables: bool,
}

/// REPLACE or IGNORE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The new row takes the old one's place.
    Replace,
    /// The new row is left out.
    Ignore,
}

/// Where a field goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadColumn {
    /// Into this column.
    Column(Ident),
    /// Into a user variable, whose name this is, without its sign.
    Variable(String),
}

/// The clauses FIELDS and LINES, with what holds where they say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadFormat {
    /// Between fields.
    pub field_end: Vec<u8>,
    /// Around fields.
    pub quote: Option<u8>,
    /// Before characters that mean something else.
    pub escape: Option<u8>,
    /// Before the fields of a row; whatever precedes it is skipped.
    pub line_start: Vec<u8>,
    /// Behind rows.
    pub line_end: Vec<u8>,
}

/// Reads a statement whose first word is LOAD; LOAD XML and others are left to who knows them.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Statement, ParseError> {
    if !cursor.sees(&["LOAD", "DATA"]) {
        return Ok(Statement::Other(StatementClass::Load));
    }
    load_data(cursor).map(|load| Statement::Load(Box::new(load)))
}

fn load_data(cursor: &mut Cursor<'_>) -> Result<LoadData, ParseError> {
    cursor.expect(&["LOAD", "DATA"])?;
    let _ = cursor.accept_one(&["LOW_PRIORITY", "CONCURRENT"]);
    let local = cursor.accept(&["LOCAL"]);
    cursor.expect(&["INFILE"])?;
    let file = bytes(cursor)?;
    let duplicates = match cursor.accept_one(&["REPLACE", "IGNORE"]) {
        Some("REPLACE") => Some(Duplicates::Replace),
        Some(_) => Some(Duplicates::Ignore),
        None => None,
    };
    cursor.expect(&["INTO", "TABLE"])?;
    let table = cursor.table_name()?;
    if cursor.accept(&["PARTITION"]) && !cursor.skip_parentheses()? {
        return Err(cursor.error());
    }
    let charset = charset(cursor)?;
    let format = format(cursor)?;
    let ignored_lines = ignored_lines(cursor)?;
    let (columns, list) = columns(cursor)?;
    let before = cursor.clone();
    let set = if cursor.accept(&["SET"]) { assignments(cursor)? } else { Vec::new() };
    let reads_tables = has_more_than_values(before);
    cursor.expect_end()?;
    Ok(LoadData {
        local,
        file,
        duplicates,
        table,
        charset,
        format,
        ignored_lines,
        columns,
        list,
        set,
        reads_tables,
    })
}

fn charset(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if !cursor.accept(&["CHARACTER", "SET"]) && !cursor.accept(&["CHARSET"]) {
        return Ok(None);
    }
    match cursor.peek().map(|token| token.kind) {
        Some(TokenKind::Text) => cursor.string().map(|(name, _)| Some(name)),
        _ => cursor.ident().map(|name| Some(name.value)),
    }
}

fn format(cursor: &mut Cursor<'_>) -> Result<LoadFormat, ParseError> {
    let escape = (!cursor.options.no_backslash_escapes).then_some(b'\\');
    let mut format = LoadFormat {
        field_end: b"\t".to_vec(),
        quote: None,
        escape,
        line_start: Vec::new(),
        line_end: b"\n".to_vec(),
    };
    if cursor.accept_one(&["FIELDS", "COLUMNS"]).is_some() {
        field_options(cursor, &mut format)?;
    }
    if cursor.accept(&["LINES"]) {
        line_options(cursor, &mut format)?;
    }
    Ok(format)
}

fn field_options(cursor: &mut Cursor<'_>, format: &mut LoadFormat) -> Result<(), ParseError> {
    let mut said = false;
    loop {
        if cursor.accept(&["TERMINATED", "BY"]) {
            format.field_end = bytes(cursor)?;
        } else if cursor.accept(&["OPTIONALLY", "ENCLOSED", "BY"]) || cursor.accept(&["ENCLOSED", "BY"]) {
            format.quote = character(cursor)?;
        } else if cursor.accept(&["ESCAPED", "BY"]) {
            format.escape = character(cursor)?;
        } else {
            return if said { Ok(()) } else { Err(cursor.error()) };
        }
        said = true;
    }
}

fn line_options(cursor: &mut Cursor<'_>, format: &mut LoadFormat) -> Result<(), ParseError> {
    let mut said = false;
    loop {
        if cursor.accept(&["TERMINATED", "BY"]) {
            format.line_end = bytes(cursor)?;
        } else if cursor.accept(&["STARTING", "BY"]) {
            format.line_start = bytes(cursor)?;
        } else {
            return if said { Ok(()) } else { Err(cursor.error()) };
        }
        said = true;
    }
}

fn ignored_lines(cursor: &mut Cursor<'_>) -> Result<Option<(u64, Span)>, ParseError> {
    let Some(first) = cursor.peek().filter(|_| cursor.sees(&["IGNORE"])) else { return Ok(None) };
    let _ = cursor.accept(&["IGNORE"]);
    let number = cursor.next().filter(|token| token.kind == TokenKind::Integer);
    let number = number.and_then(|token| token.span.text(cursor.sql).parse().ok());
    let number = number.ok_or_else(|| cursor.error())?;
    let last = cursor.peek().ok_or_else(|| cursor.error())?;
    cursor.accept_one(&["LINES", "ROWS"]).ok_or_else(|| cursor.error())?;
    Ok(Some((number, first.span.to(last.span))))
}

/// The list, and where it begins; where there is none, the place for one.
fn columns(cursor: &mut Cursor<'_>) -> Result<(Vec<LoadColumn>, Span), ParseError> {
    let mut columns = Vec::new();
    if !cursor.accept_symbol(b'(') {
        let end = cursor.previous().map_or(0, |last| last.span.end);
        return Ok((columns, Span::at(end)));
    }
    let list = Span::at(cursor.previous().map_or(0, |open| open.span.end));
    while !cursor.accept_symbol(b')') {
        if !columns.is_empty() {
            cursor.expect_symbol(b',')?;
        }
        columns.push(match cursor.peek() {
            Some(token) if token.kind == TokenKind::UserVariable => {
                let _ = cursor.next();
                LoadColumn::Variable(variable(token.span.text(cursor.sql)))
            }
            _ => LoadColumn::Column(column(cursor)?),
        });
    }
    Ok((columns, list))
}

/// A column's name; the table's may stand before it.
fn column(cursor: &mut Cursor<'_>) -> Result<Ident, ParseError> {
    let mut name = cursor.ident()?;
    if cursor.sees_symbol(b'.') {
        // What the name means would depend on the table's, which is another on a node.
        return Err(cursor.error());
    }
    name.value.truncate(name.value.trim_end().len());
    Ok(name)
}

fn assignments(cursor: &mut Cursor<'_>) -> Result<Vec<(Ident, Span)>, ParseError> {
    let mut all = Vec::new();
    loop {
        let name = column(cursor)?;
        let assigns = cursor.peek().filter(|token| {
            token.is_symbol(b'=') || token.kind == TokenKind::Operator && token.span.text(cursor.sql) == ":="
        });
        assigns.ok_or_else(|| cursor.error())?;
        let _ = cursor.next();
        all.push((name, cursor.expression(&[])?));
        if !cursor.accept_symbol(b',') {
            return Ok(all);
        }
    }
}

/// Whether a query or an assignment stands in what is left.
fn has_more_than_values(mut cursor: Cursor<'_>) -> bool {
    let sql = cursor.sql;
    let mut before = None;
    while let Some(token) = cursor.next() {
        let assigns = token.kind == TokenKind::Operator && token.span.text(sql) == ":=";
        let variable = before.is_some_and(|kind| kind == TokenKind::UserVariable);
        if token.is_word(sql.as_bytes(), "SELECT") || assigns && variable {
            return true;
        }
        before = Some(token.kind);
    }
    false
}

/// The name of `@name`, `` @`name` `` or `@'name'`.
fn variable(text: &str) -> String {
    let name = text.strip_prefix('@').unwrap_or(text);
    let quoted = name.starts_with(['\'', '"', '`']) && name.len() >= 2;
    let name = if quoted { &name[1..name.len() - 1] } else { name };
    name.to_owned()
}

/// A text or hexadecimal literal.
fn bytes(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, ParseError> {
    let token = cursor.peek().ok_or_else(|| cursor.error())?;
    let value = match token.kind {
        TokenKind::Text | TokenKind::Hex | TokenKind::Bit => cursor.value_of(token),
        _ => None,
    };
    match value {
        Some(Value::Text(bytes) | Value::Bytes(bytes)) => {
            let _ = cursor.next();
            Ok(bytes)
        }
        _ => Err(cursor.error()),
    }
}

/// A literal of one byte; nothing for an empty one.
fn character(cursor: &mut Cursor<'_>) -> Result<Option<u8>, ParseError> {
    let at = cursor.peek().map_or(0, |token| token.span.start);
    match *bytes(cursor)? {
        [] => Ok(None),
        [byte] => Ok(Some(byte)),
        // ER_WRONG_FIELD_TERMINATORS on a server; it is a mistake in the text all the same.
        _ => Err(ParseError::at(cursor.sql, at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LexOptions, parse};

    fn load(sql: &str) -> LoadData {
        match parse(sql, LexOptions::default()) {
            Ok(Statement::Load(load)) => *load,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_least() {
        let load = load("LOAD DATA INFILE 'a' INTO TABLE t");
        assert!(!load.local && !load.reads_tables && load.columns.is_empty() && load.set.is_empty());
        assert_eq!((load.list, &*load.table.table.value), (Span::at(33), "t"));
        assert_eq!((&*load.format.field_end, &*load.format.line_end), (&b"\t"[..], &b"\n"[..]));
        assert_eq!((load.format.quote, load.format.escape), (None, Some(b'\\')));
    }

    #[test]
    fn everything() {
        let sql = "LOAD DATA LOW_PRIORITY LOCAL INFILE 'a\\'b' REPLACE INTO TABLE `s`.t PARTITION (p0, p1) CHARACTER SET utf8mb4 \
                   FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES STARTING BY 'x' TERMINATED BY '\\r\\n' \
                   IGNORE 2 LINES (a, @`v`, b) SET c = @v + 1, d = CONCAT('(', ',')";
        let load = load(sql);
        assert!(load.local);
        assert_eq!((&*load.file, load.duplicates), (&b"a'b"[..], Some(Duplicates::Replace)));
        assert_eq!(load.table.schema.as_ref().map(|name| &*name.value), Some("s"));
        assert_eq!(load.charset.as_deref(), Some("utf8mb4"));
        assert_eq!((load.format.quote, load.format.escape), (Some(b'"'), None));
        assert_eq!((&*load.format.line_start, &*load.format.line_end), (&b"x"[..], &b"\r\n"[..]));
        let (lines, span) = load.ignored_lines.unwrap();
        assert_eq!((lines, span.text(sql)), (2, "IGNORE 2 LINES"));
        assert_eq!(&sql[load.list.range().start..][..2], "a,");
        assert!(matches!(&load.columns[1], LoadColumn::Variable(name) if name == "v"));
        let set: Vec<_> = load.set.iter().map(|(name, value)| (&*name.value, value.text(sql))).collect();
        assert_eq!(set, [("c", "@v + 1"), ("d", "CONCAT('(', ',')")]);
    }

    #[test]
    fn mistakes_are_mistakes() {
        for sql in [
            "LOAD DATA",
            "LOAD DATA INFILE x INTO TABLE t",
            "LOAD DATA INFILE 'a' INTO TABLE t FIELDS",
            "LOAD DATA INFILE 'a' INTO TABLE t FIELDS ENCLOSED BY 'ab'",
            "LOAD DATA INFILE 'a' INTO TABLE t LINES",
            "LOAD DATA INFILE 'a' INTO TABLE t IGNORE LINES",
            "LOAD DATA INFILE 'a' INTO TABLE t (a",
            "LOAD DATA INFILE 'a' INTO TABLE t (a) SET",
            "LOAD DATA INFILE 'a' INTO TABLE t junk",
        ] {
            assert!(parse(sql, LexOptions::default()).is_err(), "{sql}");
        }
        assert!(matches!(
            parse("LOAD XML INFILE 'a' INTO TABLE t", LexOptions::default()),
            Ok(Statement::Other(_))
        ));
    }
}
