//! What literals and quoted identifiers mean.

use serval_types::Value;

use crate::lexer::Lexer;
use crate::{HoleKind, LexOptions, Span};

/// The value of the literal at `span`, unescaped. [`Value::Null`] for what is no literal: a parameter or a comment.
///
/// For an element of a list, `kind` may be the list's.
///
/// ```
/// use serval_sql::{HoleKind, LexOptions, Span, literal_value};
/// use serval_types::Value;
/// let value = literal_value(br"'it\'s'", Span::new(0, 7), HoleKind::Text, LexOptions::default());
/// assert_eq!(value, Value::Text(b"it's".to_vec()));
/// ```
#[must_use]
pub fn literal_value(sql: &[u8], span: Span, kind: HoleKind, options: LexOptions) -> Value {
    let text = span.of(sql);
    let ascii = || std::str::from_utf8(text).unwrap_or_default();
    match kind {
        HoleKind::Integer => Value::integer(ascii()),
        HoleKind::Decimal => decimal(ascii()),
        HoleKind::Float => Value::Double(ascii().parse().unwrap_or(f64::INFINITY)),
        HoleKind::Text => Value::Text(text_value(sql, span, options)),
        HoleKind::National => {
            Value::Text(text_value(sql, Span { start: span.start + 1, end: span.end }, options))
        }
        HoleKind::Hex => Value::Bytes(hex_value(digits_of(text))),
        HoleKind::Bit => Value::Bytes(bit_value(digits_of(text))),
        HoleKind::Parameter | HoleKind::Comment => Value::Null,
        HoleKind::List(class) => literal_value(sql, span, class.into(), options),
    }
}

/// The name that an identifier's text means: quotes taken off, doubled quotes undone.
///
/// ```
/// assert_eq!(serval_sql::identifier_value(b"`a``b`"), b"a`b");
/// ```
#[must_use]
pub fn identifier_value(text: &[u8]) -> Vec<u8> {
    let Some(quote @ (b'`' | b'"')) = text.first().copied() else { return text.to_vec() };
    let inner = text.get(1..text.len() - 1).unwrap_or_default();
    let mut value = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        value.push(*byte);
        if *byte == quote {
            bytes.next();
        }
    }
    value
}

/// `1.` and `.5` are numbers in SQL, and servers write them as 1 and 0.5.
fn decimal(text: &str) -> Value {
    let lead = if text.starts_with('.') { "0" } else { "" };
    Value::decimal(&format!("{lead}{}", text.strip_suffix('.').unwrap_or(text)))
}

/// The bytes of one or more strings that stand next to each other.
fn text_value(sql: &[u8], span: Span, options: LexOptions) -> Vec<u8> {
    let mut value = Vec::with_capacity(span.len() as usize);
    for piece in Lexer::string_pieces(sql, span, options) {
        unescape(piece.of(sql), options, &mut value);
    }
    value
}

/// Appends what a quoted string means ([manual, "String
/// Literals"](https://dev.mysql.com/doc/refman/8.4/en/string-literals.html)).
fn unescape(quoted: &[u8], options: LexOptions, value: &mut Vec<u8>) {
    let Some((quote, rest)) = quoted.split_first() else { return };
    let mut bytes = rest.get(..rest.len().saturating_sub(1)).unwrap_or_default().iter();
    loop {
        let pair = options.pairs.leads(bytes.as_slice());
        let Some(byte) = bytes.next() else { return };
        if pair {
            value.push(*byte);
            value.extend(bytes.next());
            continue;
        }
        if *byte == b'\\' && !options.no_backslash_escapes {
            escaped(bytes.next().copied(), value);
            continue;
        }
        value.push(*byte);
        if byte == quote {
            bytes.next();
        }
    }
}

fn escaped(byte: Option<u8>, value: &mut Vec<u8>) {
    match byte {
        Some(b'0') => value.push(0),
        Some(b'b') => value.push(8),
        Some(b'n') => value.push(b'\n'),
        Some(b'r') => value.push(b'\r'),
        Some(b't') => value.push(b'\t'),
        Some(b'Z') => value.push(26),
        // These two keep their backslash, because LIKE reads it.
        Some(byte @ (b'%' | b'_')) => value.extend_from_slice(&[b'\\', byte]),
        Some(byte) => value.push(byte),
        None => {}
    }
}

/// The digits of `x'1f'` or `0x1f`.
fn digits_of(text: &[u8]) -> &[u8] {
    let digits = text.get(2..).unwrap_or_default();
    digits.strip_suffix(b"'").unwrap_or(digits)
}

fn hex_value(digits: &[u8]) -> Vec<u8> {
    digits.rchunks(2).rev().map(|pair| number(pair, 16)).collect()
}

fn bit_value(digits: &[u8]) -> Vec<u8> {
    digits.rchunks(8).rev().map(|byte| number(byte, 2)).collect()
}

/// The value of at most eight bits' worth of digits.
fn number(digits: &[u8], radix: u32) -> u8 {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix).unwrap_or_default();
    let value = digits.iter().fold(0, |value, byte| value * radix + digit(byte));
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_with(text: &str, options: LexOptions) -> Value {
        let scan = crate::scan(text.as_bytes(), options).unwrap();
        literal_value(text.as_bytes(), scan.holes[0].span, scan.holes[0].kind, options)
    }

    fn value(text: &str) -> Value {
        value_with(text, LexOptions::default())
    }

    #[test]
    fn text_is_unescaped() {
        assert_eq!(
            value(r"'a\0\b\n\r\t\Z\\\'\%\_\q'''"),
            Value::Text(b"a\0\x08\n\r\t\x1a\\'\\%\\_q'".to_vec())
        );
        assert_eq!(value("\"a\"\"b'c\""), Value::Text(b"a\"b'c".to_vec()));
        assert_eq!(value("'a' 'b' /* 'x' */ \"c\""), Value::Text(b"abc".to_vec()));
        assert_eq!(value("N'a' 'b'"), Value::Text(b"ab".to_vec()));
        assert_eq!(value("''"), Value::Text(Vec::new()));
        let raw = LexOptions { no_backslash_escapes: true, ..LexOptions::default() };
        assert_eq!(value_with(r"'a\n\'", raw), Value::Text(br"a\n\".to_vec()));
    }

    #[test]
    fn numbers_are_exact() {
        assert_eq!(value("18446744073709551615"), Value::UInt(u64::MAX));
        assert_eq!(value("007"), Value::Int(7));
        assert_eq!(value("1.50"), Value::decimal("1.50"));
        assert_eq!(value(".5"), Value::decimal("0.5"));
        assert_eq!(value("1."), Value::decimal("1.0"));
        assert_eq!(value("1e3"), Value::Double(1000.0));
        assert_eq!(value("1.e3"), Value::Double(1000.0));
        assert_eq!(value(".5e+1"), Value::Double(5.0));
    }

    #[test]
    fn hex_and_bits_fill_from_the_right() {
        assert_eq!(value("0xabc"), Value::Bytes(vec![0x0a, 0xbc]));
        assert_eq!(value("x'41ff'"), Value::Bytes(vec![0x41, 0xff]));
        assert_eq!(value("X''"), Value::Bytes(vec![]));
        assert_eq!(value("b'100000001'"), Value::Bytes(vec![1, 1]));
        assert_eq!(value("0b11"), Value::Bytes(vec![3]));
    }

    #[test]
    fn identifiers_lose_their_quotes() {
        assert_eq!(identifier_value(b"\"a\"\"b\""), b"a\"b");
        assert_eq!(identifier_value(b"abc"), b"abc");
        assert_eq!(identifier_value(b"``"), b"");
    }
}
