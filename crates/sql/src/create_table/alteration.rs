//! ALTER TABLE and CREATE UNIQUE INDEX as changes of a definition.
//!
//! Only what routing looks at is read: columns, keys, foreign keys, character sets. All else is passed over; the server
//! says whether it is right.

mod apply;

use super::charset::Charset;
use super::column::{self, Column};
use super::definition::{column_or_other, skip_to_border};
use super::key::{self, Key};
use super::{ForeignKey, UniqueKey};
use crate::LexOptions;
use crate::parse::{Cursor, ParseError, significant_tokens};

/// What a statement changes in a table's definition.
#[derive(Debug, Clone, Default)]
pub struct Alteration {
    changes: Vec<Change>,
    /// The character set that columns get which name none, where the statement changes that.
    charset: Charset,
}

#[derive(Debug, Clone)]
enum Change {
    Add(Column),
    /// MODIFY and CHANGE of the column of this name.
    Replace(String, Column),
    Drop(String),
    Rename(String, String),
    Default(String, Option<String>),
    Primary(key::Parts),
    Unique(UniqueKey),
    Foreign(ForeignKey),
    DropPrimary,
    /// DROP INDEX, KEY, CONSTRAINT and FOREIGN KEY.
    DropKey(String),
    Convert(Charset),
}

impl Alteration {
    /// Reads an ALTER TABLE, or a CREATE UNIQUE INDEX, which is one.
    ///
    /// # Errors
    /// Where the text is neither, or its parentheses do not match.
    pub fn parse(sql: &str, options: LexOptions) -> Result<Self, ParseError> {
        let tokens = significant_tokens(sql, options)?;
        let mut cursor = Cursor::new(sql, options, &tokens);
        let mut alteration = Self::default();
        if cursor.accept(&["CREATE"]) {
            alteration.changes.push(Change::Unique(unique_index(&mut cursor)?));
            return Ok(alteration);
        }
        cursor.expect(&["ALTER"])?;
        while cursor.accept_one(&["ONLINE", "OFFLINE", "IGNORE"]).is_some() {}
        cursor.expect(&["TABLE"])?;
        let _ = cursor.accept(&["IF", "EXISTS"]);
        let _ = cursor.table_name()?;
        while !cursor.is_end() {
            alteration.change(&mut cursor)?;
            alteration.pass_options(&mut cursor)?;
            let _ = cursor.accept_symbol(b',');
        }
        Ok(alteration)
    }

    /// Reads one change, if one is next.
    fn change(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        if cursor.accept(&["ADD"]) {
            return self.add(cursor);
        }
        let change = if cursor.accept(&["MODIFY"]) {
            let name = column_name(&mut cursor.clone())?;
            skip_column_words(cursor);
            Change::Replace(name, column_or_other(cursor)?)
        } else if cursor.accept(&["CHANGE"]) {
            let name = column_name(cursor)?;
            Change::Replace(name, column_or_other(cursor)?)
        } else if cursor.accept(&["RENAME", "COLUMN"]) {
            let _ = cursor.accept(&["IF", "EXISTS"]);
            let from = cursor.ident()?.value;
            cursor.expect(&["TO"])?;
            Change::Rename(from, cursor.ident()?.value)
        } else if cursor.accept(&["CONVERT", "TO"]) {
            let mut charset = Charset::default();
            while charset.accept(cursor) {}
            Change::Convert(charset)
        } else if cursor.accept(&["DROP"]) {
            match dropped(cursor)? {
                Some(change) => change,
                None => return Ok(()),
            }
        } else if cursor.accept(&["ALTER"]) {
            match altered_default(cursor)? {
                Some(change) => change,
                None => return Ok(()),
            }
        } else {
            return Ok(());
        };
        self.changes.push(change);
        Ok(())
    }

    fn add(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        const OF_NO_COLUMN: [&str; 5] = ["PARTITION", "SYSTEM", "VECTOR", "PERIOD", "INDEX"];
        let mut ahead = cursor.clone();
        let of_column = skip_column_words(&mut ahead);
        if ahead.accept_symbol(b'(') {
            *cursor = ahead;
            loop {
                self.item(cursor, of_column)?;
                skip_to_border(cursor)?;
                if cursor.accept_symbol(b')') {
                    return Ok(());
                }
                cursor.expect_symbol(b',')?;
            }
        }
        let no_column = OF_NO_COLUMN
            .iter()
            .any(|word| cursor.sees(&[word]) && !cursor.peek_at(1).is_some_and(|next| is_type(cursor, next)));
        if of_column {
            *cursor = ahead;
        } else if no_column {
            return Ok(());
        }
        self.item(cursor, of_column)
    }

