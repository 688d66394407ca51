//! What a statement leaves in a server's session, as its text says.

use serval_sql::{
    HoleKind, LexOptions, Span, StatementClass, Token, TokenKind, is_call_with_argument, tokens,
};
use serval_types::{MysqlError, Value};

use super::Query;
use super::read_back::Wanted;
use crate::words::{contains_word, last_word};

/// What a statement leaves in a server's session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// What has to be read back.
    pub(crate) wanted: Wanted,
    /// `INTO @a, @b`.
    pub(crate) into: Option<Into>,
}

/// `INTO @a, @b` of a SELECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Into {
    /// Its place.
    pub(crate) span: Span,
    /// The variables in order, without their sign and in lower case.
    pub(crate) names: Vec<String>,
    /// Parentheses stand around the whole query with it, which MariaDB does not take.
    pub(crate) enclosed: bool,
}

impl Effects {
    /// Those of a statement. Most have none, and a look at a few bytes says so.
    pub(crate) fn of(query: &Query<'_>, options: LexOptions) -> Self {
        let (key, marks) = (&query.scan.key, query.scan.marks);
        let selects = is_select(query.scan.class);
        // An UPDATE tells it in its OK packet.
        let insert_id =
            query.scan.class != StatementClass::Update && marks.parenthesis && sets_insert_id(query, options);
        let found_rows = selects && marks.counts_all && counts_all(key);
        let mut effects = Self { wanted: Wanted { names: Vec::new(), found_rows, insert_id }, into: None };
        if marks.variable {
            effects.note_variables(query.sql, options, selects);
        }
        effects
    }

    /// [`Effects::of`] a text that has not been scanned.
    ///
    /// # Errors
    /// 1235 where it cannot be read.
    pub(crate) fn of_text(sql: &[u8], options: LexOptions) -> Result<Self, MysqlError> {
        let scan = super::rescan(sql, options)?;
        Ok(Self::of(&Query::text(sql, &scan), options))
    }

    fn note_variables(&mut self, sql: &[u8], options: LexOptions, selects: bool) {
        let Ok(mut tokens) = tokens(sql, options) else { return };
        tokens.retain(|token| !token.kind.is_comment());
        // Inside of a query that is part of another INTO is an error, which whoever reads the statement says.
        let leading = tokens.iter().take_while(|token| token.is_symbol(b'(')).count();
        let (mut depth, mut least) = (0_usize, leading);
        for (at, pair) in tokens.windows(2).enumerate() {
            match pair[0].kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if at >= leading {
                least = least.min(depth);
            }
            let assigns = pair[1].kind == TokenKind::Operator && pair[1].span.of(sql) == b":=";
            if pair[0].kind == TokenKind::UserVariable && assigns {
                self.name(variable_name(sql, pair[0], options));
            }
            let into = pair[0].is_word(sql, "INTO") && pair[1].kind == TokenKind::UserVariable;
            if selects && into && depth <= least && self.into.is_none() {
                let into = Into { enclosed: depth > 0, ..Into::at(sql, &tokens[at..], options) };
                into.names.iter().for_each(|name| self.name(name.clone()));
                self.into = Some(into);
            }
        }
    }

    fn name(&mut self, name: String) {
        if !self.wanted.names.contains(&name) {
            self.wanted.names.push(name);
        }
    }
}

impl Into {
    /// The clause that begins with these tokens.
    fn at(sql: &[u8], tokens: &[Token], options: LexOptions) -> Self {
        let mut names = Vec::new();
        let mut last = tokens[0];
        for pair in tokens[1..].chunks(2) {
            names.push(variable_name(sql, pair[0], options));
            last = pair[0];
            let goes_on = pair.get(1).is_some_and(|token| token.is_symbol(b','));
            if !goes_on {
                break;
            }
        }
        Self { span: tokens[0].span.to(last.span), names, enclosed: false }
    }
}

