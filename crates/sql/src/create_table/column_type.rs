//! A column's type.

use serval_types::{ColumnType, IntWidth};

use super::charset::Charset;
use crate::TokenKind;
use crate::parse::{Cursor, ParseError};

/// A type as it is spelt.
pub(super) struct Spelt {
    pub(super) column_type: ColumnType,
    pub(super) charset: Charset,
    /// SERIAL is BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE.
    pub(super) serial: bool,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Spelt, ParseError> {
    let token = cursor.next().filter(|token| token.kind == TokenKind::Word).ok_or_else(|| cursor.error())?;
    let word = token.span.text(cursor.sql).to_ascii_uppercase();
    let mut spelt =
        Spelt { column_type: ColumnType::Date, charset: Charset::default(), serial: word == "SERIAL" };
    spelt.column_type = match word.as_str() {
        "ENUM" => ColumnType::Enum { members: members(cursor)?, collation: None },
        "SET" => ColumnType::Set { members: members(cursor)?, collation: None },
        "NATIONAL" => {
            spelt.charset = Charset::national();
            let _ = cursor.accept_one(&["CHAR", "CHARACTER", "VARCHAR", "VARCHARACTER"]);
            let _ = cursor.accept(&["VARYING"]);
            text(cursor)?
        }
        "NCHAR" | "NVARCHAR" => {
            spelt.charset = Charset::national();
            let _ = cursor.accept_one(&["VARCHAR", "VARYING", "VARCHARACTER"]);
            text(cursor)?
        }
        _ => match number(cursor, &word)? {
            Some(of_numbers) => of_numbers,
            None => other(cursor, &word)?,
        },
    };
    attributes(cursor, &mut spelt);
    Ok(spelt)
}

fn number(cursor: &mut Cursor<'_>, word: &str) -> Result<Option<ColumnType>, ParseError> {
    let width = match word {
        "TINYINT" | "INT1" | "BOOL" | "BOOLEAN" => Some(IntWidth::Tiny),
        "SMALLINT" | "INT2" => Some(IntWidth::Small),
        "MEDIUMINT" | "INT3" | "MIDDLEINT" => Some(IntWidth::Medium),
        "INT" | "INTEGER" | "INT4" => Some(IntWidth::Int),
        "BIGINT" | "INT8" | "SERIAL" => Some(IntWidth::Big),
        _ => None,
    };
    if let Some(width) = width {
        let _ = numbers(cursor)?;
        return Ok(Some(ColumnType::Int { width, unsigned: word == "SERIAL" }));
    }
    Ok(Some(match word {
        "DECIMAL" | "NUMERIC" | "DEC" | "FIXED" => {
            let numbers = numbers(cursor)?;
            let precision = numbers.first().map_or(10, |precision| small(*precision));
            // DECIMAL(0) is DECIMAL(10).
            let precision = if precision == 0 { 10 } else { precision };
            let scale = numbers.get(1).map_or(0, |scale| small(*scale));
            ColumnType::Decimal { precision, scale, unsigned: false }
        }
        "FLOAT" | "FLOAT4" => {
            let numbers = numbers(cursor)?;
            let double = numbers.len() == 1 && numbers.first().is_some_and(|bits| *bits > 24);
            let decimals = numbers.get(1).map(|decimals| small(*decimals));
            if double { ColumnType::Double { decimals } } else { ColumnType::Float { decimals } }
        }
        "DOUBLE" | "REAL" | "FLOAT8" => {
            let _ = cursor.accept(&["PRECISION"]);
            ColumnType::Double { decimals: numbers(cursor)?.get(1).map(|decimals| small(*decimals)) }
        }
        "BIT" => ColumnType::Bit { bits: numbers(cursor)?.first().map_or(1, |bits| small(*bits)) },
        _ => return Ok(None),
    }))
}

fn other(cursor: &mut Cursor<'_>, word: &str) -> Result<ColumnType, ParseError> {
    let fsp = |cursor: &mut Cursor<'_>| numbers(cursor).map(|fsp| fsp.first().map_or(0, |fsp| small(*fsp)));
    Ok(match word {
        "CHAR" | "CHARACTER" | "VARCHAR" | "VARCHARACTER" => {
            let varying = cursor.accept(&["VARYING"]) || word.starts_with("VAR");
            match text(cursor)? {
                // CHAR alone is CHAR(1).
                ColumnType::Text { length: None, collation } if !varying => {
                    ColumnType::Text { length: Some(1), collation }
                }
                text => text,
            }
        }
        "TEXT" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" => {
            let _ = numbers(cursor)?;
            ColumnType::Text { length: None, collation: None }
        }
        "LONG" => {
            let binary = cursor.accept(&["VARBINARY"]);
            let _ = cursor.accept_one(&["VARCHAR", "VARCHARACTER"]);
            if binary {
                ColumnType::Binary { length: None, fixed: false }
            } else {
                ColumnType::Text { length: None, collation: None }
            }
        }
        "BINARY" => {
            ColumnType::Binary { length: Some(numbers(cursor)?.first().copied().unwrap_or(1)), fixed: true }
        }
        "VARBINARY" => ColumnType::Binary { length: numbers(cursor)?.first().copied(), fixed: false },
        "BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            let _ = numbers(cursor)?;
            ColumnType::Binary { length: None, fixed: false }
        }
        "DATE" => ColumnType::Date,
        "DATETIME" => ColumnType::DateTime { fsp: fsp(cursor)? },
        "TIMESTAMP" => ColumnType::Timestamp { fsp: fsp(cursor)? },
        "TIME" => ColumnType::Time { fsp: fsp(cursor)? },
        "YEAR" => {
            let _ = numbers(cursor)?;
            ColumnType::Year
        }
        "JSON" => ColumnType::Json,
        _ => {
            let _ = cursor.skip_parentheses()?;
            ColumnType::Other(word.to_ascii_lowercase())
        }
    })
}

