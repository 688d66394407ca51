//! Hints for the proxy itself, in comments: `/*+ SERVAL(node=dn0) */`, and Mycat's `/*!mycat: datanode=dn0 */`.
//!
//! A hint stands before its statement, or right behind the statement's own SELECT, INSERT, REPLACE, UPDATE or DELETE. What
//! is not understood is an error and never skipped: whoever writes a hint relies on it. Servers' own hints in
//! the same comment (`/*+ MAX_EXECUTION_TIME(1000) SERVAL(primary) */`) are theirs; [`without_hints`] leaves them.

mod annotation;
mod find;
mod option;

use std::time::Duration;

use serval_types::Value;

use crate::{LexOptions, Span, Token, TokenKind};

pub(crate) use annotation::is_annotation;

/// What the hints of a statement say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hints {
    /// The statement reads and changes what lies on this data node, and nothing else.
    pub node: Option<String>,
    /// It reads and changes the shard that this value of the sharding column belongs to, and nothing else.
    pub shard_key: Option<Value>,
    /// Which servers of a group answer.
    pub server: Option<HintedServer>,
    /// How long the statement may run.
    pub timeout: Option<Duration>,
    /// The schema that names without one are looked up in.
    pub schema: Option<String>,
    /// The data node is the one that this statement is routed to.
    pub routed_as: Option<String>,
}

/// Which servers of a group a hint asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintedServer {
    /// The primary, whatever the session's consistency allows.
    Primary,
    /// A replica, where one is up.
    Replica,
}

/// A hint that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HintError(String);

impl Hints {
    /// Whether they say where the statement goes.
    #[must_use]
    pub fn places(&self) -> bool {
        self.node.is_some() || self.shard_key.is_some() || self.routed_as.is_some()
    }

    /// The hints of a statement; `None` where it has none.
    pub(crate) fn find(sql: &[u8], options: LexOptions) -> Option<Result<Self, HintError>> {
        find::hints(sql, options)
    }
}

/// Whether a token has a hint for the proxy.
#[inline]
pub(crate) fn is_ours(sql: &[u8], token: Token) -> bool {
    token.kind == TokenKind::Hint && says_ours(token.span.of(sql))
}

fn says_ours(text: &[u8]) -> bool {
    is_annotation(text)
        || text.to_ascii_lowercase().windows(6).any(|word| matches!(word, b"serval" | b"mycat:"))
}

/// The statement as servers get it: without the hints for the proxy.
///
/// ```
/// use serval_sql::{LexOptions, without_hints};
/// let sql = b"SELECT /*+ SERVAL(primary) NO_ICP(t) */ 1";
/// assert_eq!(without_hints(sql, LexOptions::default()), b"SELECT /*+  NO_ICP(t) */ 1");
/// ```
#[must_use]
pub fn without_hints(sql: &[u8], options: LexOptions) -> Vec<u8> {
    let mut out = Vec::with_capacity(sql.len());
    let mut done = 0;
    for span in find::places(sql, options) {
        out.extend_from_slice(Span { start: done, end: span.start }.of(sql));
        done = span.end;
    }
    let end = u32::try_from(sql.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(Span { start: done, end }.of(sql));
    out
}

#[cfg(test)]
mod tests;
