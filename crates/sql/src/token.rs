//! Tokens: what the planner reads where a syntax tree does not say enough.

use crate::lexer::{LexError, Lexer};
use crate::{LexOptions, Span};

/// One token of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Where it stands, quotes and comment markers included.
    pub span: Span,
    /// What it is.
    pub kind: TokenKind,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A bare word: a keyword, an identifier, a character set introducer such as `_utf8mb4`, or `\N`.
    Word,
    /// An identifier in backticks, or in double quotes under ANSI_QUOTES.
    QuotedIdent,
    /// `'abc'` or `"abc"`; strings next to each other are one token, as MySQL reads them.
    Text,
    /// `N'abc'`.
    National,
    /// Digits.
    Integer,
    /// Digits with a point: `1.5`, `.5`, `1.`.
    Decimal,
    /// Digits with an exponent: `1e5`.
    Float,
    /// `x'1f'` or `0x1f`.
    Hex,
    /// `b'01'` or `0b01`.
    Bit,
    /// `?`.
    Parameter,
    /// An operator of more than one character, such as `<=>`, `:=` or `->>`.
    Operator,
    /// Any other single character.
    Symbol(u8),
    /// `@name`, `` @`name` ``, `@'name'`.
    UserVariable,
    /// `@@name`, `@@global.name`.
    SystemVariable,
    /// `/* … */`, `-- …` or `# …`; a line comment ends behind its newline.
    Comment,
    /// `/*+ … */`, and an annotation for a proxy such as `/*!mycat: … */`.
    Hint,
    /// `/*! … */` or `/*M! … */`, as one token.
    VersionComment,
}

impl TokenKind {
    /// Whether servers skip the token (an optimiser hint counts as skipped).
    #[must_use]
    pub fn is_comment(self) -> bool {
        matches!(self, Self::Comment | Self::Hint)
    }

    /// Whether the token is a literal: text, number, hexadecimal or bit string.
    #[must_use]
    pub fn is_literal(self) -> bool {
        matches!(
            self,
            Self::Text | Self::National | Self::Integer | Self::Decimal | Self::Float | Self::Hex | Self::Bit
        )
    }
}

impl Token {
    /// Whether this is the bare word `word`, in any case.
    #[must_use]
    pub fn is_word(&self, sql: &[u8], word: &str) -> bool {
        self.kind == TokenKind::Word && self.span.of(sql).eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether this names `name`, which is ASCII: as a bare word or in quotes, in any case.
    #[must_use]
    pub fn names(&self, sql: &[u8], name: &str) -> bool {
        let text = self.span.of(sql);
        let text = match self.kind {
            TokenKind::Word => Some(text),
            TokenKind::QuotedIdent => text.get(1..text.len().saturating_sub(1)),
            _ => None,
        };
        text.is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether this is the single character `symbol`.
    #[must_use]
    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == TokenKind::Symbol(symbol)
    }
}

/// Words before a name that make it that of a table or an index, so that `` INSERT INTO `uuid` (id) `` calls nothing.
const BEFORE_NAMES: [&str; 12] = [
    "EXISTS",
    "FULLTEXT",
    "IGNORE",
    "INDEX",
    "INSERT",
    "INTO",
    "KEY",
    "REFERENCES",
    "REPLACE",
    "SPATIAL",
    "TABLE",
    "UNIQUE",
];

/// Whether the function `name` is called at a token: its name, which servers take in quotes as well, and a parenthesis
/// behind it.
///
/// ```
/// use serval_sql::{LexOptions, is_call, tokens};
/// let calls = |sql: &str| {
///     let tokens = tokens(sql.as_bytes(), LexOptions::default()).unwrap_or_default();
///     (0..tokens.len()).any(|at| is_call(sql.as_bytes(), &tokens, at, "RAND"))
/// };
/// assert!(calls("SELECT rand()") && calls("SELECT `Rand` /* of */ (7)"));
/// assert!(!calls("SELECT rand, 'rand()' FROM t") && !calls("INSERT INTO shop.`rand` (id) VALUES (1)"));
/// assert!(!calls("WITH `rand` (a) AS (SELECT 1) SELECT a FROM `rand`"));
/// ```
#[must_use]
pub fn is_call(sql: &[u8], tokens: &[Token], at: usize, name: &str) -> bool {
    if !tokens.get(at).is_some_and(|token| token.names(sql, name)) {
        return false;
    }
    let behind = |at: usize| (at + 1..tokens.len()).find(|next| !tokens[*next].kind.is_comment());
    let Some(open) = behind(at).filter(|next| tokens[*next].is_symbol(b'(')) else { return false };
    !names_table(sql, tokens, at) && !names_query(sql, tokens, open)
}

/// Whether [`is_call`] with an argument: `LAST_INSERT_ID(expr)` does another thing than `LAST_INSERT_ID()`. The tokens are
/// without comments.
#[must_use]
pub fn is_call_with_argument(sql: &[u8], tokens: &[Token], at: usize, name: &str) -> bool {
    is_call(sql, tokens, at, name) && tokens.get(at + 2).is_some_and(|token| !token.is_symbol(b')'))
}

/// Whether the token is the name of a table or an index, as what stands before it says.
#[must_use]
pub fn names_table(sql: &[u8], tokens: &[Token], at: usize) -> bool {
    let mut before = tokens[..at].iter().rev().filter(|before| !before.kind.is_comment());
    let mut found = before.next();
    if found.is_some_and(|token| token.is_symbol(b'.')) {
        // Behind the schema's name.
        found = before.nth(1);
    }
    found.is_some_and(|before| BEFORE_NAMES.iter().any(|word| before.is_word(sql, word)))
}

/// Whether the parenthesis at `open` holds the columns of a query of WITH: `` WITH `rand` (a) AS (SELECT … ``.
fn names_query(sql: &[u8], tokens: &[Token], open: usize) -> bool {
    let Some(end) = closing(tokens, open) else { return false };
    let mut behind = tokens[end + 1..].iter().filter(|token| !token.kind.is_comment());
    behind.next().is_some_and(|token| token.is_word(sql, "AS"))
        && behind.next().is_some_and(|token| token.is_symbol(b'('))
}

/// The index of the parenthesis that closes the one at `open`.
#[must_use]
pub fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// All tokens of a text, comments included, `;` and what follows it too.
///
/// # Errors
/// Where MySQL's own lexer would give up: an unterminated string or comment, a NUL byte.
pub fn tokens(sql: &[u8], options: LexOptions) -> Result<Vec<Token>, LexError> {
    let mut lexer = Lexer::new(sql, options);
    let mut tokens = Vec::with_capacity(sql.len() / 5 + 2);
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}
