//! Values as SQL text that means the same under every sql_mode and character set.

use std::fmt::Write as _;

use crate::charset::is_wide;
use serval_types::{Collation, Value};
use serval_wire::packet::column_type::{
    MYSQL_TYPE_DECIMAL, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG,
    MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_SHORT, MYSQL_TYPE_TINY, MYSQL_TYPE_YEAR,
};
use serval_wire::packet::{ColumnDefinition, ColumnFlags};

/// The literal of a value. Strings that need no escaping are quoted; all others are hexadecimal with their
/// character set in front, because a backslash means different things under different modes.
#[must_use]
pub fn literal(value: &Value, charset: &str) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Decimal(number) => number.to_plain_string(),
        Value::Double(number) if number.is_finite() => format!("{number:e}"),
        // No literal is that, and a server says so.
        Value::Double(_) => "1e999".to_owned(),
        Value::Text(text) => quote(text, charset),
        Value::Bytes(bytes) => hex(bytes),
        Value::Moment(text) => moment(text),
        Value::Time(text) => format!("TIME'{text}'"),
    }
}

/// The literal of a date, with a time behind it or without. Servers take none with zeros, but read these from a text.
fn moment(text: &str) -> String {
    let has_zero = text.starts_with("0000")
        || text.get(5..10).is_none_or(|date| date.starts_with("00") || date.ends_with("00"));
    match (has_zero, text.len()) {
        (true, _) => format!("'{text}'"),
        (false, 10) => format!("DATE'{text}'"),
        (false, _) => format!("TIMESTAMP'{text}'"),
    }
}

/// The literal of a string in `charset`.
#[must_use]
pub fn quote(text: &[u8], charset: &str) -> String {
    let plain = |byte: &u8| (b' '..=b'~').contains(byte) && *byte != b'\'' && *byte != b'\\';
    match std::str::from_utf8(text) {
        Ok(text) if text.bytes().all(|byte| plain(&byte)) => format!("'{text}'"),
        _ if text.is_empty() => "''".to_owned(),
        _ => format!("_{charset} {}", hex(text)),
    }
}

/// The literal of a binary string.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2 + 3);
    text.push_str("x'");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\'');
    text
}

/// The literal that gives a user variable back its value, type and collation. `column` is the variable's as a column of
/// its own; `hex` its bytes. `None` where the server said what no server says.
#[must_use]
pub fn variable_literal(
    column: &ColumnDefinition,
    value: &str,
    hex: &str,
    collation: &str,
) -> Option<String> {
    Some(match column.column_type {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
        | MYSQL_TYPE_YEAR => {
            let unsigned = column.has(ColumnFlags::UNSIGNED_FLAG);
            match value.parse::<i64>() {
                // A literal is signed as long as it fits.
                Ok(_) if unsigned => format!("CAST({value} AS UNSIGNED)"),
                Ok(_) => value.to_owned(),
                Err(_) => value.parse::<u64>().ok()?.to_string(),
            }
        }
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => {
            let digits = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
            if value.is_empty() || !value.bytes().all(digits) {
                return None;
            }
            // Without a point it would be an integer.
            if value.contains('.') { value.to_owned() } else { format!("{value}.") }
        }
        MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => format!("{:e}", value.parse::<f64>().ok()?),
        _ => return string_literal(hex, collation),
    })
}

/// A string in its own collation.
fn string_literal(hex: &str, collation: &str) -> Option<String> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        || collation.is_empty()
        || !collation.bytes().all(word)
    {
        return None;
    }
    if collation == "binary" {
        return Some(format!("x'{hex}'"));
    }
    let charset = Collation::new(collation);
    let charset = charset.charset();
    let plain =
        |text: &String| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"'\\".contains(&byte));
    let text = bytes_of(hex).and_then(|bytes| String::from_utf8(bytes).ok()).filter(plain);
    Some(match text.filter(|_| !is_wide(charset)) {
        Some(text) => format!("_{charset}'{text}' COLLATE {collation}"),
        None => format!("_{charset} x'{hex}' COLLATE {collation}"),
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// An identifier in backticks.
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_text_is_quoted() {
        assert_eq!(quote(b"a b", "utf8mb4"), "'a b'");
        assert_eq!(quote(b"a'b", "utf8mb4"), "_utf8mb4 x'612762'");
        assert_eq!(quote("é".as_bytes(), "utf8mb4"), "_utf8mb4 x'c3a9'");
        assert_eq!(quote(b"", "utf8mb4"), "''");
    }

    #[test]
    fn variables_come_back_as_they_were() {
        let check = |column_type, flags, value: &str, hex: &str, collation: &str, expect: Option<&str>| {
            let column = ColumnDefinition { flags, ..ColumnDefinition::new(b"@a".to_vec(), column_type) };
            assert_eq!(variable_literal(&column, value, hex, collation).as_deref(), expect);
        };
        let (none, unsigned) = (ColumnFlags::empty().bits(), ColumnFlags::UNSIGNED_FLAG.bits());
        check(MYSQL_TYPE_LONGLONG, none, "-7", "", "binary", Some("-7"));
        check(MYSQL_TYPE_LONGLONG, unsigned, "7", "", "binary", Some("CAST(7 AS UNSIGNED)"));
        let most = u64::MAX.to_string();
        check(MYSQL_TYPE_LONGLONG, unsigned, &most, "", "binary", Some(&most));
        check(MYSQL_TYPE_NEWDECIMAL, none, "1.50", "", "binary", Some("1.50"));
        check(MYSQL_TYPE_NEWDECIMAL, none, "5", "", "binary", Some("5."));
        check(MYSQL_TYPE_DOUBLE, none, "1000", "", "binary", Some("1e3"));
        let text = serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING;
        check(text, none, "A", "41", "binary", Some("x'41'"));
        check(text, none, "ab", "6162", "latin1_bin", Some("_latin1'ab' COLLATE latin1_bin"));
        check(text, none, "?", "C3A9", "utf8mb4_bin", Some("_utf8mb4 x'C3A9' COLLATE utf8mb4_bin"));
        check(text, none, "a", "0061", "ucs2_bin", Some("_ucs2 x'0061' COLLATE ucs2_bin"));
        check(text, none, "a", "61", "x' OR '1", None);
    }

    #[test]
    fn numbers_keep_their_type() {
        assert_eq!(literal(&Value::Double(1.5), "utf8mb4"), "1.5e0");
        assert_eq!(literal(&Value::decimal("1.50"), "utf8mb4"), "1.50");
        assert_eq!(literal(&Value::Null, "utf8mb4"), "NULL");
    }

    #[test]
    fn identifiers_double_their_backticks() {
        assert_eq!(identifier("a`b"), "`a``b`");
    }
}
