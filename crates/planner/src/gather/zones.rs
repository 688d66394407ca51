//! CONVERT_TZ between zones that have names: a scratch server need not know them.

use serval_sql::{HoleKind, LexOptions, Token, TokenKind, closing, is_call, literal_value, tokens};
use serval_types::Value;

/// Whether a call has a zone that is not written as an offset.
pub(super) fn are_named(sql: &[u8], options: LexOptions) -> bool {
    let mut tokens = tokens(sql, options).unwrap_or_default();
    tokens.retain(|token| !token.kind.is_comment());
    let mut calls = (0..tokens.len()).filter(|at| is_call(sql, &tokens, *at, "CONVERT_TZ"));
    let named = |at: usize| {
        let Some(last) = closing(&tokens, at + 1) else { return true };
        // The last two arguments are a text each.
        let ends = [last.checked_sub(3), last.checked_sub(1)];
        !ends.into_iter().all(|at| at.is_some_and(|at| is_offset(sql, &tokens[at], options)))
    };
    calls.any(named)
}

/// `'+02:00'`, or the session's own, which is set there.
fn is_offset(sql: &[u8], token: &Token, options: LexOptions) -> bool {
    match token.kind {
        TokenKind::SystemVariable => token.span.of(sql).to_ascii_lowercase().ends_with(b"time_zone"),
        TokenKind::Text => match literal_value(sql, token.span, HoleKind::Text, options) {
            Value::Text(zone) => matches!(&*zone, [b'+' | b'-', rest @ ..] if rest.contains(&b':')),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_need_no_names() {
        let obstacle = |sql: &str| are_named(sql.as_bytes(), LexOptions::default());
        assert!(!obstacle(
            "SELECT CONVERT_TZ('2026-01-01', '+00:00', '-02:00'), convert_tz(f(a, b), '+00:00','+01:00')"
        ));
        assert!(!obstacle("SELECT CONVERT_TZ(a, @@session.time_zone, \"+02:00\")"));
        assert!(obstacle("SELECT CONVERT_TZ(a, 'UTC', '+02:00')"));
        assert!(obstacle("SELECT CONVERT_TZ(a, '+00:00', b)"));
        assert!(!obstacle("SELECT convert_tz FROM t"));
    }
}
