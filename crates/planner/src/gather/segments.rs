//! The SELECTs of a text, by their tokens: which clause of which SELECT a byte belongs to.

use serval_sql::{Span, Token, TokenKind};

/// One SELECT, up to its end or the set operation behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    depth: usize,
    /// Its first token, SELECT.
    first: usize,
    /// Behind its last.
    end: usize,
}

/// All SELECTs of a text.
#[derive(Debug)]
pub(super) struct Segments {
    all: Vec<Segment>,
    /// How deep in parentheses each token stands; a parenthesis stands outside of itself.
    depths: Vec<usize>,
}

const SET_OPERATIONS: [&str; 4] = ["UNION", "INTERSECT", "EXCEPT", "MINUS"];
const BEHIND_WHERE: [&str; 9] =
    ["GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "FOR", "LOCK", "PROCEDURE", "INTO"];

impl Segments {
    pub(super) fn find(sql: &[u8], tokens: &[Token]) -> Self {
        let mut found = Self { all: Vec::new(), depths: Vec::with_capacity(tokens.len()) };
        let mut open: Vec<Segment> = Vec::new();
        let mut depth = 0_usize;
        for (at, token) in tokens.iter().enumerate() {
            if token.is_symbol(b')') {
                found.close(&mut open, depth, at);
                depth = depth.saturating_sub(1);
            }
            found.depths.push(depth);
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

    /// The tokens of a SELECT that stand in no parentheses of it.
    fn own(&self, segment: Segment) -> impl Iterator<Item = usize> + '_ {
        (segment.first..segment.end).filter(move |at| self.depths[*at] == segment.depth)
    }

    /// Whether a SELECT stands in parentheses inside this one's FROM.
    pub(super) fn has_derived(&self, sql: &[u8], tokens: &[Token], segment: Segment) -> bool {
        let from = self.clause(sql, tokens, segment, "FROM", &["WHERE"]);
        from.is_none_or(|(first, end)| {
            self.all.iter().any(|inner| first <= inner.first && inner.first < end && *inner != segment)
        })
    }

    /// The tokens of a clause behind its keyword.
    fn clause(
        &self,
        sql: &[u8],
        tokens: &[Token],
        segment: Segment,
        keyword: &str,
        more_ends: &[&str],
    ) -> Option<(usize, usize)> {
        let is = |at: usize, word: &str| {
            tokens[at].is_word(sql, word) && !(at > 0 && tokens[at - 1].is_symbol(b'.'))
        };
        let start = self.own(segment).find(|&at| is(at, keyword))? + 1;
        let ends = |at: usize| BEHIND_WHERE.iter().chain(more_ends).any(|word| is(at, word));
        let end = self.own(segment).find(|&at| at >= start && ends(at)).unwrap_or(segment.end);
        Some((start, end))
    }

    /// The terms that WHERE joins with AND.
    pub(super) fn filters(&self, sql: &[u8], tokens: &[Token], segment: Segment) -> Vec<Span> {
        let Some((start, end)) = self.clause(sql, tokens, segment, "WHERE", &[]) else { return Vec::new() };
        self.terms(sql, tokens, segment, start, end)
    }

    /// The terms of the ON behind a table's name, where the table is on the right of an inner or a left join.
    pub(super) fn join_filters(
        &self,
        sql: &[u8],
        tokens: &[Token],
        segment: Segment,
        table: usize,
    ) -> Vec<Span> {
        let is = |at: usize, word: &str| tokens[at].is_word(sql, word);
        if self.depths[table] != segment.depth {
            return Vec::new();
        }
        let own: Vec<usize> = self.own(segment).collect();
        let Some(place) = own.iter().position(|&at| at == table) else { return Vec::new() };
        let joined = place > 0 && (is(own[place - 1], "JOIN") || is(own[place - 1], "STRAIGHT_JOIN"));
        let sides = place.saturating_sub(3)..place;
        let other_way = own[sides].iter().any(|&at| is(at, "RIGHT") || is(at, "NATURAL"));
        if !joined || other_way {
            return Vec::new();
        }
        // ON stands behind the alias; before it, another join makes this a nest of joins.
        let begins = |at: usize| ["JOIN", "STRAIGHT_JOIN", "WHERE", "USING"].iter().any(|word| is(at, word));
        let stop = own[place..].iter().copied().find(|&at| is(at, "ON") || begins(at));
        let Some(on) = stop.filter(|&at| is(at, "ON")) else { return Vec::new() };
        let ends = |at: usize| {
            const ENDS: [&str; 9] =
                ["JOIN", "STRAIGHT_JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL", "WHERE", "ON"];
            let call = tokens.get(at + 1).is_some_and(|next| next.is_symbol(b'('));
            tokens[at].is_symbol(b',')
                || ENDS.iter().any(|word| is(at, word)) && !call
                || BEHIND_WHERE.iter().any(|word| is(at, word))
        };
        let end = own.iter().copied().find(|&at| at > on && ends(at)).unwrap_or(segment.end);
        // A second ON means that this one belonged to an inner join of several.
        if end < segment.end && is(end, "ON") {
            return Vec::new();
        }
        self.terms(sql, tokens, segment, on + 1, end)
    }

    /// Cuts a condition at its ANDs; one with another connective at the top is one term.
    fn terms(&self, sql: &[u8], tokens: &[Token], segment: Segment, start: usize, end: usize) -> Vec<Span> {
        let own = (start..end).filter(|at| self.depths[*at] == segment.depth);
        let (mut cuts, mut between, mut cases) = (Vec::new(), 0_usize, 0_usize);
        for at in own {
            let token = &tokens[at];
            let is = |word: &str| token.is_word(sql, word);
            let operator = if token.kind == TokenKind::Operator { token.span.of(sql) } else { b"" };
            match () {
                () if is("CASE") => cases += 1,
                () if is("END") => cases = cases.saturating_sub(1),
                () if cases > 0 => {}
                () if is("BETWEEN") => between += 1,
                () if is("AND") && between > 0 => between -= 1,
                () if is("AND") || operator == b"&&" => cuts.push(at),
                () if is("OR") || is("XOR") || operator == b"||" => {
                    return span(tokens, start, end).into_iter().collect();
                }
                () => {}
            }
        }
        let starts = std::iter::once(start).chain(cuts.iter().map(|cut| cut + 1));
        let ends = cuts.iter().copied().chain(std::iter::once(end));
        starts.zip(ends).filter_map(|(start, end)| span(tokens, start, end)).collect()
    }
}

fn span(tokens: &[Token], start: usize, end: usize) -> Option<Span> {
    let last = end.checked_sub(1).filter(|last| *last >= start)?;
    Some(Span { start: tokens.get(start)?.span.start, end: tokens.get(last)?.span.end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serval_sql::LexOptions;

    fn terms(sql: &str) -> Vec<Vec<&str>> {
        let tokens = serval_sql::tokens(sql.as_bytes(), LexOptions::default()).unwrap();
        let segments = Segments::find(sql.as_bytes(), &tokens);
        let mut all = segments.all.clone();
        all.sort_by_key(|segment| segment.first);
        let texts = |segment| {
            segments
                .filters(sql.as_bytes(), &tokens, segment)
                .into_iter()
                .map(|span: Span| span.text(sql))
                .collect()
        };
        all.into_iter().map(texts).collect()
    }

    #[test]
    fn conditions_are_cut_at_their_own_ands() {
        let sql = "SELECT * FROM a WHERE x BETWEEN 1 AND 2 AND (y = 1 AND z = 2) && CASE WHEN a AND b THEN 1 END \
                   AND c IN (SELECT d FROM e WHERE f = 1 OR g = 2) GROUP BY h";
        assert_eq!(
            terms(sql),
            [
                vec![
                    "x BETWEEN 1 AND 2",
                    "(y = 1 AND z = 2)",
                    "CASE WHEN a AND b THEN 1 END",
                    "c IN (SELECT d FROM e WHERE f = 1 OR g = 2)",
                ],
                vec!["f = 1 OR g = 2"],
            ]
        );
    }

    #[test]
    fn every_branch_of_a_union_is_its_own() {
        let sql = "SELECT a FROM b WHERE c = 1 UNION ALL SELECT d FROM e WHERE f = 2 ORDER BY 1";
        assert_eq!(terms(sql), [vec!["c = 1"], vec!["f = 2"]]);
    }

    #[test]
    fn only_the_joined_table_is_filtered_by_its_on() {
        let sql = "SELECT 1 FROM a LEFT JOIN b ON a.x = b.x AND b.y = 1 RIGHT JOIN c ON c.z = 1";
        let tokens = serval_sql::tokens(sql.as_bytes(), LexOptions::default()).unwrap();
        let segments = Segments::find(sql.as_bytes(), &tokens);
        let of = |name: &str| {
            let table = tokens.iter().position(|token| token.is_word(sql.as_bytes(), name)).unwrap();
            let found = segments.join_filters(sql.as_bytes(), &tokens, segments.all[0], table);
            found.into_iter().map(|span| span.text(sql).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("b"), ["a.x = b.x", "b.y = 1"]);
        assert!(of("a").is_empty() && of("c").is_empty());
    }
}
