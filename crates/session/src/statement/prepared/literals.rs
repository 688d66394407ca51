//! Literals in the place of parameters, for statements that are executed as text.

use serval_sql::{Edit, HoleKind, LexOptions, ListClass, Scan, Span, splice};
use serval_types::Value;

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

/// A binary string. Without the introducer MySQL would take it for a number where it stands beside one.
fn binary(bytes: &[u8]) -> String {
    format!("_binary {}", hex(bytes))
}

/// A value as a literal that Serval's own parser can read: a string in quotes where it is UTF-8.
pub(in crate::statement) fn readable(value: &Value, options: LexOptions) -> String {
    match value {
        Value::Text(text) => match std::str::from_utf8(text) {
            Ok(text) if options.no_backslash_escapes => format!("'{}'", text.replace('\'', "''")),
            Ok(text) => format!("'{}'", text.replace('\\', r"\\").replace('\'', "''")),
            Err(_) => binary(text),
        },
        Value::Bytes(bytes) => binary(bytes),
        other => literal(other, "binary"),
    }
}
