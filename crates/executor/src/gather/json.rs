//! JSON that says another thing when its text is read again.
//!
//! MySQL keeps a DECIMAL in JSON with its digits (`{"price": 10.50}`), and reads the same text as a DOUBLE, which it
//! prints as `10.5`: "The JSON Data Type" in its manual, on converting between JSON and non-JSON values.

/// The first number in the text that a server would print otherwise if it read the text.
pub(super) fn changing_number(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'-' | b'0'..=b'9')) {
        rest = &rest[at..];
        if rest[0] == b'"' {
            rest = behind_string(rest);
            continue;
        }
        let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = rest.iter().position(|byte| !in_number(byte)).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        if !std::str::from_utf8(number).is_ok_and(is_kept) {
            return Some(number);
        }
        rest = behind;
    }
    None
}

/// What follows the string that the text begins with.
fn behind_string(text: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = text[1..].iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(&[], |end| &text[end + 2..])
}

/// Whether the number is an integer of 64 bits, or has the fewest digits that tell its DOUBLE, as servers print it.
fn is_kept(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    let mantissa = |text: &str| text.split(['e', 'E']).next().unwrap_or_default().to_owned();
    let written = mantissa(number);
    if written.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 1 && fraction.ends_with('0')) {
        return false;
    }
    let has_point = number.contains(['.', 'e', 'E']);
    let shortest = number.parse::<f64>().map(|double| mantissa(&format!("{double:e}")));
    has_point && shortest.is_ok_and(|shortest| digits(&shortest) == digits(&written))
}

/// The digits that count.
fn digits(mantissa: &str) -> String {
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_read_as_they_are_written() {
        for text in [
            "{}",
            "[1, -7, 18446744073709551615, true, null]",
            "{\"a \\\" 10.50\": \"10.50\", \"b\\\\\": 10.5}",
            "[0.1, -0.0, 3.0, 1e20, 1.5e-7, 123456.789, 0.30000000000000004]",
            "\"10.50",
        ] {
            assert_eq!(changing_number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_would_be_others() {
        for (text, number) in [
            ("{\"price\": 10.50}", "10.50"),
            ("[1, 0.1000000000000000055]", "0.1000000000000000055"),
            ("99999999999999999999", "99999999999999999999"),
            ("[\"1\", 1.00]", "1.00"),
            ("[1.2.3]", "1.2.3"),
        ] {
            assert_eq!(changing_number(text.as_bytes()), Some(number.as_bytes()), "{text}");
        }
    }
}
