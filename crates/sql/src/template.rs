//! A statement cut at its holes, to be filled again from another statement with the same key.

use crate::{Scan, Span};

/// What to put in the place of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replacement {
    /// This text.
    Text(String),
    /// What the caller says when the template is rendered.
    Slot(u16),
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Text(Box<[u8]>),
    /// The bytes of the hole with this number.
    Hole(u32),
    /// What the caller says.
    Slot(u16),
}

/// A statement cut at its holes, with edits made, to be filled from any statement with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    verbatim: bool,
}

impl Template {
    /// Cuts `sql`, whose scan this is, and makes the edits.
    ///
    /// An edit replaces whole holes and any text between them, or inserts at an empty span that lies in no hole.
    /// Edits may come in any order; insertions at one place keep theirs.
    ///
    /// # Panics
    /// Where edits overlap, lie outside the statement, or cut a hole in two: such a template would not hold for other
    /// statements.
    #[must_use]
    pub fn build(sql: &[u8], scan: &Scan, edits: &[(Span, Replacement)]) -> Self {
        let mut ordered: Vec<&(Span, Replacement)> = edits.iter().collect();
        ordered.sort_by_key(|(span, _)| *span);
        let mut builder = Builder { sql, scan, pieces: Vec::new(), text: Vec::new(), done: 0, hole: 0 };
        for (span, replacement) in ordered {
            builder.copy_to(span.start);
            builder.skip_to(span.end);
            match replacement {
                Replacement::Text(text) => builder.text.extend_from_slice(text.as_bytes()),
                Replacement::Slot(slot) => builder.push(Piece::Slot(*slot)),
            }
        }
        builder.copy_to(scan.end);
        builder.flush();
        Self { pieces: builder.pieces, verbatim: edits.is_empty() }
    }

    /// Appends the statement `sql`, whose scan has the same key as the one the template was built from, with the
    /// template's edits made. `slots` appends what stands in the slot of a number.
    pub fn render(&self, sql: &[u8], scan: &Scan, slots: &dyn Fn(u16, &mut Vec<u8>), out: &mut Vec<u8>) {
        if self.verbatim {
            out.extend_from_slice(Span { start: 0, end: scan.end }.of(sql));
            return;
        }
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Hole(hole) => {
                    let hole = scan.holes.get(*hole as usize).map(|hole| hole.span);
                    out.extend_from_slice(hole.unwrap_or_default().of(sql));
                }
                Piece::Slot(slot) => slots(*slot, out),
            }
        }
    }

    /// The parts in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// A template half way through the statement.
struct Builder<'a> {
    sql: &'a [u8],
    scan: &'a Scan,
    pieces: Vec<Piece>,
    /// The text since the last piece.
    text: Vec<u8>,
    /// The bytes of the statement that are dealt with.
    done: u32,
    /// The holes that are.
    hole: usize,
}

impl Builder<'_> {
    fn copy_to(&mut self, end: u32) {
        assert!(self.done <= end, "edits overlap at byte {end}");
        assert!(end <= self.scan.end, "an edit lies behind the statement's end, at byte {end}");
        while let Some(hole) = self.next_hole_before(end) {
            self.copy_text(hole.start);
            let piece = Piece::Hole(self.hole as u32);
            self.push(piece);
            self.done = hole.end;
            self.hole += 1;
        }
        self.copy_text(end);
    }

    /// Drops the statement's bytes up to `end`.
    fn skip_to(&mut self, end: u32) {
        assert!(self.done <= end, "an edit ends before it begins, at byte {end}");
        assert!(end <= self.scan.end, "an edit lies behind the statement's end, at byte {end}");
        while self.next_hole_before(end).is_some() {
            self.hole += 1;
        }
        self.done = end;
    }

    /// The next hole, if it begins before `end`; it must end before it too.
    fn next_hole_before(&self, end: u32) -> Option<Span> {
        let hole = self.scan.holes.get(self.hole).map(|hole| hole.span).filter(|hole| hole.start < end)?;
        assert!(hole.end <= end, "an edit cuts the hole at byte {}", hole.start);
        Some(hole)
    }

    fn copy_text(&mut self, end: u32) {
        self.text.extend_from_slice(Span { start: self.done, end }.of(self.sql));
        self.done = end;
    }

    fn push(&mut self, piece: Piece) {
        self.flush();
        self.pieces.push(piece);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text).into_boxed_slice()));
        }
    }
}
