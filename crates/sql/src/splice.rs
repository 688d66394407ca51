//! Edits to a statement's own text.

use crate::Span;

/// A change at one place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What to replace; an empty span inserts.
    pub at: Span,
    /// The new text.
    pub text: String,
}

/// The text with all edits made. Edits may come in any order; insertions at one place keep theirs.
///
/// # Panics
/// Where two edits overlap or one lies outside the text, which is a mistake of the caller.
///
/// ```
/// use serval_sql::{Edit, Span, splice};
/// let edits = [Edit { at: Span::new(14, 15), text: "t_3".into() }];
/// assert_eq!(splice(b"SELECT 1 FROM t", &edits), b"SELECT 1 FROM t_3");
/// ```
#[must_use]
pub fn splice(sql: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by_key(|edit| edit.at);
    let mut out = Vec::with_capacity(sql.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut done = 0;
    for edit in ordered {
        assert!(edit.at.start as usize >= done, "edits overlap at byte {}", edit.at.start);
        out.extend_from_slice(&sql[done..edit.at.start as usize]);
        out.extend_from_slice(edit.text.as_bytes());
        done = edit.at.end as usize;
    }
    out.extend_from_slice(&sql[done..]);
    out
}
