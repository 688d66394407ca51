//! `reload @@config [force]`.

use crate::Wish;

/// The wish that these words, which follow `reload @@config`, are.
pub(super) fn parse(words: &str) -> Option<Wish> {
    match words.trim() {
        "" => Some(Wish::Reload { force: false }),
        "force" => Some(Wish::Reload { force: true }),
        _ => None,
    }
}
