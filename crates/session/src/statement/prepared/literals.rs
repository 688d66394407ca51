//! Literals in the place of parameters, for statements that are executed as text.

use serval_sql::{Edit, HoleKind, LexOptions, ListClass, Scan, Span, StatementClass, splice};
use serval_types::Value;
use serval_wire::command::execute::Parameters;

use crate::literal::{hex, literal};

/// The places of the parameters, in order.
fn places(scan: &Scan) -> Vec<Span> {
    let mut places = Vec::new();
    for (index, hole) in scan.holes.iter().enumerate() {
        match hole.kind {
            HoleKind::Parameter => places.push(hole.span),
            HoleKind::List(ListClass::Parameter) => places.extend_from_slice(scan.list(index)),
            _ => {}
        }
    }
    places
}

/// The statement with the text of each value in the place of its parameter.
pub(in crate::statement) fn fill(
    sql: &[u8],
    scan: &Scan,
    values: impl IntoIterator<Item = String>,
) -> Vec<u8> {
    let places = places(scan).into_iter().zip(values);
    let edits: Vec<Edit> = places.map(|(at, text)| Edit { at, text }).collect();
    splice(sql, &edits)
}

/// The statement with the values of an execution in it.
pub(in crate::statement) fn with_values(
    (sql, scan): (&[u8], &Scan),
    (parameters, values): (&Parameters, &[Value]),
    options: LexOptions,
    charset: &str,
) -> Vec<u8> {
    let assigns = matches!(scan.class, StatementClass::Set | StatementClass::Do);
    let literals = values.iter().zip(places(scan)).enumerate().map(|(index, (value, at))| {
        let text = readable(value, options, charset);
        let unsigned = parameters.types().get(index).is_some_and(|parameter_type| parameter_type.unsigned);
        // A literal is signed as long as it fits, and 5 - 10 is no error then.
        let cast = unsigned && matches!(value, Value::Int(_)) && (assigns || is_computed(sql, at));
        if cast { format!("CAST({text} AS UNSIGNED)") } else { text }
    });
    fill(sql, scan, literals)
}

/// Whether an arithmetic operator stands beside the place.
fn is_computed(sql: &[u8], at: Span) -> bool {
    let before = sql.get(..at.start as usize).unwrap_or_default().trim_ascii_end();
    let behind = sql.get(at.end as usize..).unwrap_or_default().trim_ascii_start();
    let comments = before.ends_with(b"*/") || behind.starts_with(b"/*") || behind.starts_with(b"--");
    !comments && [before.last(), behind.first()].into_iter().flatten().any(|byte| b"+-*/%".contains(byte))
}

/// A binary string. Without the introducer MySQL would take it for a number where it stands beside one.
fn binary(bytes: &[u8]) -> String {
    format!("_binary {}", hex(bytes))
}

/// A value as a literal that Serval's own parser can read: a string in quotes where it is UTF-8. `options` and `charset`
/// are those that the statement is going to be read with.
pub(in crate::statement) fn readable(value: &Value, options: LexOptions, charset: &str) -> String {
    match value {
        Value::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => quoted(text, options),
            // Drivers send binary values as strings; no server reads these bytes as UTF-8.
            Err(_) if charset == "binary" || charset.starts_with("utf8") => binary(text),
            Err(_) => format!("_{charset} {}", hex(text)),
        },
        Value::Bytes(bytes) => binary(bytes),
        other => literal(other, "binary"),
    }
}

/// A string in quotes. In a character set of pairs the second half of a character may look like a backslash, and one that is
/// doubled would escape what follows it.
fn quoted(text: &str, options: LexOptions) -> String {
    let mut rest = text.as_bytes();
    let mut out = vec![b'\''];
    while let Some(&byte) = rest.first() {
        let length = if options.pairs.leads(rest) { 2 } else { 1 };
        if length == 1 && (byte == b'\'' || byte == b'\\' && !options.no_backslash_escapes) {
            out.push(byte);
        }
        out.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    out.push(b'\'');
    // Only ASCII was put in, before ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serval_sql::{HoleKind, Pairs, literal_value};

    use super::*;

    /// Quoted, the text is one string, and means itself.
    fn check(text: &str, options: LexOptions) {
        let sql = readable(&Value::Text(text.into()), options, "gbk");
        let tokens = serval_sql::tokens(sql.as_bytes(), options).expect("tokens");
        assert_eq!(tokens.len(), 1, "{sql:?}");
        let value = literal_value(sql.as_bytes(), tokens[0].span, HoleKind::Text, options);
        assert_eq!(value, Value::Text(text.into()), "{sql:?}");
    }

    #[test]
    fn a_string_is_one_string_in_every_character_set() {
        for pairs in [Pairs::None, Pairs::Gbk, Pairs::Big5, Pairs::Sjis] {
            for no_backslash_escapes in [false, true] {
                let options = LexOptions { no_backslash_escapes, ..LexOptions::default() }.with_pairs(pairs);
                for text in
                    ["", "it's", "a\\b", "\\", "'", "é'", "你\\", "く\\'", "你你\\\\", "x你'\\", "é\\"]
                {
                    check(text, options);
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_keep_their_character_set() {
        let text = Value::Text(vec![0xe9]);
        assert_eq!(readable(&text, LexOptions::default(), "latin1"), "_latin1 x'e9'");
        assert_eq!(readable(&text, LexOptions::default(), "binary"), "_binary x'e9'");
    }
}
