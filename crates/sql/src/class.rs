//! What kind of statement a text is, by its first words.

use crate::lexer::Lexer;
use crate::{LexOptions, Span, Token, TokenKind, VersionComment};

/// What a statement is, by its first word after comments and opening parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the statement's first word")]
pub enum StatementClass {
    /// No token at all; MySQL answers 1065.
    Empty,
    /// SELECT, a query in parentheses included.
    Select,
    /// A query that begins with WITH.
    With,
    /// VALUES (1), (2), and MySQL's TABLE t.
    Values,
    Insert,
    Replace,
    Update,
    Delete,
    /// BEGIN and START TRANSACTION.
    Begin,
    Commit,
    /// ROLLBACK and ROLLBACK TO.
    Rollback,
    /// SAVEPOINT.
    Savepoint,
    /// RELEASE SAVEPOINT.
    Release,
    Set,
    Use,
    Show,
    /// DESCRIBE and DESC.
    Describe,
    Explain,
    Create,
    Drop,
    Alter,
    Truncate,
    Rename,
    Lock,
    Unlock,
    Call,
    Load,
    Kill,
    Do,
    Prepare,
    Execute,
    Deallocate,
    Handler,
    Analyze,
    Optimize,
    Check,
    Checksum,
    Repair,
    Flush,
    Reset,
    Grant,
    Revoke,
    Xa,
    /// Anything else.
    Other,
}

impl StatementClass {
    /// The class that a first word names.
    #[must_use]
    pub fn of_word(word: &[u8]) -> Self {
        const LONGEST: usize = 10;
        let mut upper = [0_u8; LONGEST];
        let Some(upper) = upper.get_mut(..word.len()) else { return Self::Other };
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        match &*upper {
            b"SELECT" => Self::Select,
            b"WITH" => Self::With,
            b"VALUES" | b"TABLE" => Self::Values,
            b"INSERT" => Self::Insert,
            b"REPLACE" => Self::Replace,
            b"UPDATE" => Self::Update,
            b"DELETE" => Self::Delete,
            b"BEGIN" | b"START" => Self::Begin,
            b"COMMIT" => Self::Commit,
            b"ROLLBACK" => Self::Rollback,
            b"SAVEPOINT" => Self::Savepoint,
            b"RELEASE" => Self::Release,
            b"SET" => Self::Set,
            b"USE" => Self::Use,
            b"SHOW" => Self::Show,
            b"DESCRIBE" | b"DESC" => Self::Describe,
            b"EXPLAIN" => Self::Explain,
            b"CREATE" => Self::Create,
            b"DROP" => Self::Drop,
            b"ALTER" => Self::Alter,
            b"TRUNCATE" => Self::Truncate,
            b"RENAME" => Self::Rename,
            b"LOCK" => Self::Lock,
            b"UNLOCK" => Self::Unlock,
            b"CALL" => Self::Call,
            b"LOAD" => Self::Load,
            b"KILL" => Self::Kill,
            b"DO" => Self::Do,
            b"PREPARE" => Self::Prepare,
            b"EXECUTE" => Self::Execute,
            b"DEALLOCATE" => Self::Deallocate,
            b"HANDLER" => Self::Handler,
            b"ANALYZE" => Self::Analyze,
            b"OPTIMIZE" => Self::Optimize,
            b"CHECK" => Self::Check,
            b"CHECKSUM" => Self::Checksum,
            b"REPAIR" => Self::Repair,
            b"FLUSH" => Self::Flush,
            b"RESET" => Self::Reset,
            b"GRANT" => Self::Grant,
            b"REVOKE" => Self::Revoke,
            b"XA" => Self::Xa,
            _ => Self::Other,
        }
    }
}

/// Finds a statement's class while its tokens go by, and whether `;` inside it ends it.
#[derive(Debug)]
pub(crate) struct ClassFinder {
    options: LexOptions,
    class: Option<StatementClass>,
    first_word: Option<Span>,
    words: u32,
    body: Body,
}

/// Whether a statement may hold other statements.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    /// Not known yet.
    Unknown,
    /// A `;` ends it.
    No,
    /// CREATE PROCEDURE and its like, BEGIN NOT ATOMIC: a `;` separates statements of its body.
    Yes,
}

impl ClassFinder {
    pub(crate) fn new(options: LexOptions) -> Self {
        Self { options, class: None, first_word: None, words: 0, body: Body::Unknown }
    }

    /// Takes notice of the next token that is no comment. The first one says it all of nearly every statement.
    #[inline]
    pub(crate) fn see(&mut self, sql: &[u8], token: Token) {
        if self.body == Body::Unknown {
            self.look(sql, token);
        }
    }

    fn look(&mut self, sql: &[u8], token: Token) {
        match token.kind {
            TokenKind::Word => self.word(sql, token.span),
            TokenKind::VersionComment => self.version_comment(sql, token.span),
            TokenKind::Symbol(b'(') | TokenKind::Hint if self.class.is_none() => {}
            // DEFINER = `a`@`b` may stand between CREATE and the word that matters.
            _ if self.class.is_some() => {}
            _ => (self.class, self.body) = (Some(StatementClass::Other), Body::No),
        }
    }

    fn version_comment(&mut self, sql: &[u8], span: Span) {
        let body = VersionComment::of(sql, span.start, span.end).body;
        let mut lexer = Lexer::of_version_comment(sql, body, self.options);
        while let Ok(Some(token)) = lexer.next() {
            if token.kind != TokenKind::Comment {
                self.see(sql, token);
            }
        }
    }

    fn word(&mut self, sql: &[u8], span: Span) {
        let word = span.of(sql);
        self.words += 1;
        match self.class {
            None => {
                self.class = Some(StatementClass::of_word(word));
                self.first_word = Some(span);
                if !matches!(
                    self.class,
                    Some(StatementClass::Create | StatementClass::Alter | StatementClass::Begin)
                ) {
                    self.body = Body::No;
                }
            }
            Some(StatementClass::Begin) => self.second_of_begin(sql, word),
            Some(_) => self.body = body_of_object(word, self.words),
        }
    }

    /// START SLAVE is no START TRANSACTION, and BEGIN NOT ATOMIC begins a block.
    fn second_of_begin(&mut self, sql: &[u8], word: &[u8]) {
        let start = self.first_word.is_some_and(|first| first.of(sql).eq_ignore_ascii_case(b"START"));
        if start && !word.eq_ignore_ascii_case(b"TRANSACTION") {
            self.class = Some(StatementClass::Other);
        }
        self.body = if !start && word.eq_ignore_ascii_case(b"NOT") { Body::Yes } else { Body::No };
    }

    pub(crate) fn holds_statements(&self) -> bool {
        self.body == Body::Yes
    }

    pub(crate) fn class(&self) -> StatementClass {
        self.class.unwrap_or(StatementClass::Empty)
    }

    pub(crate) fn first_word(&self) -> Option<Span> {
        self.first_word
    }
}

/// What the word behind CREATE or ALTER says; the options before the object's kind say nothing.
fn body_of_object(word: &[u8], words: u32) -> Body {
    const OPTIONS: [&str; 9] =
        ["OR", "REPLACE", "DEFINER", "AGGREGATE", "CURRENT_USER", "CURRENT_ROLE", "ROOT", "IF", "SQL"];
    const WITH_BODY: [&str; 5] = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"];
    let is_one_of = |words: &[&str]| words.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
    if is_one_of(&WITH_BODY) {
        Body::Yes
    } else if is_one_of(&OPTIONS) && words < 10 {
        Body::Unknown
    } else {
        Body::No
    }
}
