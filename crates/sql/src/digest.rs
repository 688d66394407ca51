//! A statement for people: literals as `?`, white space folded.

use crate::lexer::Lexer;
use crate::{LexOptions, Span, Token, TokenKind};

/// A readable form of the statement that is the same for all its literals. For logs and statistics only: two
/// statements with different meanings may share it. It ends where the text no longer lexes.
///
/// ```
/// let digest = serval_sql::digest_text(b"select a  from t\nwhere b in (1,2) and c='x' -- hi", Default::default());
/// assert_eq!(digest, "select a from t where b in (...) and c = ?");
/// ```
#[must_use]
pub fn digest_text(sql: &[u8], options: LexOptions) -> String {
    let mut lexer = Lexer::new(sql, options);
    let mut digest = Digest { sql, out: Vec::with_capacity(sql.len()), previous: None };
    while let Ok(Some(token)) = lexer.next() {
        digest.token(token);
    }
    digest.finish()
}

struct Digest<'a> {
    sql: &'a [u8],
    out: Vec<u8>,
    previous: Option<Token>,
}

impl Digest<'_> {
    fn token(&mut self, token: Token) {
        if token.kind.is_comment() {
            return;
        }
        if self.wants_space(token) {
            self.out.push(b' ');
        }
        let literal = token.kind.is_literal() || token.kind == TokenKind::Parameter;
        self.out.extend_from_slice(if literal { b"?" } else { token.span.of(self.sql) });
        self.previous = Some(token);
        if token.is_symbol(b')') {
            self.fold_list();
            self.fold_row();
        }
    }

    /// Words and operators stand apart; a name keeps its dots, a call its parenthesis, a comma its left neighbour.
    fn wants_space(&self, token: Token) -> bool {
        let Some(previous) = self.previous else { return false };
        if previous.is_symbol(b'.') || token.is_symbol(b'.') || previous.is_symbol(b'(') {
            return false;
        }
        match token.kind {
            TokenKind::Symbol(b')' | b',' | b';') => false,
            TokenKind::Symbol(b'(') => previous.span.end < token.span.start || !previous_is_name(previous),
            _ => true,
        }
    }

    /// `(?, ?, ?)` becomes `(...)`.
    fn fold_list(&mut self) {
        let Some(open) = self.out.iter().rposition(|byte| *byte == b'(') else { return };
        let inner = self.out.get(open + 1..self.out.len() - 1).unwrap_or_default();
        if inner.starts_with(b"?") && inner.iter().all(|byte| matches!(byte, b'?' | b',' | b' ')) {
            self.out.truncate(open);
            self.out.extend_from_slice(b"(...)");
        }
    }

    /// `(...), (...)` becomes `(...)`: the rows of an INSERT.
    fn fold_row(&mut self) {
        if self.out.ends_with(b"(...), (...)") {
            self.out.truncate(self.out.len() - b", (...)".len());
        }
    }

    fn finish(mut self) -> String {
        if self.previous.is_some_and(|last| last.is_symbol(b';')) {
            self.out.pop();
        }
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

fn previous_is_name(previous: Token) -> bool {
    matches!(previous.kind, TokenKind::Word | TokenKind::QuotedIdent) && !Span::is_empty(previous.span)
}
