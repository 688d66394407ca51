//! The terms of all conditions of a text, by their tokens: what stands between WHERE or ON, their ANDs and their end.
//!
//! Tokens alone do not say what a word means (END may be a column), so a term found here counts only where it parses to
//! exactly what the parser found in its place. Where there are alternatives, the terms of each are found, too.

use serval_sql::{Span, Token, TokenKind};

/// Words behind which a condition of the same depth is over.
const ENDS: [&str; 18] = [
    "GROUP",
    "HAVING",
    "WINDOW",
    "ORDER",
    "LIMIT",
    "FOR",
    "LOCK",
    "PROCEDURE",
    "INTO",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "WHERE",
    "ON",
    "JOIN",
    "STRAIGHT_JOIN",
    "INNER",
    "CROSS",
];
/// Words that end a condition unless they are functions.
const ENDS_NO_CALL: [&str; 3] = ["LEFT", "RIGHT", "NATURAL"];

/// Every term of every condition in `tokens`, which have no comments.
pub(super) fn terms(sql: &[u8], tokens: &[Token]) -> Vec<Span> {
    let cutter = Cutter { sql, tokens };
    let alternatives = tokens.iter().any(|token| token.is_word(sql, "OR"));
    let leads = |at: usize| cutter.is(at, "WHERE") || cutter.is(at, "ON");
    // Terms that stand in parentheses together.
    let opens = |at: usize| {
        let joined = |before: usize| {
            let and = cutter.is(before, "AND") || tokens[before].span.of(sql) == b"&&";
            leads(before) || and || tokens[before].is_symbol(b'(')
        };
        tokens[at].is_symbol(b'(') && (alternatives || at.checked_sub(1).is_some_and(joined))
    };
    let begins = (0..tokens.len()).filter(|&at| leads(at) || opens(at));
    begins.flat_map(|at| cutter.terms(at + 1)).collect()
}

struct Cutter<'a> {
    sql: &'a [u8],
    tokens: &'a [Token],
}

impl Cutter<'_> {
    /// Whether a word stands at `at`; behind a dot it is a column's name.
    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens[at].is_word(self.sql, word) && !(at > 0 && self.tokens[at - 1].is_symbol(b'.'))
    }

    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    fn is_end(&self, at: usize) -> bool {
        let call = self.tokens.get(at + 1).is_some_and(|next| next.is_symbol(b'('));
        self.tokens[at].is_symbol(b',')
            || self.tokens[at].is_symbol(b';')
            || self.is_any(at, &ENDS)
            || self.is_any(at, &ENDS_NO_CALL) && !call
    }

    /// The terms of the condition that begins at a token; where another connective than AND joins them, the whole of it
    /// first.
    fn terms(&self, start: usize) -> Vec<Span> {
        let (mut cuts, mut depth, mut between, mut cases, mut whole) =
            (Vec::new(), 0_usize, 0_usize, 0_usize, false);
        let mut end = self.tokens.len();
        for at in start..self.tokens.len() {
            let token = &self.tokens[at];
            if token.is_symbol(b')') {
                if depth == 0 {
                    end = at;
                    break;
                }
                depth -= 1;
            }
            let outside = depth == 0;
            if token.is_symbol(b'(') {
                depth += 1;
            }
            if !outside {
                continue;
            }
            let operator = if token.kind == TokenKind::Operator { token.span.of(self.sql) } else { b"" };
            match () {
                () if self.is(at, "CASE") => cases += 1,
                () if cases > 0 => cases -= usize::from(self.is(at, "END")),
                () if self.is_end(at) => {
                    end = at;
                    break;
                }
                () if self.is(at, "BETWEEN") => between += 1,
                () if self.is(at, "AND") && between > 0 => between -= 1,
                () if self.is(at, "AND") || operator == b"&&" => cuts.push(at),
                () if self.is(at, "OR") || self.is(at, "XOR") || operator == b"||" => {
                    whole = true;
                    cuts.push(at);
                }
                () => {}
            }
        }
        let all = whole.then(|| self.span(start, end)).flatten();
        let starts = std::iter::once(start).chain(cuts.iter().map(|cut| cut + 1));
        let ends = cuts.iter().copied().chain(std::iter::once(end));
        let parts = starts.zip(ends).filter_map(|(start, end)| self.span(start, end));
        all.into_iter().chain(parts).collect()
    }

    fn span(&self, start: usize, end: usize) -> Option<Span> {
        let last = end.checked_sub(1).filter(|last| *last >= start)?;
        Some(Span { start: self.tokens.get(start)?.span.start, end: self.tokens.get(last)?.span.end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serval_sql::LexOptions;

    fn cut(sql: &str) -> Vec<&str> {
        let tokens = serval_sql::tokens(sql.as_bytes(), LexOptions::default()).unwrap();
        terms(sql.as_bytes(), &tokens).into_iter().map(|span| span.text(sql)).collect()
    }

    #[test]
    fn conditions_are_cut_at_their_own_ands() {
        let sql = "SELECT * FROM a WHERE x BETWEEN 1 AND 2 AND (y = 1 AND z = 2) && CASE WHEN a AND b THEN 1 END \
                   AND c IN (SELECT d FROM e WHERE f = 1 OR g = 2) GROUP BY h";
        assert_eq!(
            cut(sql),
            [
                "x BETWEEN 1 AND 2",
                "(y = 1 AND z = 2)",
                "CASE WHEN a AND b THEN 1 END",
                "c IN (SELECT d FROM e WHERE f = 1 OR g = 2)",
                "y = 1",
                "z = 2",
                // No condition, which its parsing tells.
                "SELECT d FROM e",
                "f = 1 OR g = 2",
                "f = 1",
                "g = 2",
            ]
        );
    }

    #[test]
    fn every_condition_of_joins_and_unions_is_its_own() {
        let sql = "SELECT 1 FROM a LEFT JOIN (b JOIN c ON b.x = 1) ON a.x = b.x AND b.y = 1 RIGHT JOIN d ON LEFT(d.z, 1) = 2 \
                   WHERE e = 1 UNION ALL SELECT d FROM e WHERE f = 2 ORDER BY 1";
        assert_eq!(cut(sql), ["b.x = 1", "a.x = b.x", "b.y = 1", "LEFT(d.z, 1) = 2", "e = 1", "f = 2"]);
    }
}
