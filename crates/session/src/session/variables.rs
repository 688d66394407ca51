//! The session's user variables, as far as they say where a statement's rows are.

use serval_planner::UserVariables;
use serval_remote::{Backend, SessionState};
use serval_sql::{HoleKind, LexOptions, TokenKind, literal_value, may_call_stored, tokens};
use serval_types::Value;

use super::{Query, Session};
use crate::statement::user_variable;

/// The variables at the beginning of a statement that does not change them.
#[derive(Debug)]
pub(crate) struct Variables {
    state: SessionState,
}

impl Variables {
    /// Those that a statement reads; `None` where it names none, and where what it runs may set them row by row.
    pub(crate) fn of<B: Backend>(session: &Session<B>, query: &Query<'_>) -> Option<Self> {
        let key = &query.scan.key;
        if !key.contains(&b'@') || key.windows(2).any(|pair| pair == b":=") {
            return None;
        }
        let calls = may_call_stored(query.sql, query.options(session));
        (!calls).then(|| Self { state: session.state.clone() })
    }
}

impl UserVariables for Variables {
    fn value(&self, name: &str) -> Option<Value> {
        // The state has the names of other letters in quotes.
        let name = user_variable(name.strip_prefix('@')?);
        self.state.value(&name).map_or(Some(Value::Null), known)
    }
}

/// The value of a literal that a variable is set with: numbers, and text in UTF-8.
fn known(literal: &str) -> Option<Value> {
    if literal.eq_ignore_ascii_case("NULL") {
        return Some(Value::Null);
    }
    let unsigned = literal.strip_prefix("CAST(").and_then(|rest| rest.strip_suffix(" AS UNSIGNED)"));
    let number = unsigned.unwrap_or(literal);
    let digits = number.strip_prefix('-').unwrap_or(number);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Value::integer(number));
    }
    let text = literal.strip_prefix("_utf8mb4")?;
    let found = tokens(text.as_bytes(), LexOptions::default()).ok()?;
    let first = found.first().filter(|token| token.kind == TokenKind::Text)?;
    let rest = text.get(first.span.end as usize..)?;
    let plain = rest.is_empty() || rest.starts_with(" COLLATE ");
    plain.then(|| literal_value(text.as_bytes(), first.span, HoleKind::Text, LexOptions::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_utf8_are_known() {
        assert_eq!(known("7"), Some(Value::Int(7)));
        assert_eq!(known("-7"), Some(Value::Int(-7)));
        assert_eq!(known("CAST(18446744073709551615 AS UNSIGNED)"), Some(Value::UInt(u64::MAX)));
        assert_eq!(known("NULL"), Some(Value::Null));
        let text = known("_utf8mb4'it\\'s' COLLATE utf8mb4_general_ci");
        assert_eq!(text, Some(Value::Text(b"it's".to_vec())));
        for other in
            ["_latin1'a' COLLATE latin1_swedish_ci", "x'00'", "1.5", "1e0", "_utf8mb4 x'61'", "_utf8mb3'a'"]
        {
            assert_eq!(known(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_not_set_is_null() {
        let state = SessionState::default().with("@a", "7");
        let variables = Variables { state };
        assert_eq!(variables.value("@a"), Some(Value::Int(7)));
        assert_eq!(variables.value("@b"), Some(Value::Null));
    }
}
