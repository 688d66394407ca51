//! The statement as a whole: name, list, options.

use super::charset::Charset;
use super::column::{self, Column};
use super::key::{self, Key};
use super::{TableDefinition, UniqueKey};
use crate::parse::{Cursor, ParseError, significant_tokens};
use crate::{LexOptions, TokenKind};

pub(super) fn parse(sql: &str, options: LexOptions) -> Result<TableDefinition, ParseError> {
    let tokens = significant_tokens(sql, options)?;
    let mut cursor = Cursor::new(sql, options, &tokens);
    cursor.expect(&["CREATE"])?;
    let _ = cursor.accept(&["OR", "REPLACE"]);
    let _ = cursor.accept(&["TEMPORARY"]);
    cursor.expect(&["TABLE"])?;
    let _ = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = cursor.table_name()?.table.value;
    let mut items = list(&mut cursor)?;
    let charset = table_charset(&mut cursor);
    Ok(items.define(name, charset))
}

/// What stands in the table's parentheses.
#[derive(Default)]
struct Items {
    columns: Vec<Column>,
    keys: Vec<Key>,
}

fn list(cursor: &mut Cursor<'_>) -> Result<Items, ParseError> {
    cursor.expect_symbol(b'(')?;
    if cursor.sees(&["LIKE"]) || cursor.sees(&["SELECT"]) || cursor.sees_symbol(b'(') {
        return Err(cursor.error());
    }
    let mut items = Items::default();
    loop {
        match key::parse(cursor)? {
            Some(key) => items.keys.push(key),
            None => items.columns.push(column_or_other(cursor)?),
        }
        skip_to_border(cursor)?;
        if cursor.accept_symbol(b')') {
            return Ok(items);
        }
        cursor.expect_symbol(b',')?;
    }
}

/// A column that is not understood is no reason to lose the table.
pub(super) fn column_or_other(cursor: &mut Cursor<'_>) -> Result<Column, ParseError> {
    let mut ahead = cursor.clone();
    if let Ok(column) = column::parse(&mut ahead) {
        *cursor = ahead;
        return Ok(column);
    }
    column::parse_other(cursor)
}

/// Passes over what is left of an item.
pub(super) fn skip_to_border(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    while !cursor.sees_symbol(b',') && !cursor.sees_symbol(b')') {
        if !cursor.skip_parentheses()? && cursor.next().is_none() {
            return Err(cursor.error());
        }
    }
    Ok(())
}

/// The options behind the list, up to partitions or a query, whose words could be mistaken for them.
fn table_charset(cursor: &mut Cursor<'_>) -> Charset {
    let mut charset = Charset::default();
    while let Some(token) = cursor.peek() {
        if cursor.sees(&["PARTITION", "BY"]) || cursor.sees(&["SELECT"]) || cursor.sees(&["AS"]) {
            break;
        }
        if token.kind != TokenKind::Word || !charset.accept(cursor) {
            let _ = cursor.next();
        }
    }
    charset
}

impl Items {
    fn define(&mut self, name: String, charset: Charset) -> TableDefinition {
        let mut primary_key = Vec::new();
        let mut unique_keys = Vec::new();
        let mut foreign_keys = Vec::new();
        for column in &mut self.columns {
            let columns = vec![column.definition.name.clone()];
            if column.primary {
                primary_key.clone_from(&columns);
            }
            if column.unique {
                unique_keys.push(UniqueKey { name: String::new(), columns, whole: true });
            }
            foreign_keys.extend(column.references.take());
        }
        for key in self.keys.drain(..) {
            match key {
                Key::Primary(parts) => {
                    if !parts.whole {
                        let name = "PRIMARY".to_owned();
                        unique_keys.push(UniqueKey { name, columns: parts.columns.clone(), whole: false });
                    }
                    primary_key = parts.named;
                }
                Key::Unique { name, parts } => {
                    unique_keys.push(UniqueKey::of(name, parts));
                }
                Key::Foreign(key) => foreign_keys.push(key),
                Key::Other => {}
            }
        }
        let columns = self.columns.drain(..).map(|column| column.define(&charset, &primary_key)).collect();
        let (collation, charset) = (charset.collation(), charset.name());
        TableDefinition { name, columns, primary_key, unique_keys, foreign_keys, charset, collation }
    }
}