fn text(cursor: &mut Cursor<'_>) -> Result<ColumnType, ParseError> {
    Ok(ColumnType::Text { length: numbers(cursor)?.first().copied(), collation: None })
}

/// UNSIGNED and its like, right behind the type.
fn attributes(cursor: &mut Cursor<'_>, spelt: &mut Spelt) {
    loop {
        if cursor.accept_one(&["UNSIGNED", "ZEROFILL"]).is_some() {
            if let ColumnType::Int { unsigned, .. } | ColumnType::Decimal { unsigned, .. } =
                &mut spelt.column_type
            {
                *unsigned = true;
            }
        } else if cursor.accept(&["BYTE"]) {
            if let ColumnType::Text { length, .. } = spelt.column_type {
                spelt.column_type = ColumnType::Binary { length, fixed: true };
            }
        } else if cursor.accept(&["BINARY"]) {
            spelt.charset.binary = true;
        } else if cursor.accept_one(&["SIGNED", "COMPRESSED"]).is_none() && !spelt.charset.accept(cursor) {
            return;
        }
    }
}

/// `(10)` or `(10,2)`, if it is next; larger numbers than any type takes are the largest.
fn numbers(cursor: &mut Cursor<'_>) -> Result<Vec<u32>, ParseError> {
    let mut numbers = Vec::new();
    if !cursor.accept_symbol(b'(') {
        return Ok(numbers);
    }
    loop {
        let token =
            cursor.next().filter(|token| token.kind == TokenKind::Integer).ok_or_else(|| cursor.error())?;
        numbers.push(token.span.text(cursor.sql).parse().unwrap_or(u32::MAX));
        if cursor.accept_symbol(b')') {
            return Ok(numbers);
        }
        cursor.expect_symbol(b',')?;
    }
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The members of ENUM and SET.
fn members(cursor: &mut Cursor<'_>) -> Result<Vec<String>, ParseError> {
    let mut members = Vec::new();
    cursor.expect_symbol(b'(')?;
    loop {
        let token = cursor.next().filter(|token| token.kind.is_literal()).ok_or_else(|| cursor.error())?;
        members.push(cursor.text_of(token));
        if cursor.accept_symbol(b')') {
            return Ok(members);
        }
        cursor.expect_symbol(b',')?;
    }
}
