//! Select items: where each begins and ends, and whether it has an alias.

use serval_sql::{Edit, Span, Token, TokenKind};

use crate::literal::identifier;

/// One item of a select list, by its tokens.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The first token of the alias, `AS` included.
    pub(crate) alias: Option<usize>,
}

/// Words that may stand between SELECT and its first item.
const MODIFIERS: [&str; 10] = [
    "all",
    "distinct",
    "distinctrow",
    "high_priority",
    "straight_join",
    "sql_small_result",
    "sql_big_result",
    "sql_buffer_result",
    "sql_no_cache",
    "sql_calc_found_rows",
];

/// Words that end a select list.
const ENDS: [&str; 14] = [
    "from",
    "into",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
    "for",
    "lock",
    "procedure",
    "window",
];

/// Words after which another word is part of the expression, not an alias.
const OPERATORS: [&str; 17] = [
    "and", "or", "xor", "not", "is", "in", "like", "rlike", "regexp", "between", "div", "mod", "collate",
    "binary", "interval", "escape", "distinct",
];

/// Words that end an expression and are no alias.
const CLOSERS: [&str; 5] = ["end", "null", "true", "false", "unknown"];

impl Item {
    /// The last token of the item without its alias.
    pub(crate) fn expression_end(&self) -> usize {
        self.alias.map_or(self.last, |alias| alias.saturating_sub(1))
    }

    /// The insertion that names the item by its own text.
    pub(crate) fn with_own_name(&self, sql: &[u8], tokens: &[Token]) -> Edit {
        let whole = tokens[self.first].span.to(tokens[self.last].span);
        let name = String::from_utf8_lossy(whole.of(sql)).into_owned();
        let end = whole.end;
        Edit { at: Span { start: end, end }, text: format!(" AS {}", identifier(&name)) }
    }
}

/// The items of all SELECTs of a statement, those of subqueries too. `tokens` holds no comments.
pub(crate) fn find(sql: &[u8], tokens: &[Token]) -> Vec<Item> {
    let mut items = Vec::new();
    // For each open parenthesis, and for the outside, the first token of the item that is being read.
    let mut open: Vec<Option<usize>> = vec![None];
    for (at, token) in tokens.iter().enumerate() {
        let ends = token.is_symbol(b')')
            || token.is_symbol(b',')
            || token.is_symbol(b';')
            || ENDS.iter().any(|word| token.is_word(sql, word));
        if ends && let Some(first) = open.last_mut().and_then(Option::take) {
            push(&mut items, sql, tokens, first, at);
            if token.is_symbol(b',') {
                replace_top(&mut open, Some(at + 1));
            }
        }
        match token.kind {
            TokenKind::Symbol(b'(') => open.push(None),
            TokenKind::Symbol(b')') if open.len() > 1 => drop(open.pop()),
            TokenKind::Word if token.is_word(sql, "select") => {
                replace_top(&mut open, Some(after_modifiers(sql, tokens, at + 1)));
            }
            _ => {}
        }
    }
    if let Some(first) = open.last_mut().and_then(Option::take) {
        push(&mut items, sql, tokens, first, tokens.len());
    }
    items
}

fn replace_top(open: &mut [Option<usize>], first: Option<usize>) {
    if let Some(top) = open.last_mut() {
        *top = first;
    }
}

fn after_modifiers(sql: &[u8], tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| MODIFIERS.iter().any(|word| token.is_word(sql, word))) {
        at += 1;
    }
    at
}

/// Adds the item of the tokens from `first` up to, but without, `end`.
fn push(items: &mut Vec<Item>, sql: &[u8], tokens: &[Token], first: usize, end: usize) {
    if first < end {
        items.push(Item { first, last: end - 1, alias: alias(sql, tokens, first, end - 1) });
    }
}

/// The first token of the item's alias, if it has one.
fn alias(sql: &[u8], tokens: &[Token], first: usize, last: usize) -> Option<usize> {
    let name = &tokens[last];
    let nameable = matches!(name.kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::Text);
    if last == first || !nameable || CLOSERS.iter().any(|word| name.is_word(sql, word)) {
        return None;
    }
    let before = &tokens[last - 1];
    if before.is_word(sql, "as") {
        return Some(last - 1);
    }
    let joins = match before.kind {
        TokenKind::Operator => true,
        TokenKind::Symbol(symbol) => symbol != b')' && symbol != b'?',
        TokenKind::Word => {
            OPERATORS.iter().any(|word| before.is_word(sql, word)) || before.span.of(sql).starts_with(b"_")
        }
        _ => false,
    };
    (!joins).then_some(last)
}
