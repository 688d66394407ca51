//! Rows in either encoding for tests, written and read as text.

use serval_wire::binary_row::{self, BinaryRowBuilder, Cell};
use serval_wire::packet::ColumnDefinition;
use serval_wire::packet::column_type::*;
use serval_wire::text_row;

use super::{Cells, Encoding, Layout};
use crate::number::format_double;

/// A row whose cells have these texts.
pub(crate) fn encode(encoding: Encoding, columns: &[ColumnDefinition], cells: &[Option<&[u8]>]) -> Vec<u8> {
    match encoding {
        Encoding::Text => {
            let mut row = Vec::new();
            text_row::encode(cells.iter().copied(), &mut row);
            row
        }
        Encoding::Binary => {
            let mut row = BinaryRowBuilder::new(columns.len());
            for (column, cell) in columns.iter().zip(cells) {
                row.encode_text_cell(column.column_type, column.flags, *cell).unwrap();
            }
            row.finish().unwrap()
        }
    }
}

/// The texts of a row's cells, all of them.
pub(crate) fn decode(encoding: Encoding, columns: &[ColumnDefinition], row: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut cells = Cells::new();
    Layout::new(encoding, columns).read(row, columns.len(), &mut cells).unwrap();
    let mut again = Vec::new();
    let texts = match encoding {
        Encoding::Text => {
            text_row::encode(cells.iter().copied(), &mut again);
            cells.iter().map(|cell| cell.map(<[u8]>::to_vec)).collect()
        }
        Encoding::Binary => {
            let mut builder = BinaryRowBuilder::new(columns.len());
            for (column, cell) in columns.iter().zip(&cells) {
                builder.encode_raw_cell(column.column_type, *cell).unwrap();
            }
            again = builder.finish().unwrap();
            cells.iter().zip(columns).map(|(cell, column)| text(column, (*cell)?)).collect()
        }
    };
    assert_eq!(again, row, "a row is its cells and nothing else");
    texts
}

fn text(column: &ColumnDefinition, cell: &[u8]) -> Option<Vec<u8>> {
    let text = match binary_row::value(column.column_type, column.flags, Some(cell)).unwrap() {
        Cell::Null => return None,
        Cell::Int(value) => value.to_string(),
        Cell::UInt(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Double(value) => format_double(value, column.decimals),
        Cell::Bytes(bytes) => return Some(bytes.to_vec()),
        Cell::Date(date) if column.column_type == MYSQL_TYPE_DATE => date.date(),
        Cell::Date(date) => date.to_string(),
        Cell::Time(time) => time.to_string(),
    };
    Some(text.into_bytes())
}

#[test]
fn a_cut_makes_the_bitmap_shorter() {
    let columns = vec![ColumnDefinition::new("c", MYSQL_TYPE_TINY); 7];
    let cells = [None, Some(&b"1"[..]), None, Some(b"2"), Some(b"3"), None, None];
    let row = encode(Encoding::Binary, &columns, &cells);
    assert_eq!(row, b"\0\x94\x01\x01\x02\x03");
    let layout = Layout::new(Encoding::Binary, &columns);
    for (keep, expected) in [(6, &b"\0\x94\x01\x02\x03"[..]), (4, b"\0\x14\x01\x02"), (1, b"\0\x04")] {
        assert_eq!(layout.cut(row.clone().into(), keep).unwrap(), expected);
    }
    assert!(layout.cut(row[..4].to_vec().into(), 6).is_err());
}
