//! `dry run @@config [N]`, and DBLE's `dryrun`.

use crate::Wish;

/// The wish that these words, which follow `dry run @@config`, are.
pub(super) fn parse(words: &str) -> Option<Wish> {
    let words = words.trim();
    let version = if words.is_empty() { None } else { Some(words.parse().ok()?) };
    Some(Wish::DryRun { version })
}