/// Whether LAST_INSERT_ID(expr) stands in the statement, and not only in quotes.
pub(crate) fn sets_insert_id(query: &Query<'_>, options: LexOptions) -> bool {
    const FUNCTION: &str = "LAST_INSERT_ID";
    let sql = query.sql;
    if !contains_word(&query.scan.key, FUNCTION.as_bytes()) {
        return false;
    }
    let mut tokens = tokens(sql, options).unwrap_or_default();
    tokens.retain(|token| !token.kind.is_comment());
    // Without an argument it only asks.
    (0..tokens.len()).any(|at| is_call_with_argument(sql, &tokens, at, FUNCTION))
}

/// Whether a statement with this class may return rows of a query.
fn is_select(class: StatementClass) -> bool {
    matches!(class, StatementClass::Select | StatementClass::With | StatementClass::Values)
}

/// Whether SQL_CALC_FOUND_ROWS stands among the first words.
pub(crate) fn counts_all(key: &[u8]) -> bool {
    contains_word(&key[..key.len().min(96)], b"SQL_CALC_FOUND_ROWS")
}

/// `@name`, `` @`name` ``, `@'name'`: the name in lower case.
fn variable_name(sql: &[u8], token: Token, options: LexOptions) -> String {
    let name = Span { start: token.span.start + 1, end: token.span.end };
    let bytes = match name.of(sql).first() {
        Some(b'\'') => text(sql, name, options),
        Some(b'"') if !options.ansi_quotes => text(sql, name, options),
        _ => serval_sql::identifier_value(name.of(sql)),
    };
    String::from_utf8_lossy(&bytes).to_lowercase()
}

fn text(sql: &[u8], span: Span, options: LexOptions) -> Vec<u8> {
    match serval_sql::literal_value(sql, span, HoleKind::Text, options) {
        Value::Text(text) => text,
        _ => Vec::new(),
    }
}

/// FOUND_ROWS() after a SELECT that one server answered with `rows` rows. Rows that OFFSET skips count too; where it
/// skipped all there were, only the server knows how many.
pub(crate) fn found_rows(query: &Query<'_>, rows: u64) -> Option<u64> {
    match offset(query) {
        Offset::None => Some(rows),
        Offset::Skips(0) => Some(rows),
        Offset::Skips(skipped) if rows > 0 => Some(rows.saturating_add(skipped)),
        Offset::Skips(_) | Offset::Unknown => None,
    }
}

/// Whether [`found_rows`] may have to be asked of who has run the statement.
pub(crate) fn skips_rows(query: &Query<'_>) -> bool {
    !matches!(offset(query), Offset::None)
}

/// FOUND_ROWS() after an INSERT … SELECT or CREATE TABLE … SELECT whose query gave `rows` rows.
pub(crate) fn found_in_query(sql: &[u8], rows: u64) -> Option<u64> {
    let counts_otherwise =
        joins_queries(sql) || contains_word(sql, b"OFFSET") || contains_word(sql, b"LIMIT");
    (!counts_otherwise).then_some(rows)
}

/// Whether the rows of several queries may be put together in the statement.
fn joins_queries(key: &[u8]) -> bool {
    [&b"UNION"[..], b"EXCEPT", b"INTERSECT"].iter().any(|word| contains_word(key, word))
}

/// What stands behind the last LIMIT.
enum Offset {
    None,
    Skips(u64),
    Unknown,
}

