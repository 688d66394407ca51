//! One column of the list.

use serval_types::{Collation, ColumnType};

use super::charset::Charset;
use super::{ColumnDef, ForeignKey, column_type, key};
use crate::TokenKind;
use crate::parse::{Cursor, ParseError};

/// A column before its table's character set and primary key are known.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) definition: ColumnDef,
    charset: Charset,
    /// PRIMARY KEY behind the column.
    pub(super) primary: bool,
    /// UNIQUE behind the column.
    pub(super) unique: bool,
    /// REFERENCES behind the column, which MariaDB enforces and MySQL reads over.
    pub(super) references: Option<ForeignKey>,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Column, ParseError> {
    let name = cursor.ident()?.value;
    let first = cursor.peek();
    let spelt = column_type::parse(cursor)?;
    let mut column = Column::new(name, spelt.column_type, spelt.charset);
    if let (Some(first), Some(last)) = (first, cursor.previous()) {
        let declared = first.span.to(last.span).text(cursor.sql);
        // `varchar(50) /*M!100301 COMPRESSED*/`: the words of the comment are the type's, and its end is nobody's.
        let whole = declared.rsplit_once("/*").filter(|(_, comment)| !comment.contains("*/"));
        column.definition.declared = whole.map_or(declared, |(before, _)| before.trim_end()).to_owned();
    }
    if spelt.serial {
        column.unique = true;
        (column.definition.nullable, column.definition.auto_increment) = (false, true);
    }
    while !cursor.sees_symbol(b',') && !cursor.sees_symbol(b')') && !cursor.is_end() {
        column.attribute(cursor)?;
    }
    Ok(column)
}

/// Reads the name only; the type is called by its first word.
pub(super) fn parse_other(cursor: &mut Cursor<'_>) -> Result<Column, ParseError> {
    let name = cursor.ident()?.value;
    let word = cursor.peek().map_or("", |token| token.span.text(cursor.sql)).to_ascii_lowercase();
    Ok(Column::new(name, ColumnType::Other(word), Charset::default()))
}

impl Column {
    fn new(name: String, column_type: ColumnType, charset: Charset) -> Self {
        let definition = ColumnDef::new(name, column_type);
        Self { definition, charset, primary: false, unique: false, references: None }
    }

    fn attribute(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        let before = cursor.peek();
        let definition = &mut self.definition;
        if cursor.accept(&["NOT", "NULL"]) {
            definition.nullable = false;
        } else if cursor.accept(&["NULL"]) {
            definition.nullable = true;
        } else if self.charset.accept(cursor) {
            if let (Some(first), Some(last)) = (before, cursor.previous()) {
                definition.declared.push(' ');
                definition.declared.push_str(first.span.to(last.span).text(cursor.sql));
            }
        } else if cursor.accept(&["DEFAULT"]) {
            definition.default = Some(default(cursor)?);
        } else if cursor.accept(&["AUTO_INCREMENT"]) {
            definition.auto_increment = true;
            definition.nullable = false;
        } else if cursor.accept(&["ON", "UPDATE"]) {
            definition.on_update = true;
            let _ = default(cursor)?;
        } else if cursor.accept(&["AFTER"]) {
            // Of ALTER TABLE; the other column may be called by one of these words.
            let _ = cursor.ident()?;
        } else if cursor.accept(&["COMMENT"]) {
            let _ = cursor.next();
        } else if cursor.accept(&["GENERATED", "ALWAYS", "AS"]) || cursor.accept(&["AS"]) {
            // MariaDB's GENERATED ALWAYS AS ROW START has no expression, but is generated too.
            definition.generated = true;
            let _ = cursor.skip_parentheses()?;
        } else if cursor.accept(&["INVISIBLE"]) {
            definition.invisible = true;
        } else if cursor.accept(&["CHECK"]) {
            let first = cursor.peek();
            if cursor.skip_parentheses()?
                && let (Some(first), Some(last)) = (first, cursor.previous())
            {
                let check = first.span.to(last.span).text(cursor.sql).to_lowercase();
                let own = format!("(json_valid(`{}`))", definition.name.to_lowercase());
                definition.json_checked |= check.replace(' ', "") == own;
            }
        } else if cursor.accept(&["UNIQUE"]) {
            let _ = cursor.accept(&["KEY"]);
            self.unique = true;
        } else if cursor.accept(&["PRIMARY", "KEY"]) || cursor.accept(&["KEY"]) {
            self.primary = true;
        } else if cursor.sees(&["REFERENCES"]) {
            let columns = vec![definition.name.clone()];
            self.references = Some(key::references(cursor, String::new(), columns)?);
        } else if cursor.accept(&["BINARY"]) {
            self.charset.binary = true;
        } else if !cursor.skip_parentheses()? {
            let _ = cursor.next();
        }
        Ok(())
    }

    /// The column in a table of this character set and primary key.
    pub(super) fn define(mut self, table: &Charset, primary_key: &[String]) -> ColumnDef {
        if primary_key.iter().any(|name| name.eq_ignore_ascii_case(&self.definition.name)) {
            self.definition.nullable = false;
        }
        let of_column = self.charset.collation_in(table);
        if let ColumnType::Text { length, .. } = self.definition.column_type
            && of_column.as_ref().is_some_and(|collation| collation.name() == "binary")
        {
            self.definition.column_type = ColumnType::Binary { length, fixed: false };
        }
        set_collation(&mut self.definition.column_type, of_column);
        self.definition
    }
}

pub(super) fn set_collation(column_type: &mut ColumnType, of_column: Option<Collation>) {
    if let ColumnType::Text { collation, .. }
    | ColumnType::Enum { collation, .. }
    | ColumnType::Set { collation, .. } = column_type
    {
        *collation = of_column;
    }
}

/// The text of a default: a literal with its sign or introducer, a word, a call, or anything in parentheses.
pub(super) fn default(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    let first = cursor.peek().ok_or_else(|| cursor.error())?;
    if !cursor.skip_parentheses()? {
        let _ = cursor.next();
        let signed = first.is_symbol(b'-') || first.is_symbol(b'+');
        let introduced = first.kind == TokenKind::Word
            && first.span.text(cursor.sql).starts_with('_')
            && cursor.peek().is_some_and(|next| next.kind.is_literal());
        if signed || introduced {
            let _ = cursor.next();
        }
        while cursor.accept_symbol(b'.') {
            let _ = cursor.next();
        }
        let _ = cursor.skip_parentheses()?;
    }
    let last = cursor.previous().unwrap_or(first);
    Ok(first.span.to(last.span).text(cursor.sql).to_owned())
}
