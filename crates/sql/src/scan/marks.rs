//! What few statements have, noted on the one pass over them, so that nobody has to look for it afterwards.

use crate::{Token, TokenKind};

/// What a statement's tokens show. Without its mark there is no such thing in the statement; with it there may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// An opening parenthesis: without one, nothing is called.
    pub parenthesis: bool,
    /// `@name` or `@@name`.
    pub variable: bool,
    /// A word as long as CURRENT_USER and CURRENT_ROLE, which are functions without parentheses.
    pub current: bool,
    /// A word as long as SQL_CALC_FOUND_ROWS.
    pub counts_all: bool,
}

impl Marks {
    /// What a comment for servers holds is seen only when it has been opened.
    const ALL: Self = Self { parenthesis: true, variable: true, current: true, counts_all: true };

    pub(super) fn note(&mut self, token: Token) {
        match token.kind {
            TokenKind::Word => {
                let length = token.span.end - token.span.start;
                self.current |= length == "CURRENT_USER".len() as u32;
                self.counts_all |= length == "SQL_CALC_FOUND_ROWS".len() as u32;
            }
            TokenKind::Symbol(b'(') => self.parenthesis = true,
            TokenKind::UserVariable | TokenKind::SystemVariable => self.variable = true,
            TokenKind::VersionComment => *self = Self::ALL,
            _ => {}
        }
    }

    /// Whether the statement may name something that belongs to the session: `USER()`, `CURRENT_USER`, `@@port`.
    #[must_use]
    pub fn may_name_session(self) -> bool {
        self.parenthesis || self.variable || self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LexOptions, scan};

    fn marks(sql: &str) -> Marks {
        scan(sql.as_bytes(), LexOptions::default()).unwrap().marks
    }

    #[test]
    fn an_ordinary_statement_has_none() {
        assert_eq!(marks("SELECT c, '(@x' FROM t /* f(@@y) */ WHERE id = 1"), Marks::default());
    }

    #[test]
    fn each_is_seen() {
        assert!(marks("SELECT f (1)").parenthesis);
        assert!(marks("SELECT a FROM t WHERE b IN (1, 2)").parenthesis);
        assert!(marks("SELECT @a").variable && marks("SELECT @@port").variable);
        assert!(marks("SELECT current_role").current && marks("SELECT Current_User").may_name_session());
        assert!(marks("select sql_calc_found_rows a FROM t").counts_all);
        assert_eq!(marks("SELECT /*!50000 f(1), */ 2"), Marks::ALL);
    }
}
