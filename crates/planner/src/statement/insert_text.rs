//! Where the parts of an INSERT lie in its text.

use serval_sql::{LexOptions, Span, Token, TokenKind, tokens};

/// The places of an INSERT … VALUES or INSERT … SET.
#[derive(Debug)]
pub(crate) struct InsertText {
    /// Just before the `)` of the column list, where there is one.
    pub(crate) columns_end: Option<u32>,
    /// The rows of VALUES, parentheses included; empty for SET.
    pub(crate) rows: Vec<RowText>,
    /// The value of each assignment of SET; empty for VALUES.
    pub(crate) assigned: Vec<Span>,
}

/// One row of VALUES.
#[derive(Debug)]
pub(crate) struct RowText {
    /// With its parentheses.
    pub(crate) span: Span,
    /// Each value.
    pub(crate) cells: Vec<Span>,
}

impl InsertText {
    /// Finds the parts; `table_end` is where the table's name ends. `None` for any other form of INSERT.
    pub(crate) fn find(sql: &[u8], table_end: u32, options: LexOptions) -> Option<Self> {
        let mut all = tokens(sql, options).ok()?;
        all.retain(|token| !token.kind.is_comment() && token.span.start >= table_end);
        Finder { sql, tokens: &all, next: 0 }.find()
    }
}

struct Finder<'a> {
    sql: &'a [u8],
    tokens: &'a [Token],
    next: usize,
}

impl Finder<'_> {
    fn find(mut self) -> Option<InsertText> {
        let columns_end = if self.is_symbol(b'(') { Some(self.group()?.0.end - 1) } else { None };
        if self.is_word("SET") {
            return Some(InsertText { columns_end, rows: Vec::new(), assigned: self.assigned()? });
        }
        if !self.is_word("VALUES") && !self.is_word("VALUE") {
            return None;
        }
        self.next += 1;
        let mut rows = Vec::new();
        loop {
            let (span, cells) = self.group()?;
            rows.push(RowText { span, cells });
            if !self.is_symbol(b',') {
                return Some(InsertText { columns_end, rows, assigned: Vec::new() });
            }
            self.next += 1;
        }
    }

    /// A parenthesised list at the cursor: all of it, and its elements.
    fn group(&mut self) -> Option<(Span, Vec<Span>)> {
        let open = self.tokens.get(self.next).filter(|token| token.is_symbol(b'('))?;
        let mut cells = Vec::new();
        let (mut depth, mut from) = (0_usize, self.next + 1);
        for index in self.next..self.tokens.len() {
            match self.tokens[index].kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => {
                    depth -= 1;
                    if depth == 0 {
                        cells.extend(self.span(from, index));
                        self.next = index + 1;
                        return Some((open.span.to(self.tokens[index].span), cells));
                    }
                }
                TokenKind::Symbol(b',') if depth == 1 => {
                    cells.push(self.span(from, index)?);
                    from = index + 1;
                }
                _ => {}
            }
        }
        None
    }

    /// The values of SET's assignments: what stands between `=` and the next comma, AS, ON, RETURNING or the end.
    fn assigned(&self) -> Option<Vec<Span>> {
        let mut values = Vec::new();
        let mut depth = 0_usize;
        let mut value = None;
        for (index, token) in self.tokens.iter().enumerate().skip(self.next + 1) {
            let ends = token.is_symbol(b',')
                || token.is_word(self.sql, "AS")
                || token.is_word(self.sql, "ON")
                || token.is_word(self.sql, "RETURNING");
            match token.kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth = depth.checked_sub(1)?,
                TokenKind::Symbol(b';') => break,
                TokenKind::Symbol(b'=') if depth == 0 && value.is_none() => value = Some(index + 1),
                _ if depth == 0 && ends => {
                    values.push(self.span(value.take()?, index)?);
                    if !token.is_symbol(b',') {
                        return Some(values);
                    }
                }
                _ => {}
            }
        }
        let end = self.tokens.iter().rposition(|token| !token.is_symbol(b';'))? + 1;
        values.push(self.span(value?, end)?);
        Some(values)
    }

    fn span(&self, from: usize, to: usize) -> Option<Span> {
        (from < to).then(|| self.tokens[from].span.to(self.tokens[to - 1].span))
    }

    fn is_symbol(&self, symbol: u8) -> bool {
        self.tokens.get(self.next).is_some_and(|token| token.is_symbol(symbol))
    }

    fn is_word(&self, word: &str) -> bool {
        self.tokens.get(self.next).is_some_and(|token| token.is_word(self.sql, word))
    }
}
