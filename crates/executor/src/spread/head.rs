//! The first words of a statement, as far as counting needs them.

/// What kind of write a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// INSERT or REPLACE.
    Insert,
    /// INSERT IGNORE.
    InsertIgnore,
    Other,
}

impl Verb {
    /// The verb of a statement that a planner has made sense of.
    pub(super) fn of(sql: &[u8]) -> Self {
        let mut words = Words { rest: sql };
        match words.next().map(<[u8]>::to_ascii_uppercase).as_deref() {
            Some(b"REPLACE") => Self::Insert,
            Some(b"INSERT") => {
                let ignore = words.by_ref().take(2).any(|word| word.eq_ignore_ascii_case(b"IGNORE"));
                if ignore { Self::InsertIgnore } else { Self::Insert }
            }
            _ => Self::Other,
        }
    }
}

/// The bare words at the start of a statement; comments and white space between them are skipped.
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.skip_blank();
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        (length > 0).then_some(word)
    }
}

impl Words<'_> {
    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            let end: &[u8] = match self.rest {
                [b'/', b'*', ..] => b"*/",
                [b'-', b'-', ..] | [b'#', ..] => b"\n",
                _ => return,
            };
            let behind = self.rest.windows(end.len()).position(|window| window == end);
            self.rest = behind.map_or(&[], |at| &self.rest[at + end.len()..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        assert_eq!(Verb::of(b"insert into t values (1)"), Verb::Insert);
        assert_eq!(Verb::of(b" /* a */ -- b\n REPLACE t SET a=1"), Verb::Insert);
        assert_eq!(Verb::of(b"INSERT LOW_PRIORITY IGNORE INTO t VALUES (1)"), Verb::InsertIgnore);
        assert_eq!(Verb::of(b"insert/**/ignore into t values (1)"), Verb::InsertIgnore);
        assert_eq!(Verb::of(b"INSERT INTO `ignore` VALUES (1)"), Verb::Insert);
        assert_eq!(Verb::of(b"UPDATE t SET a=1"), Verb::Other);
        assert_eq!(Verb::of(b"/* never closed"), Verb::Other);
    }
}
