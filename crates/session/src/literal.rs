//! Values as SQL text that means the same under every sql_mode and character set.

use std::fmt::Write as _;

use serval_types::Value;

/// The literal of a value. Strings that need no escaping are quoted; all others are hexadecimal with their
/// character set in front, because a backslash means different things under different modes.
#[must_use]
pub fn literal(value: &Value, charset: &str) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Decimal(number) => number.to_plain_string(),
        Value::Double(number) => format!("{number:e}"),
        Value::Text(text) => quote(text, charset),
        Value::Bytes(bytes) => hex(bytes),
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
