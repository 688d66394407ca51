//! Keys and constraints of the list.

use super::{ForeignKey, ReferentialAction};
use crate::parse::{Cursor, ParseError};

/// An item of the list that is no column.
pub(super) enum Key {
    /// PRIMARY KEY.
    Primary(Parts),
    /// UNIQUE.
    Unique { name: String, parts: Parts },
    /// FOREIGN KEY.
    Foreign(ForeignKey),
    /// KEY, FULLTEXT, SPATIAL, CHECK, PERIOD.
    Other,
}

/// The parts of a key.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// The parts that are whole columns.
    pub(super) columns: Vec<String>,
    /// Those that are columns, or the first characters of one.
    pub(super) named: Vec<String>,
    /// Whether all are whole columns.
    pub(super) whole: bool,
}

/// Reads a key or constraint if one is next; `None` before a column.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Key>, ParseError> {
    let mut name = String::new();
    if cursor.accept(&["CONSTRAINT"]) {
        let _ = cursor.accept(&["IF", "NOT", "EXISTS"]);
        let named = !["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"].iter().any(|word| cursor.sees(&[word]));
        if named {
            name = cursor.ident()?.value;
        }
    }
    if cursor.accept(&["PRIMARY", "KEY"]) {
        skip_to_parts(cursor)?;
        return Ok(Some(Key::Primary(parts(cursor)?)));
    }
    if cursor.accept(&["UNIQUE"]) {
        let _ = cursor.accept_one(&["KEY", "INDEX"]);
        if !cursor.sees_symbol(b'(') && !cursor.sees(&["USING"]) {
            name = cursor.ident()?.value;
        }
        skip_to_parts(cursor)?;
        return Ok(Some(Key::Unique { name, parts: parts(cursor)? }));
    }
    if cursor.accept(&["FOREIGN", "KEY"]) {
        return foreign(cursor, name).map(|key| Some(Key::Foreign(key)));
    }
    let other = ["KEY", "INDEX", "FULLTEXT", "SPATIAL", "CHECK"].iter().any(|word| cursor.sees(&[word]));
    Ok((other || cursor.sees(&["PERIOD", "FOR"])).then_some(Key::Other))
}

/// Passes over an index name and USING BTREE.
fn skip_to_parts(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    while !cursor.sees_symbol(b'(') {
        cursor.next().ok_or_else(|| cursor.error())?;
    }
    Ok(())
}

pub(super) fn parts(cursor: &mut Cursor<'_>) -> Result<Parts, ParseError> {
    let mut parts = Parts { whole: true, ..Parts::default() };
    cursor.expect_symbol(b'(')?;
    loop {
        if cursor.sees_symbol(b'(') {
            let _ = cursor.skip_parentheses()?;
            parts.whole = false;
        } else {
            let column = cursor.ident()?.value;
            parts.named.push(column.clone());
            if cursor.skip_parentheses()? {
                parts.whole = false;
            } else {
                parts.columns.push(column);
            }
        }
        let _ = cursor.accept_one(&["ASC", "DESC"]);
        // MariaDB's UNIQUE (id, period WITHOUT OVERLAPS).
        if cursor.accept(&["WITHOUT", "OVERLAPS"]) {
            parts.whole = false;
        }
        if cursor.accept_symbol(b')') {
            return Ok(parts);
        }
        cursor.expect_symbol(b',')?;
    }
}

fn foreign(cursor: &mut Cursor<'_>, constraint: String) -> Result<ForeignKey, ParseError> {
    let _ = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let index = if cursor.sees_symbol(b'(') { String::new() } else { cursor.ident()?.value };
    let columns = parts(cursor)?.named;
    let name = if constraint.is_empty() { index } else { constraint };
    references(cursor, name, columns)
}

/// Reads `REFERENCES t (…) ON DELETE … ON UPDATE …`.
pub(super) fn references(
    cursor: &mut Cursor<'_>,
    name: String,
    columns: Vec<String>,
) -> Result<ForeignKey, ParseError> {
    cursor.expect(&["REFERENCES"])?;
    let table = cursor.table_name()?;
    let referenced = if cursor.sees_symbol(b'(') { parts(cursor)?.named } else { Vec::new() };
    let schema = table.schema.map(|schema| schema.value);
    let table = table.table.value;
    let mut key = ForeignKey {
        name,
        columns,
        schema,
        table,
        referenced,
        on_delete: ReferentialAction::default(),
        on_update: ReferentialAction::default(),
    };
    loop {
        if cursor.accept(&["MATCH"]) {
            let _ = cursor.next();
        } else if cursor.accept(&["ON", "DELETE"]) {
            key.on_delete = action(cursor)?;
        } else if cursor.accept(&["ON", "UPDATE"]) {
            key.on_update = action(cursor)?;
        } else {
            return Ok(key);
        }
    }
}

fn action(cursor: &mut Cursor<'_>) -> Result<ReferentialAction, ParseError> {
    const ACTIONS: [(&[&str], ReferentialAction); 5] = [
        (&["RESTRICT"], ReferentialAction::Restrict),
        (&["NO", "ACTION"], ReferentialAction::Restrict),
        (&["CASCADE"], ReferentialAction::Cascade),
        (&["SET", "NULL"], ReferentialAction::SetNull),
        (&["SET", "DEFAULT"], ReferentialAction::SetDefault),
    ];
    let found = ACTIONS.iter().find(|(words, _)| cursor.accept(words));
    found.map(|(_, action)| *action).ok_or_else(|| cursor.error())
}