    /// Reads a column or a key.
    fn item(&mut self, cursor: &mut Cursor<'_>, of_column: bool) -> Result<(), ParseError> {
        let key = if of_column { None } else { key::parse(cursor)? };
        let change = match key {
            Some(Key::Primary(parts)) => Change::Primary(parts),
            Some(Key::Unique { name, parts }) => Change::Unique(UniqueKey::of(name, parts)),
            Some(Key::Foreign(key)) => Change::Foreign(key),
            Some(Key::Other) => return Ok(()),
            None => Change::Add(column_or_other(cursor)?),
        };
        self.changes.push(change);
        Ok(())
    }

    /// Passes over what is left of an item, and the table's options, which no comma need part.
    fn pass_options(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
        while !cursor.is_end() && !cursor.sees_symbol(b',') {
            if !self.charset.accept(cursor) && !cursor.skip_parentheses()? {
                let _ = cursor.next();
            }
        }
        Ok(())
    }
}

/// Reads COLUMN and IF EXISTS; whether COLUMN stands there.
fn skip_column_words(cursor: &mut Cursor<'_>) -> bool {
    let column = cursor.accept(&["COLUMN"]);
    let _ = cursor.accept(&["IF", "NOT", "EXISTS"]) || cursor.accept(&["IF", "EXISTS"]);
    column
}

fn column_name(cursor: &mut Cursor<'_>) -> Result<String, ParseError> {
    skip_column_words(cursor);
    Ok(cursor.ident()?.value)
}

/// What follows DROP; `None` for what no definition here has.
fn dropped(cursor: &mut Cursor<'_>) -> Result<Option<Change>, ParseError> {
    const OF_NO_COLUMN: [&str; 4] = ["CHECK", "PARTITION", "SYSTEM", "PERIOD"];
    if cursor.accept(&["PRIMARY", "KEY"]) {
        return Ok(Some(Change::DropPrimary));
    }
    let key =
        cursor.accept(&["FOREIGN", "KEY"]) || cursor.accept_one(&["INDEX", "KEY", "CONSTRAINT"]).is_some();
    if key {
        let _ = cursor.accept(&["IF", "EXISTS"]);
        return Ok(Some(Change::DropKey(cursor.ident()?.value)));
    }
    if OF_NO_COLUMN.iter().any(|word| cursor.sees(&[word]))
        && !cursor.peek_at(1).is_none_or(|next| next.is_symbol(b','))
    {
        return Ok(None);
    }
    Ok(Some(Change::Drop(column_name(cursor)?)))
}

/// What follows ALTER; `None` for what says nothing of a default.
fn altered_default(cursor: &mut Cursor<'_>) -> Result<Option<Change>, ParseError> {
    if ["INDEX", "KEY", "CHECK", "CONSTRAINT"].iter().any(|word| cursor.sees(&[word])) {
        return Ok(None);
    }
    let name = column_name(cursor)?;
    if cursor.accept(&["DROP", "DEFAULT"]) {
        return Ok(Some(Change::Default(name, None)));
    }
    if cursor.accept(&["SET", "DEFAULT"]) {
        return Ok(Some(Change::Default(name, Some(column::default(cursor)?))));
    }
    Ok(None)
}

/// What follows CREATE in `CREATE UNIQUE INDEX i ON t (…)`.
fn unique_index(cursor: &mut Cursor<'_>) -> Result<UniqueKey, ParseError> {
    let _ = cursor.accept(&["OR", "REPLACE"]);
    let _ = cursor.accept_one(&["ONLINE", "OFFLINE"]);
    cursor.expect(&["UNIQUE", "INDEX"])?;
    let _ = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = cursor.ident()?.value;
    while !cursor.accept(&["ON"]) {
        cursor.next().ok_or_else(|| cursor.error())?;
    }
    let _ = cursor.table_name()?;
    Ok(UniqueKey::of(name, key::parts(cursor)?))
}

/// Whether a token can be a column's type, so that the word before it is the column's name.
fn is_type(cursor: &Cursor<'_>, token: crate::Token) -> bool {
    const TYPES: [&str; 12] = [
        "INT",
        "INTEGER",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
        "CHAR",
        "VARCHAR",
        "TEXT",
        "DATE",
        "DATETIME",
        "TIMESTAMP",
        "DECIMAL",
    ];
    TYPES.iter().any(|word| token.is_word(cursor.sql.as_bytes(), word))
}

#[cfg(test)]
mod tests;
