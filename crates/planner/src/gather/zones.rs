//! CONVERT_TZ between zones that have names: a scratch server need not know them.

use serval_sql::{LexOptions, Token, TokenKind, closing, tokens};

/// Whether a call has a zone that is not written as an offset.
pub(super) fn are_named(sql: &[u8], options: LexOptions) -> bool {
    let mut tokens = tokens(sql, options).unwrap_or_default();
    tokens.retain(|token| !token.kind.is_comment());
    let mut calls = (0..tokens.len()).filter(|at| {
        tokens[*at].is_word(sql, "CONVERT_TZ")
            && tokens.get(at + 1).is_some_and(|token| token.is_symbol(b'('))
    });
    let named = |at: usize| {
        let Some(last) = closing(&tokens, at + 1) else { return true };
        // The last two arguments are a text each.
        let ends = [last.checked_sub(3), last.checked_sub(1)];
        !ends.into_iter().all(|at| at.is_some_and(|at| is_offset(sql, &tokens[at])))
    };
    calls.any(named)
}

/// `'+02:00'`, or the session's own, which is set there.
fn is_offset(sql: &[u8], token: &Token) -> bool {
    let text = token.span.of(sql).trim_ascii();
    if token.kind == TokenKind::SystemVariable {
        return text.to_ascii_lowercase().ends_with(b"time_zone");
    }
    let within = |quote: &[u8]| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    let inner = within(b"'").or_else(|| within(b"\"")).unwrap_or_default();
    token.kind == TokenKind::Text && matches!(inner, [b'+' | b'-', rest @ ..] if rest.contains(&b':'))
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
