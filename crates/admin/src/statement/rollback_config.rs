//! `rollback @@config [to N] [force]`.

use crate::Wish;

/// The wish that these words, which follow `rollback @@config`, are.
pub(super) fn parse(words: &str) -> Option<Wish> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let (words, force) = match words.split_last() {
        Some((&"force", before)) => (before, true),
        _ => (&*words, false),
    };
    let to = match words {
        [] => None,
        [number] | ["to", number] => Some(number.parse().ok()?),
        _ => return None,
    };
    Some(Wish::Rollback { to, force })
}
