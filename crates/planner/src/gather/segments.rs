//! The SELECTs of a text, by their tokens: which SELECT a byte belongs to.

use serval_sql::{Token, TokenKind};

/// One SELECT, up to its end or the set operation behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    depth: usize,
    /// Its first token, SELECT.
    first: usize,
    /// Behind its last.
    end: usize,
}

impl Segment {
    /// Its tokens.
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.first..self.end
    }
}

/// All SELECTs of a text.
#[derive(Debug)]
pub(super) struct Segments {
    all: Vec<Segment>,
}

const SET_OPERATIONS: [&str; 4] = ["UNION", "INTERSECT", "EXCEPT", "MINUS"];

impl Segments {
    pub(super) fn find(sql: &[u8], tokens: &[Token]) -> Self {
        let mut found = Self { all: Vec::new() };
        let mut open: Vec<Segment> = Vec::new();
        let mut depth = 0_usize;
        for (at, token) in tokens.iter().enumerate() {
            if token.is_symbol(b')') {
                found.close(&mut open, depth, at);
                depth = depth.saturating_sub(1);
            }
            if token.is_symbol(b'(') {
                depth += 1;
            }
            let qualified = at > 0 && tokens[at - 1].is_symbol(b'.');
            if token.kind != TokenKind::Word || qualified {
                continue;
            }
            let selects = token.is_word(sql, "SELECT");
            if selects || SET_OPERATIONS.iter().any(|word| token.is_word(sql, word)) {
                found.close(&mut open, depth, at);
            }
            if selects {
                open.push(Segment { depth, first: at, end: tokens.len() });
            }
        }
        found.all.append(&mut open);
        found
    }

    fn close(&mut self, open: &mut Vec<Segment>, depth: usize, end: usize) {
        while let Some(segment) = open.pop_if(|segment| segment.depth >= depth) {
            self.all.push(Segment { end, ..segment });
        }
    }

    /// The innermost SELECT around a token.
    pub(super) fn around(&self, at: usize) -> Option<Segment> {
        let around = self.all.iter().filter(|segment| segment.first <= at && at < segment.end);
        around.copied().max_by_key(|segment| segment.first)
    }

    /// The innermost SELECT around a byte.
    pub(super) fn around_byte(&self, tokens: &[Token], byte: u32) -> Option<Segment> {
        let at = tokens.partition_point(|token| token.span.end <= byte);
        self.around(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serval_sql::LexOptions;

    #[test]
    fn every_select_ends_where_its_parentheses_or_the_next_one_do() {
        let sql = b"SELECT a FROM (SELECT b FROM c) d UNION SELECT e FROM f";
        let tokens = serval_sql::tokens(sql, LexOptions::default()).unwrap();
        let segments = Segments::find(sql, &tokens);
        let first = |word: &str| {
            let at = tokens.iter().position(|token| token.is_word(sql, word)).unwrap();
            segments.around(at).unwrap().first
        };
        assert_eq!((first("a"), first("b"), first("d"), first("f")), (0, 4, 0, 11));
    }
}
