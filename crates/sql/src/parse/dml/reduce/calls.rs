//! Words among the arguments of functions.

use super::Reducer;
use crate::TokenKind;

impl Reducer<'_> {
    /// Takes off what stands behind an argument; says whether it did.
    pub(super) fn call_word(&mut self, word: &str) -> bool {
        let Some(function) = self.paren.function else { return false };
        let function = function.text(self.sql);
        let named = |name: &str| function.eq_ignore_ascii_case(name);
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let argument =
            self.reduced.tokens.last().is_some_and(|last| !last.is_symbol(b'(') && !last.is_symbol(b','));
        if !argument {
            return false;
        }
        // WEIGHT_STRING(a AS CHAR(3) LEVEL 1, 2): no argument follows.
        let to_the_end = named("WEIGHT_STRING") && (is("AS") || is("LEVEL"));
        if to_the_end || named("CHAR") && is("USING") {
            self.skip_argument(false);
            return true;
        }
        // JSON_VALUE(a, '$' RETURNING INT NULL ON EMPTY ERROR ON ERROR).
        let on_error = ["RETURNING", "DEFAULT", "NULL", "ERROR"].iter().any(|clause| is(clause));
        if named("JSON_VALUE") && on_error {
            self.skip_argument(false);
            return true;
        }
        // GROUP_CONCAT(a LIMIT 1, 2) and JSON_ARRAYAGG(a LIMIT 2 OFFSET 1): sqlparser knows one number.
        let numbers = self
            .peek(2)
            .is_some_and(|next| next.is_symbol(b',') || next.is_word(self.sql.as_bytes(), "OFFSET"));
        if is("LIMIT") && numbers && self.peek(3).is_some_and(|number| !number.is_symbol(b')')) {
            for _ in 0..2 {
                if let Some(token) = self.peek(0).copied() {
                    self.keep(token);
                }
            }
            self.at += 2;
            return true;
        }
        // COLUMN_CREATE('a', 1 AS INT), and MariaDB's f(a AS b), which names the argument of a loadable function.
        if is("AS") {
            self.skip_argument(true);
        }
        is("AS")
    }

    /// Goes to the parenthesis that closes the call, or to the next argument.
    fn skip_argument(&mut self, stops_at_comma: bool) {
        let mut depth = 0_u32;
        while let Some(token) = self.peek(0) {
            match token.kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') if depth == 0 => return,
                TokenKind::Symbol(b')') => depth -= 1,
                TokenKind::Symbol(b',') if depth == 0 && stops_at_comma => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}
