//! A key as the text or the number that other proxies computed with. They saw statements, not columns, so a number
//! was its digits to them.

use std::borrow::Cow;

use bigdecimal::BigDecimal;

use crate::Key;

/// The key as text: a number in its digits.
pub(super) fn text(key: &Key) -> Result<Cow<'_, str>, String> {
    match key {
        Key::Integer(number) => Ok(Cow::Owned(number.to_string())),
        Key::Decimal(number) => Ok(Cow::Owned(number.to_plain_string())),
        Key::Bytes(bytes) => {
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| "it is not UTF-8".to_owned())
        }
        Key::Moment(_) => Err("the function takes no dates".to_owned()),
    }
}

/// The key as a whole number. A text is one if it has nothing but an optional sign and digits.
pub(super) fn number(key: &Key) -> Result<i128, String> {
    match key {
        Key::Integer(number) => Ok(*number),
        Key::Decimal(number) => whole(number).ok_or_else(|| "it is no whole number of that size".to_owned()),
        Key::Bytes(bytes) => std::str::from_utf8(bytes)
            .ok()
            .filter(|text| is_number(text))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| "it is not a whole number".to_owned()),
        Key::Moment(_) => Err("the function takes no dates".to_owned()),
    }
}

/// The key as a whole number of 64 bits, which is what the other proxies' functions take.
pub(super) fn long(key: &Key) -> Result<i64, String> {
    i64::try_from(number(key)?).map_err(|_| "it is beyond 9223372036854775807".to_owned())
}

pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn whole(number: &BigDecimal) -> Option<i128> {
    number.is_integer().then(|| number.with_scale(0).into_bigint_and_exponent().0.try_into().ok()).flatten()
}

/// The UTF-16 units of a text, which Java calls characters.
pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Key {
        Key::Bytes(text.as_bytes().into())
    }

    #[test]
    fn numbers_in_text() {
        for (text, expected) in [("7", Some(7)), ("-7", Some(-7)), ("+07", Some(7)), ("", None), ("-", None)]
        {
            assert_eq!(number(&bytes(text)).ok(), expected, "{text}");
        }
        assert!(number(&bytes(" 7")).is_err());
        assert!(number(&bytes("٧")).is_err());
        assert!(number(&bytes(&"9".repeat(60))).is_err());
        assert!(long(&Key::Integer(u64::MAX.into())).is_err());
        assert_eq!(text(&Key::Integer(-5)).as_deref(), Ok("-5"));
        assert!(text(&Key::Bytes([0xff][..].into())).is_err());
    }
}
