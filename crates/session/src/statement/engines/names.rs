//! Which tables a statement names, read from its tokens alone: an engine's SQL is its own, and no parser of ours
//! understands it.

use serval_sql::{LexOptions, Span, Token, TokenKind, identifier_value, tokens};

/// The tables of a statement.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) mentions: Vec<Mention>,
    pub(super) frames: Vec<Frame>,
    pub(super) tokens: Vec<Token>,
}

/// A table where rows are read from or written to.
#[derive(Debug)]
pub(super) struct Mention {
    /// The name with its qualifier.
    pub(super) span: Span,
    pub(super) schema: Option<String>,
    pub(super) table: String,
    /// The innermost parentheses around it.
    pub(super) frame: usize,
    /// It is a name that the statement's own WITH gives.
    pub(super) is_own: bool,
}

/// What stands in parentheses; the first is the whole statement.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) parent: Option<usize>,
    /// The parentheses, by their places in the text.
    pub(super) open: u32,
    pub(super) close: u32,
    /// A SELECT begins it.
    pub(super) is_query: bool,
    /// It stands where a table could, in a list of tables that is in no parentheses of its own.
    pub(super) is_table: bool,
}

/// Words behind which no table of a list follows any more.
const CLAUSES: [&str; 18] = [
    "WHERE",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "WINDOW",
    "SET",
    "VALUES",
    "VALUE",
    "SELECT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "OPTION",
    "FACET",
    "WITHIN",
    "FOR",
    "PROCEDURE",
];
/// Words that may stand between a keyword and its table.
const MODIFIERS: [&str; 15] = [
    "LOW_PRIORITY",
    "HIGH_PRIORITY",
    "DELAYED",
    "IGNORE",
    "QUICK",
    "ONLY",
    "IF",
    "NOT",
    "EXISTS",
    "LATERAL",
    "FULL",
    "EXTENDED",
    "ANALYZE",
    "PARTITIONS",
    "OVERWRITE",
];
/// Words there that are no tables.
const NO_TABLES: [&str; 5] = ["DUAL", "OUTFILE", "DUMPFILE", "JSON_TABLE", "FORMAT"];

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The next name is a table's.
    expects: bool,
    /// A comma brings another one.
    lists: bool,
}

impl Named {
    /// The tables of the statement that ends at `end`; `None` where the text cannot be cut into tokens.
    pub(super) fn find(sql: &[u8], end: u32, options: LexOptions) -> Option<Self> {
        let tokens: Vec<Token> = tokens(sql, options).ok()?;
        let tokens: Vec<Token> =
            tokens.into_iter().filter(|token| !token.kind.is_comment() && token.span.end <= end).collect();
        let root = Frame { parent: None, open: 0, close: end, is_query: true, is_table: false };
        let mut reader = Reader {
            sql,
            at: 0,
            stack: vec![(0, State::default())],
            mentions: Vec::new(),
            frames: vec![root],
        };
        while reader.at < tokens.len() {
            reader.step(&tokens);
        }
        let Reader { mut mentions, frames, .. } = reader;
        let own = own_names(sql, &tokens);
        for mention in &mut mentions {
            mention.is_own = mention.schema.is_none() && own.contains(&mention.table.to_lowercase());
        }
        Some(Self { mentions, frames, tokens })
    }

    /// Whether a mention stands somewhere in a frame.
    pub(super) fn is_in(&self, mention: &Mention, frame: usize) -> bool {
        self.around(mention.frame).any(|around| around == frame)
    }

    /// A frame and those around it.
    pub(super) fn around(&self, frame: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(frame), |frame| self.frames.get(*frame).and_then(|frame| frame.parent))
    }
}

struct Reader<'a> {
    sql: &'a [u8],
    at: usize,
    /// The open frames.
    stack: Vec<(usize, State)>,
    mentions: Vec<Mention>,
    frames: Vec<Frame>,
}

