//! `show @@config.versions`, `show @@config.version [N]`, `show @@config.diff N [M]`.

use crate::Wish;

/// The wish that these words, which follow `show @@config.`, are.
pub(super) fn parse(words: &str) -> Option<Wish> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let number = |word: &str| word.parse::<u64>().ok();
    Some(match &*words {
        ["versions"] => Wish::Versions,
        ["version"] => Wish::Version(None),
        ["version", one] => Wish::Version(Some(number(one)?)),
        ["diff", one] => Wish::Compare(number(one)?, None),
        ["diff", one, other] => Wish::Compare(number(one)?, Some(number(other)?)),
        _ => return None,
    })
}
