//! Words in a statement's key, found without regard to case. Every statement is looked through for several of them, so
//! the first letters are looked for and the rest is compared only behind them.

/// Whether a word, which begins with a letter or `_`, stands anywhere in the text, be it as a part of a longer one.
pub(crate) fn contains_word(text: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else { return true };
    let starts = memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
    let mut starts = starts.filter(|at| stands_at(text, *at, word));
    starts.next().is_some()
}

/// Where the word stands for the last time.
pub(crate) fn last_word(text: &[u8], word: &[u8]) -> Option<usize> {
    let first = word.first()?;
    let starts = memchr::memrchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
    let mut starts = starts.filter(|at| stands_at(text, *at, word));
    starts.next()
}

fn stands_at(text: &[u8], at: usize, word: &[u8]) -> bool {
    text.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_nothing() {
        assert!(contains_word(b"select Found_Rows()", b"FOUND_ROWS"));
        assert!(contains_word(b"my_lock", b"_LOCK"));
        assert!(!contains_word(b"select foun", b"FOUND"));
        assert_eq!(last_word(b"limit 1) LIMIT 2", b"LIMIT"), Some(9));
        assert_eq!(last_word(b"limi", b"LIMIT"), None);
    }
}
