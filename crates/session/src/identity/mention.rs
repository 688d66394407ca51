//! Where a statement names one of the session's facts.

use serval_sql::{Token, TokenKind, names_table};

use crate::session::Own;

/// A fact of the session that a statement can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Schema,
    User,
    CurrentUser,
    ConnectionId,
    Version,
    VersionComment,
    HostName,
    Port,
    Autocommit,
    InTransaction,
    LastInsertId,
    RowCount,
    FoundRows,
    WarningCount,
    ErrorCount,
    CurrentRole,
    /// The isolation level.
    Isolation,
    /// READ ONLY.
    ReadOnly,
    /// A variable that no server is told of.
    Own(&'static str),
}

impl Fact {
    /// Whether it is about the client, and not about what its statements did.
    pub(super) fn is_of_client(self) -> bool {
        matches!(self, Self::Schema | Self::User | Self::CurrentUser | Self::ConnectionId)
    }
}

/// How it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `CURRENT_USER`, `@@version`.
    Bare,
    /// `DATABASE()`.
    Called,
    /// `` `DATABASE`() ``, where servers look among the functions that are no part of their grammar.
    Quoted,
}

/// One place: its first and last token, and what it names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) fact: Fact,
    pub(super) form: Form,
}

impl Mention {
    /// Whether an operator next to it calculates with it.
    pub(super) fn is_in_arithmetic(&self, sql: &[u8], tokens: &[Token]) -> bool {
        let before = self.first.checked_sub(1).and_then(|before| tokens.get(before));
        let behind = tokens.get(self.last + 1);
        before.into_iter().chain(behind).any(|token| match token.kind {
            TokenKind::Symbol(symbol) => b"+-*/%|&^~".contains(&symbol),
            TokenKind::Operator => matches!(token.span.of(sql), b"||" | b"<<" | b">>"),
            _ => ["div", "mod"].iter().any(|word| token.is_word(sql, word)),
        })
    }
}

const FUNCTIONS: &[(&str, Fact)] = &[
    ("database", Fact::Schema),
    ("schema", Fact::Schema),
    ("user", Fact::User),
    ("session_user", Fact::User),
    ("system_user", Fact::User),
    ("current_user", Fact::CurrentUser),
    ("current_role", Fact::CurrentRole),
    ("connection_id", Fact::ConnectionId),
    ("version", Fact::Version),
    ("last_insert_id", Fact::LastInsertId),
    ("row_count", Fact::RowCount),
    ("found_rows", Fact::FoundRows),
];

const VARIABLES: &[(&str, Fact)] = &[
    ("version", Fact::Version),
    ("version_comment", Fact::VersionComment),
    ("hostname", Fact::HostName),
    ("port", Fact::Port),
    ("autocommit", Fact::Autocommit),
    ("in_transaction", Fact::InTransaction),
    ("last_insert_id", Fact::LastInsertId),
    ("identity", Fact::LastInsertId),
    ("warning_count", Fact::WarningCount),
    ("error_count", Fact::ErrorCount),
    ("pseudo_thread_id", Fact::ConnectionId),
    ("tx_isolation", Fact::Isolation),
    ("transaction_isolation", Fact::Isolation),
    ("tx_read_only", Fact::ReadOnly),
    ("transaction_read_only", Fact::ReadOnly),
];

/// Those of the server, whoever asks. Of all others, the session's value is not the global one.
const GLOBAL: [Fact; 4] = [Fact::Version, Fact::VersionComment, Fact::HostName, Fact::Port];

/// Whether the statement may name any fact: a quick look at the bytes that is never wrongly `false`.
#[must_use]
pub fn may_mention(sql: &[u8]) -> bool {
    memchr::memchr3_iter(b'@', b'(', b'_', sql).any(|at| match sql[at] {
        b'@' => sql.get(at + 1) == Some(&b'@'),
        b'(' => sql.get(..at).is_some_and(ends_with_function),
        // CURRENT_USER and CURRENT_ROLE need no parentheses.
        _ => sql
            .get(at + 1..at + 5)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"user") || word.eq_ignore_ascii_case(b"role")),
    })
}

/// Whether the text ends with a function's name, white space and comments behind it aside.
fn ends_with_function(before: &[u8]) -> bool {
    let trimmed = before.trim_ascii_end();
    let trimmed = trimmed.strip_suffix(b"`").or_else(|| trimmed.strip_suffix(b"\"")).unwrap_or(trimmed);
    if trimmed.ends_with(b"*/") {
        return true;
    }
    FUNCTIONS.iter().any(|(name, _)| {
        let start = trimmed.len().checked_sub(name.len());
        start.is_some_and(|start| trimmed[start..].eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// All places in order. `tokens` holds no comments.
pub(super) fn find(sql: &[u8], tokens: &[Token]) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for first in 0..tokens.len() {
        let found = match tokens[first].kind {
            TokenKind::Word | TokenKind::QuotedIdent => function(sql, tokens, first),
            TokenKind::SystemVariable => variable(tokens[first].span.of(sql)).map(|fact| (first, fact)),
            _ => None,
        };
        let form = match found {
            Some((last, _)) if last == first => Form::Bare,
            _ if tokens[first].kind == TokenKind::QuotedIdent => Form::Quoted,
            _ => Form::Called,
        };
        mentions.extend(found.map(|(last, fact)| Mention { first, last, fact, form }));
    }
    mentions
}

/// The call that begins at `first`: its last token, and what it asks.
fn function(sql: &[u8], tokens: &[Token], first: usize) -> Option<(usize, Fact)> {
    let (_, fact) = FUNCTIONS.iter().find(|(name, _)| tokens[first].names(sql, name))?;
    let qualified = first.checked_sub(1).is_some_and(|before| tokens[before].is_symbol(b'.'));
    if qualified || names_table(sql, tokens, first) {
        return None;
    }
    let bare = tokens[first].kind == TokenKind::Word;
    let symbol =
        |offset: usize, symbol| tokens.get(first + offset).is_some_and(|token| token.is_symbol(symbol));
    match (symbol(1, b'('), symbol(2, b')')) {
        (true, true) => Some((first + 2, *fact)),
        (false, _) if bare && matches!(fact, Fact::CurrentUser | Fact::CurrentRole) => Some((first, *fact)),
        _ => None,
    }
}

/// The fact that a system variable names, in the session or globally.
fn variable(text: &[u8]) -> Option<Fact> {
    let text = String::from_utf8_lossy(text.strip_prefix(b"@@")?).to_ascii_lowercase().replace('`', "");
    let global = text.strip_prefix("global.");
    let name = ["session.", "local."].iter().find_map(|scope| text.strip_prefix(scope));
    let name = global.or(name).unwrap_or(&text);
    let fact = VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, fact)| *fact);
    let fact = fact.or_else(|| Own::find(name).map(Fact::Own))?;
    (global.is_none() || GLOBAL.contains(&fact)).then_some(fact)
}
