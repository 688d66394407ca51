//! A statement in any character set, as a parser of UTF-8 can read it.

use std::borrow::Cow;

use crate::{Pairs, Scan};

/// The statement with what is not UTF-8 masked, byte for byte, so that places stay; `None` where such bytes stand
/// anywhere but in literals and comments. What a literal means is read from the statement itself.
///
/// ```
/// use serval_sql::{LexOptions, Pairs, readable, scan};
/// let latin1 = b"SELECT '\xe9'";
/// let scan = scan(latin1, LexOptions::default())?;
/// assert_eq!(readable(latin1, &scan, Pairs::None).as_deref(), Some("SELECT '?'"));
/// # Ok::<(), serval_sql::LexError>(())
/// ```
#[must_use]
pub fn readable<'a>(sql: &'a [u8], scan: &Scan, pairs: Pairs) -> Option<Cow<'a, str>> {
    match std::str::from_utf8(sql) {
        Ok(text) if pairs == Pairs::None || text.is_ascii() => Some(text.into()),
        _ if pairs != Pairs::None => without_pairs(sql, scan, pairs),
        _ => without_foreign(sql, scan),
    }
}

fn without_foreign<'a>(sql: &[u8], scan: &Scan) -> Option<Cow<'a, str>> {
    let mut masked = Vec::with_capacity(sql.len());
    for chunk in sql.utf8_chunks() {
        masked.extend_from_slice(chunk.valid().as_bytes());
        let start = masked.len();
        masked.resize(start + chunk.invalid().len(), b'?');
        let in_literal = |at: usize| u32::try_from(at).is_ok_and(|at| scan.hole_at(at).is_some());
        if !(start..masked.len()).all(in_literal) {
            return None;
        }
    }
    String::from_utf8(masked).ok().map(Cow::Owned)
}

/// In a character set of pairs second halves may look like quotes and backslashes: whole characters are masked.
fn without_pairs<'a>(sql: &[u8], scan: &Scan, pairs: Pairs) -> Option<Cow<'a, str>> {
    let mut masked = sql.to_vec();
    for hole in &scan.holes {
        let mut at = hole.span.start as usize;
        while at < hole.span.end as usize {
            let length = if pairs.leads(sql.get(at..).unwrap_or_default()) { 2 } else { 1 };
            if let Some(bytes) = masked.get_mut(at..at + length).filter(|bytes| !bytes[0].is_ascii()) {
                bytes.fill(b'?');
            }
            at += length;
        }
    }
    String::from_utf8(masked).ok().filter(|text| text.is_ascii()).map(Cow::Owned)
}