/// The OFFSET at the end of a statement. A LIMIT that is not near its end is of a subquery.
fn offset(query: &Query<'_>) -> Offset {
    if query.scan.holes.is_empty() {
        return Offset::None;
    }
    let key = &query.scan.key;
    let tail_at = key.len().saturating_sub(64);
    let tail = &key[tail_at..];
    let Some(limit) = last_word(tail, b"LIMIT") else { return Offset::None };
    let rest = &tail[limit + 5..];
    // Each hole is a NUL and its kind.
    let holes: Vec<usize> =
        rest.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at).collect();
    let comma = rest.contains(&b',');
    let by_word = contains_word(rest, b"OFFSET");
    if rest.contains(&b')') {
        return Offset::None;
    }
    if joins_queries(key) {
        // Rows that LIMIT leaves out may count, and MySQL counts what is skipped otherwise than MariaDB.
        return Offset::Unknown;
    }
    if !(comma || by_word) {
        return Offset::None;
    }
    let ([first, second, ..], true) = (&*holes, holes.len() == 2) else { return Offset::Unknown };
    let place = if comma { first } else { second };
    let behind = rest[*place..].iter().filter(|byte| **byte == 0).count();
    let hole = query.scan.holes.len().checked_sub(behind).and_then(|at| query.scan.holes.get(at));
    let Some(hole) = hole else { return Offset::Unknown };
    match hole.kind {
        HoleKind::Integer => {
            let digits = std::str::from_utf8(hole.span.of(query.sql)).ok();
            digits.and_then(|digits| digits.parse().ok()).map_or(Offset::Unknown, Offset::Skips)
        }
        HoleKind::Parameter => {
            let position = query.scan.parameter_count().checked_sub(behind);
            match position.and_then(|position| query.values().get(position)) {
                Some(Value::Int(number)) => Offset::Skips(u64::try_from(*number).unwrap_or(0)),
                Some(Value::UInt(number)) => Offset::Skips(*number),
                _ => Offset::Unknown,
            }
        }
        _ => Offset::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(sql: &str) -> Effects {
        let scan = serval_sql::scan(sql.as_bytes(), LexOptions::default()).expect("a scan");
        Effects::of(&Query::text(sql.as_bytes(), &scan), LexOptions::default())
    }

    fn found(sql: &str, rows: u64) -> Option<u64> {
        let scan = serval_sql::scan(sql.as_bytes(), LexOptions::default()).expect("a scan");
        found_rows(&Query::text(sql.as_bytes(), &scan), rows)
    }

    #[test]
    fn most_statements_leave_nothing() {
        for sql in ["SELECT * FROM t WHERE a = @b", "SELECT ':= @a', 'INTO @x'", "UPDATE t SET a = @b"] {
            assert!(effects(sql).wanted.is_nothing(), "{sql}");
        }
    }

    #[test]
    fn assigned_variables_are_read_back() {
        let names = |sql| effects(sql).wanted.names;
        assert_eq!(names("SELECT @A := 1, @`b c`:=@a, @'D' := 2, @a := 3"), ["a", "b c", "d"]);
        assert_eq!(names("UPDATE t SET n = (@n := @n + 1)"), ["n"]);
        assert_eq!(names("SELECT 1, 2 INTO @x, @Y"), ["x", "y"]);
    }

    #[test]
    fn into_is_found_wherever_it_stands() {
        let sql = "SELECT a, b INTO @x , @y FROM t";
        let into = effects(sql).into.expect("INTO");
        assert_eq!(into.span.text(sql), "INTO @x , @y");
        assert_eq!(effects("INSERT INTO t VALUES (@a)").into, None);
        let enclosed = effects("((SELECT a FROM t WHERE b IN (1, 2) INTO @x))").into;
        assert!(enclosed.is_some_and(|into| into.enclosed));
        for nested in ["SELECT (SELECT 1 INTO @x)", "((SELECT 1) UNION (SELECT 1 INTO @x))"] {
            assert_eq!(effects(nested).into, None, "{nested}");
        }
    }

    #[test]
    fn skipped_rows_count() {
        assert_eq!(found("SELECT a FROM t LIMIT 3", 3), Some(3));
        assert_eq!(found("SELECT a FROM t LIMIT 1, 2", 2), Some(3));
        assert_eq!(found("SELECT a FROM t LIMIT 2 OFFSET 1", 2), Some(3));
        assert_eq!(found("SELECT a FROM t LIMIT 2 OFFSET 10", 0), None);
        assert_eq!(found("SELECT a FROM (SELECT a FROM t LIMIT 5, 2) x", 2), Some(2));
        assert_eq!(found("(SELECT a FROM t) UNION ALL (SELECT b FROM s) ORDER BY a LIMIT 2", 2), None);
        assert_eq!(found("(SELECT a FROM t LIMIT 2) UNION ALL (SELECT b FROM s LIMIT 2)", 4), Some(4));
    }
}
