//! Anchors: places of a statement that hold for every statement with the same key.

use serval_sql::{Scan, Span};

/// A byte position, counted from the end of the hole before it: between holes, statements of one key are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    holes_before: u32,
    offset: u32,
}

/// A span between two anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnchorSpan {
    start: Anchor,
    end: Anchor,
}

impl Anchor {
    /// The anchor of a byte of the scanned statement, which lies in no hole.
    pub(crate) fn of(byte: u32, scan: &Scan) -> Self {
        let holes_before = scan.holes.partition_point(|hole| hole.span.end <= byte);
        let base = base(holes_before, scan);
        Self {
            holes_before: u32::try_from(holes_before).unwrap_or(u32::MAX),
            offset: byte.saturating_sub(base),
        }
    }

    /// The byte in a statement of the same key.
    pub(crate) fn byte(self, scan: &Scan) -> u32 {
        base(self.holes_before as usize, scan) + self.offset
    }
}

fn base(holes_before: usize, scan: &Scan) -> u32 {
    holes_before.checked_sub(1).and_then(|last| scan.holes.get(last)).map_or(0, |hole| hole.span.end)
}

impl AnchorSpan {
    /// The anchors of a span of the scanned statement. A hole lies in it wholly or not at all.
    pub(crate) fn of(span: Span, scan: &Scan) -> Self {
        // A span that starts with a hole starts behind the hole before it, so that the hole itself is inside.
        Self { start: Anchor::of(span.start, scan), end: Anchor::of(span.end, scan) }
    }

    /// The span in a statement of the same key.
    pub(crate) fn span(self, scan: &Scan) -> Span {
        Span { start: self.start.byte(scan), end: self.end.byte(scan) }
    }
}

#[cfg(test)]
mod tests {
    use serval_sql::{LexOptions, scan};

    use super::*;

    #[test]
    fn a_place_moves_with_the_literals_before_it() {
        let (one, two) = ("VALUES (1, 'a'), (2, 'b')", "VALUES (4711, 'long'), (3, '')");
        let (first, second) = (
            scan(one.as_bytes(), LexOptions::default()).unwrap(),
            scan(two.as_bytes(), LexOptions::default()).unwrap(),
        );
        let row = Span { start: 17, end: 25 };
        assert_eq!(row.text(one), "(2, 'b')");
        assert_eq!(AnchorSpan::of(row, &first).span(&second).text(two), "(3, '')");
        let cell = Span { start: 8, end: 9 };
        assert_eq!(AnchorSpan::of(cell, &first).span(&second).text(two), "4711");
    }
}
