//! The pass itself.

use std::ops::Range;

use smallvec::SmallVec;

use super::{Hole, HoleKind, ListClass, Marks, Scan};
use crate::class::ClassFinder;
use crate::hint::{self, Hints};
use crate::lexer::{LexError, Lexer};
use crate::{LexOptions, Span, Token, TokenKind};

pub(super) struct Scanner<'a> {
    sql: &'a [u8],
    options: LexOptions,
    lexer: Lexer<'a>,
    class: ClassFinder,
    holes: SmallVec<[Hole; 8]>,
    elements: Vec<Span>,
    version_comments: bool,
    marks: Marks,
    /// It has hints for the proxy.
    hinted: bool,
    /// Where the last token that belongs to the statement ended.
    end: u32,
    after_in: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(sql: &'a [u8], options: LexOptions) -> Self {
        Self {
            sql,
            options,
            lexer: Lexer::new(sql, options),
            class: ClassFinder::new(options),
            holes: SmallVec::new(),
            elements: Vec::new(),
            version_comments: false,
            marks: Marks::default(),
            hinted: false,
            end: 0,
            after_in: false,
        }
    }

    pub(super) fn run(mut self) -> Result<Scan, LexError> {
        let mut next_statement = None;
        while let Some(token) = self.lexer.next()? {
            if token.is_symbol(b';') && !self.class.holds_statements() {
                next_statement = self.next_statement();
                break;
            }
            self.token(token)?;
        }
        // A line comment at the end is not part of the statement: what is appended to it would be swallowed.
        while self.holes.last().is_some_and(|hole| hole.span.start >= self.end) {
            self.holes.pop();
        }
        let end = Span { start: 0, end: self.end };
        let hints = if self.hinted { Hints::find(end.of(self.sql), self.options) } else { None };
        Ok(Scan {
            key: self.key(),
            hints: hints.map(Box::new),
            holes: self.holes,
            elements: self.elements,
            class: self.class.class(),
            first_word: self.class.first_word(),
            version_comments: self.version_comments,
            marks: self.marks,
            end: self.end,
            next_statement,
        })
    }

    fn token(&mut self, token: Token) -> Result<(), LexError> {
        let is_line_comment = token.kind == TokenKind::Comment && !token.span.of(self.sql).starts_with(b"/*");
        if !is_line_comment {
            self.end = token.span.end;
        }
        if let Some(kind) = HoleKind::of_token(token.kind) {
            self.hole(token.span, kind, 0..0);
        }
        if token.kind == TokenKind::Comment {
            return Ok(());
        }
        self.marks.note(token);
        self.class.see(self.sql, token);
        self.version_comments |= token.kind == TokenKind::VersionComment;
        self.hinted |= hint::is_ours(self.sql, token);
        if self.after_in && token.is_symbol(b'(') {
            self.list(token.span.end)?;
        }
        self.after_in = token.is_word(self.sql, "IN");
        Ok(())
    }

    fn hole(&mut self, span: Span, kind: HoleKind, elements: Range<u32>) {
        let before = self.holes.last().map_or(0, |last| last.parameters().end);
        // A text of 4 GB is not read.
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        self.holes.push(Hole { span, kind, elements, before });
    }

    /// Takes the elements of `IN (…)` as one hole if they are literals of one class. The closing parenthesis stays.
    fn list(&mut self, start: u32) -> Result<(), LexError> {
        let first_element = self.elements.len();
        let mut ahead = self.lexer.clone();
        let mut class = None;
        loop {
            let element = ahead.next()?.and_then(|token| {
                Some((token.span, ListClass::of_element(HoleKind::of_token(token.kind)?)?))
            });
            let separator = ahead.next()?;
            let (Some((span, of)), Some(separator)) = (element, separator) else { break };
            if class.is_some_and(|class| class != of) {
                break;
            }
            class = Some(of);
            self.elements.push(span);
            if separator.is_symbol(b')') {
                let elements = first_element as u32..self.elements.len() as u32;
                let span = Span { start, end: separator.span.start };
                self.hole(span, HoleKind::List(of), elements);
                self.end = span.end;
                self.lexer.skip_to(span.end);
                return Ok(());
            }
            if !separator.is_symbol(b',') {
                break;
            }
        }
        self.elements.truncate(first_element);
        Ok(())
    }

    /// Where another statement begins behind the `;`. It is not looked at any further.
    fn next_statement(&mut self) -> Option<u32> {
        loop {
            match self.lexer.next() {
                Ok(Some(token)) if token.is_symbol(b';') || token.kind == TokenKind::Comment => {}
                Ok(Some(token)) => return Some(token.span.start),
                Ok(None) => return None,
                Err(error) => return Some(error.position),
            }
        }
    }

    fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.end as usize);
        let mut done = 0;
        for hole in &self.holes {
            key.extend_from_slice(Span { start: done, end: hole.span.start }.of(self.sql));
            key.extend_from_slice(&[0, hole.kind.letter()]);
            done = hole.span.end;
        }
        key.extend_from_slice(Span { start: done, end: self.end }.of(self.sql));
        key
    }
}
