//! ProtocolText::ResultsetRow: cells as text, or NULL.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html).
//!
//! ```
//! use serval_wire::text_row;
//! let mut row = Vec::new();
//! text_row::encode([Some(&b"7"[..]), None], &mut row);
//! assert_eq!(row, [1, b'7', 0xfb]);
//! let cells: Result<Vec<_>, _> = text_row::cells(&row).collect();
//! assert_eq!(cells?, [Some(&b"7"[..]), None]);
//! # Ok::<(), serval_wire::WireError>(())
//! ```

use crate::WireError;
use crate::lenenc::{Reader, write_nullable};

/// The cells of a row's payload, in order; nothing is copied.
#[must_use]
pub const fn cells(payload: &[u8]) -> Cells<'_> {
    Cells { reader: Reader::new(payload, "text row") }
}

/// Appends one cell to a row's payload.
pub fn push_cell(out: &mut Vec<u8>, cell: Option<&[u8]>) {
    write_nullable(out, cell);
}

/// Encodes a row's payload.
pub fn encode<'a>(cells: impl IntoIterator<Item = Option<&'a [u8]>>, out: &mut Vec<u8>) {
    for cell in cells {
        push_cell(out, cell);
    }
}

/// An iterator over the cells of a text row. It ends after the first error.
#[derive(Debug, Clone)]
pub struct Cells<'a> {
    reader: Reader<'a>,
}

impl<'a> Cells<'a> {
    /// What follows the cells read so far.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Result<Option<&'a [u8]>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let cell = self.reader.nullable();
        if cell.is_err() {
            self.reader.take_rest();
        }
        Some(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(payload: &[u8]) -> Result<Vec<Option<&[u8]>>, WireError> {
        cells(payload).collect()
    }

    #[test]
    fn null_empty_and_long_cells() {
        let long = [b'x'; 300];
        let row = [None, Some(&b""[..]), Some(&long[..])];
        let mut payload = Vec::new();
        encode(row, &mut payload);
        assert_eq!(payload[..5], [0xfb, 0, 0xfc, 0x2c, 1]);
        assert_eq!(collect(&payload).unwrap(), row);
    }

    #[test]
    fn a_cell_cut_short_ends_the_row() {
        let mut row = cells(b"\x01a\x05bc");
        assert_eq!(row.next(), Some(Ok(Some(&b"a"[..]))));
        assert_eq!(row.next(), Some(Err(WireError::Truncated { what: "text row" })));
        assert_eq!(row.next(), None);
        assert!(collect(b"\xff").is_err());
    }

    #[test]
    fn every_truncation_is_an_error_or_a_shorter_row() {
        let payload = b"\x01a\xfb\x02bc";
        for length in 0..payload.len() {
            match collect(&payload[..length]) {
                Ok(row) => assert!(row.len() < 3),
                Err(error) => assert_eq!(error, WireError::Truncated { what: "text row" }),
            }
        }
    }
}