impl Reader<'_> {
    fn step(&mut self, tokens: &[Token]) {
        let token = tokens[self.at];
        let Some((frame, state)) = self.stack.last().copied() else { return self.at = tokens.len() };
        let mut next = State { expects: false, ..state };
        match token.kind {
            TokenKind::Symbol(b'(') => return self.open(tokens, frame, state),
            TokenKind::Symbol(b')') if self.stack.len() > 1 => {
                self.frames[frame].close = token.span.end;
                self.stack.pop();
                self.at += 1;
                return;
            }
            TokenKind::Symbol(b',') => next.expects = state.lists,
            TokenKind::Word => {
                if let Some(state) = self.keyword(tokens, frame, state) {
                    next = state;
                } else if state.expects {
                    return self.name(tokens, frame);
                }
            }
            TokenKind::QuotedIdent if state.expects => return self.name(tokens, frame),
            _ => {}
        }
        self.set(next);
        self.at += 1;
    }

    fn set(&mut self, state: State) {
        if let Some(top) = self.stack.last_mut() {
            top.1 = state;
        }
    }

    fn open(&mut self, tokens: &[Token], frame: usize, state: State) {
        let is_query = ["SELECT", "WITH"].iter().any(|word| self.is(tokens, self.at + 1, word));
        let span = tokens[self.at].span;
        let is_table = state.expects && self.frames[frame].is_query;
        let close = self.frames[frame].close;
        self.set(State { expects: false, ..state });
        self.frames.push(Frame { parent: Some(frame), open: span.start, close, is_query, is_table });
        let joins = state.expects && !is_query;
        self.stack.push((self.frames.len() - 1, State { expects: joins, lists: joins }));
        self.at += 1;
    }

    /// What a keyword changes; `None` for a word that is none here.
    fn keyword(&self, tokens: &[Token], frame: usize, state: State) -> Option<State> {
        let is = |word: &str| self.is(tokens, self.at, word);
        let before = |word: &str| self.at > 0 && self.is(tokens, self.at - 1, word);
        let first = self.at == 0;
        let (none, one, list) =
            (State::default(), State { expects: true, lists: false }, State { expects: true, lists: true });
        if is("FROM") && (self.frames[frame].is_query || state.lists) || is("JOIN") || is("TABLE") {
            return Some(list);
        }
        if is("STRAIGHT_JOIN") && state.lists {
            return Some(list);
        }
        if is("UPDATE") && !before("KEY") && !before("FOR") {
            return Some(list);
        }
        let writes = is("INSERT") || is("REPLACE");
        let describes = is("DESCRIBE") || is("DESC") || is("EXPLAIN");
        if is("INTO") || first && (writes || describes) {
            return Some(one);
        }
        if CLAUSES.iter().any(|word| is(word)) {
            return Some(none);
        }
        if state.expects && MODIFIERS.iter().any(|word| is(word)) {
            return Some(state);
        }
        let no_table = state.expects && NO_TABLES.iter().any(|word| is(word));
        no_table.then_some(State { expects: false, ..state })
    }

    fn name(&mut self, tokens: &[Token], frame: usize) {
        let first = tokens[self.at];
        let is_dot = |at: usize| tokens.get(at).is_some_and(|token| token.is_symbol(b'.'));
        let second = tokens.get(self.at + 2).filter(|_| is_dot(self.at + 1));
        let text =
            |token: &Token| String::from_utf8_lossy(&identifier_value(token.span.of(self.sql))).into_owned();
        let (schema, last) = match second {
            Some(table) => (Some(text(&first)), table),
            None => (None, &first),
        };
        let span = Span::new(first.span.start, last.span.end);
        let table = text(last);
        self.mentions.push(Mention { span, schema, table, frame, is_own: false });
        self.at += if second.is_some() { 3 } else { 1 };
        let lists = self.stack.last().is_some_and(|(_, state)| state.lists);
        self.set(State { expects: false, lists });
    }

    fn is(&self, tokens: &[Token], at: usize, word: &str) -> bool {
        tokens.get(at).is_some_and(|token| token.is_word(self.sql, word))
    }
}

/// The names in front of `AS (` and `(columns) AS (` of a statement with WITH.
fn own_names(sql: &[u8], tokens: &[Token]) -> Vec<String> {
    if !tokens.iter().any(|token| token.is_word(sql, "WITH")) {
        return Vec::new();
    }
    let mut names = Vec::new();
    for at in 1..tokens.len() {
        let opens = tokens.get(at + 1).is_some_and(|token| token.is_symbol(b'('));
        if !tokens[at].is_word(sql, "AS") || !opens {
            continue;
        }
        let mut name = at - 1;
        if tokens[name].is_symbol(b')') {
            name =
                tokens[..name].iter().rposition(|token| token.is_symbol(b'(')).unwrap_or(0).saturating_sub(1);
        }
        let text = identifier_value(tokens[name].span.of(sql));
        names.push(String::from_utf8_lossy(&text).to_lowercase());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables that a statement names.
    fn check(sql: &str, expect: &[&str]) {
        let named = Named::find(sql.as_bytes(), sql.len() as u32, LexOptions::default()).unwrap();
        let found: Vec<&str> = named.mentions.iter().map(|mention| &*mention.table).collect();
        assert_eq!(found, expect, "{sql}");
    }

    #[test]
    fn tables_are_found_wherever_they_stand() {
        check("SELECT id, weight() FROM search WHERE MATCH('red') OPTION ranker=bm25", &["search"]);
        check(
            "SELECT * FROM a, `b` AS x JOIN (c, d) ON a.i = d.i, e WHERE f = 1",
            &["a", "b", "c", "d", "e"],
        );
        check(
            "SELECT * FROM (SELECT id FROM search WHERE MATCH('x')) h JOIN shop.products p",
            &["search", "products"],
        );
        check("INSERT INTO search (id, title) VALUES (1, 'from nowhere')", &["search"]);
        check("REPLACE search VALUES (1)", &["search"]);
        check("UPDATE search SET price = 1 WHERE id IN (1, 2)", &["search"]);
        check("DELETE FROM search WHERE id = 1", &["search"]);
        check("DESC search", &["search"]);
        check("EXPLAIN FORMAT=JSON SELECT 1 FROM t", &["t"]);
        check("SHOW CREATE TABLE search", &["search"]);
        check("SHOW INDEX FROM search", &["search"]);
        check("SELECT id FROM search FACET price FACET brand ORDER BY COUNT(*) DESC", &["search"]);
    }

    #[test]
    fn what_is_no_table_is_not_found() {
        check("SELECT EXTRACT(YEAR FROM born), TRIM(LEADING 'x' FROM y) FROM t", &["t"]);
        check("SELECT a FROM t ORDER BY b, c FOR UPDATE", &["t"]);
        check("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1, b = 2", &["t"]);
        check("SELECT 1 FROM dual", &[]);
        check("SELECT REPLACE(a, 'b', 'c') FROM t", &["t"]);
        let sql = "WITH h (i) AS (SELECT id FROM search) SELECT * FROM h";
        let named = Named::find(sql.as_bytes(), sql.len() as u32, LexOptions::default()).unwrap();
        assert_eq!(named.mentions.iter().map(|mention| mention.is_own).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn no_text_is_too_broken() {
        for sql in [")))", "SELECT (", "FROM", "FROM a.", "(((SELECT * FROM", ", , FROM ,", "AS (", ") AS ("]
        {
            let _ = Named::find(sql.as_bytes(), sql.len() as u32, LexOptions::default());
        }
    }
}
