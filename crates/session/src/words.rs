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

/// Whether an INSERT says ON DUPLICATE KEY; columns may be called `is_duplicate`.
pub(crate) fn updates_duplicates(text: &[u8]) -> bool {
    const WORD: &[u8] = b"DUPLICATE";
    let starts = memchr::memchr2_iter(b'd', b'D', text).filter(|at| stands_at(text, *at, WORD));
    let mut starts = starts.filter(|at| at.checked_sub(1).is_none_or(|before| !is_of_name(text[before])));
    starts.any(|at| {
        let behind = skip_blanks(&text[at + WORD.len()..]);
        stands_at(behind, 0, b"KEY") && behind.get(3).is_none_or(|next| !is_of_name(*next))
    })
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'`' | b'.') || byte >= 0x80
}

/// What stands behind blanks and comments.
fn skip_blanks(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        let end = match text {
            [b'/', b'*', rest @ ..] => memchr::memmem::find(rest, b"*/").map(|at| at + 4),
            [b'#', ..] | [b'-', b'-', ..] => memchr::memchr(b'\n', text),
            _ => None,
        };
        let Some(end) = end else { return text };
        text = &text[end..];
    }
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

    #[test]
    fn a_name_is_no_phrase() {
        for text in
            ["a on duplicate key update", "ON Duplicate\n/* x */ -- y\n KEY UPDATE", "x)on DUPLICATE#\nkey"]
        {
            assert!(updates_duplicates(text.as_bytes()), "{text}");
        }
        for text in [
            "(is_duplicate, key)",
            "`duplicate` key",
            "duplicate, keys",
            "duplicate keyed",
            "t.duplicate key",
        ] {
            assert!(!updates_duplicates(text.as_bytes()), "{text}");
        }
    }
}
