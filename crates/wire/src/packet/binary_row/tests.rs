use super::*;
use crate::packet::ColumnFlags;

const TYPES: [u8; 5] = [
    types::MYSQL_TYPE_LONG,
    types::MYSQL_TYPE_VAR_STRING,
    types::MYSQL_TYPE_DATE,
    types::MYSQL_TYPE_TINY,
    types::MYSQL_TYPE_NEWDECIMAL,
];
/// 7, 'ab', '2024-02-29', NULL, 1.5: the fourth column is bit 5 of the bitmap.
const ROW: &[u8] = b"\0\x20\x07\0\0\0\x02ab\x04\xe8\x07\x02\x1d\x031.5";

fn collect(payload: &[u8]) -> Result<Vec<Option<&[u8]>>, WireError> {
    cells(payload, TYPES)?.collect()
}

#[test]
fn cells_have_the_width_of_their_type() {
    let expected =
        [Some(&b"\x07\0\0\0"[..]), Some(&b"ab"[..]), Some(&b"\xe8\x07\x02\x1d"[..]), None, Some(&b"1.5"[..])];
    assert_eq!(collect(ROW).unwrap(), expected);
}

#[test]
fn every_truncation_fails() {
    for length in 0..ROW.len() {
        assert!(collect(&ROW[..length]).is_err(), "{length} bytes");
    }
    assert!(collect(b"\x01\0").is_err());
}

#[test]
fn the_bitmap_has_a_byte_more_from_the_seventh_column_on() {
    let row = b"\0\xfc\x01";
    let nulls: Result<Vec<_>, _> = cells(row, [types::MYSQL_TYPE_TINY; 7]).unwrap().collect();
    assert_eq!(nulls.unwrap(), [None; 7]);
}

#[test]
fn ranges_are_where_cells_are() {
    let ranges: Result<Vec<_>, _> = ranges(ROW, TYPES).unwrap().collect();
    let found: Vec<_> = ranges.unwrap().into_iter().map(|range| range.map(|range| &ROW[range])).collect();
    assert_eq!(found, collect(ROW).unwrap());
    for length in 0..ROW.len() {
        let ranges: Result<Vec<_>, _> = super::ranges(&ROW[..length], TYPES).and_then(Iterator::collect);
        assert!(ranges.is_err(), "{length} bytes");
    }
}

/// A column's type and flags, and a cell's text and bytes, length included.
type Captured = (u8, u16, Option<(&'static [u8], &'static [u8])>);

/// What MariaDB 10.11 and MySQL 9.7 both sent for one row, once as text and once in binary.
const EXTREMES: [Captured; 31] = [
    (types::MYSQL_TYPE_TINY, 0, Some((b"-128", b"\x80"))),
    (types::MYSQL_TYPE_TINY, 32, Some((b"255", b"\xff"))),
    (types::MYSQL_TYPE_SHORT, 0, Some((b"-32768", b"\0\x80"))),
    (types::MYSQL_TYPE_INT24, 0, Some((b"-8388608", b"\0\0\x80\xff"))),
    (types::MYSQL_TYPE_INT24, 32, Some((b"16777215", b"\xff\xff\xff\0"))),
    (types::MYSQL_TYPE_LONG, 0, Some((b"-2147483648", b"\0\0\0\x80"))),
    (types::MYSQL_TYPE_LONG, 32, Some((b"4294967295", b"\xff\xff\xff\xff"))),
    (types::MYSQL_TYPE_LONGLONG, 0, Some((b"-9223372036854775808", b"\0\0\0\0\0\0\0\x80"))),
    (types::MYSQL_TYPE_LONGLONG, 32, Some((b"18446744073709551615", b"\xff\xff\xff\xff\xff\xff\xff\xff"))),
    (types::MYSQL_TYPE_FLOAT, 0, Some((b"1.1", b"\xcd\xcc\x8c?"))),
    (types::MYSQL_TYPE_DOUBLE, 0, Some((b"-2.5e-300", b"/0\xb7\xb3\xa7\xc9\xba\x81"))),
    (
        types::MYSQL_TYPE_NEWDECIMAL,
        0,
        Some((
            b"-12345678901234567890123456789012345.000000000000000000000000000001",
            b"C-12345678901234567890123456789012345.000000000000000000000000000001",
        )),
    ),
    (types::MYSQL_TYPE_YEAR, 96, Some((b"2024", b"\xe8\x07"))),
    (types::MYSQL_TYPE_DATE, 128, Some((b"2024-02-29", b"\x04\xe8\x07\x02\x1d"))),
    (
        types::MYSQL_TYPE_DATETIME,
        128,
        Some((b"2024-02-29 12:34:56.000007", b"\x0b\xe8\x07\x02\x1d\x0c\"8\x07\0\0\0")),
    ),
    (types::MYSQL_TYPE_DATETIME, 128, Some((b"2024-02-29 00:00:00", b"\x04\xe8\x07\x02\x1d"))),
    (
        types::MYSQL_TYPE_TIMESTAMP,
        160,
        Some((b"2024-02-29 12:34:56.789", b"\x0b\xe8\x07\x02\x1d\x0c\"8\x08\x0a\x0c\0")),
    ),
    (types::MYSQL_TYPE_TIME, 128, Some((b"-838:59:59.000000", b"\x08\x01\"\0\0\0\x16;;"))),
    (types::MYSQL_TYPE_TIME, 128, Some((b"34:00:01", b"\x08\0\x01\0\0\0\x0a\0\x01"))),
    (types::MYSQL_TYPE_BIT, 32, Some((b"\x02\x03", b"\x02\x02\x03"))),
    (types::MYSQL_TYPE_STRING, 256, Some((b"y", b"\x01y"))),
    (types::MYSQL_TYPE_STRING, 2048, Some((b"p,q", b"\x03p,q"))),
    (types::MYSQL_TYPE_BLOB, 144, Some((b"{\"a\": 1}", b"\x08{\"a\": 1}"))),
    (types::MYSQL_TYPE_STRING, 0, Some((b"abc", b"\x03abc"))),
    (types::MYSQL_TYPE_VAR_STRING, 0, Some((b"v", b"\x01v"))),
    (types::MYSQL_TYPE_VAR_STRING, 128, Some((b"\0b", b"\x02\0b"))),
    (types::MYSQL_TYPE_BLOB, 16, Some((b"text", b"\x04text"))),
    (types::MYSQL_TYPE_BLOB, 144, Some((b"blob", b"\x04blob"))),
    (
        types::MYSQL_TYPE_GEOMETRY,
        144,
        Some((
            b"\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@",
            b"\x19\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@",
        )),
    ),
    (types::MYSQL_TYPE_LONG, 96, Some((b"000042", b"*\0\0\0"))),
    (types::MYSQL_TYPE_FLOAT, 0, Some((b"1.50", b"\0\0\xc0?"))),
];
/// Another row of the same table.
const ZEROS: [Captured; 31] = [
    (types::MYSQL_TYPE_TINY, 0, Some((b"0", b"\0"))),
    (types::MYSQL_TYPE_TINY, 32, Some((b"0", b"\0"))),
    (types::MYSQL_TYPE_SHORT, 0, Some((b"0", b"\0\0"))),
    (types::MYSQL_TYPE_INT24, 0, Some((b"0", b"\0\0\0\0"))),
    (types::MYSQL_TYPE_INT24, 32, Some((b"0", b"\0\0\0\0"))),
    (types::MYSQL_TYPE_LONG, 0, Some((b"0", b"\0\0\0\0"))),
    (types::MYSQL_TYPE_LONG, 32, Some((b"0", b"\0\0\0\0"))),
    (types::MYSQL_TYPE_LONGLONG, 0, Some((b"0", b"\0\0\0\0\0\0\0\0"))),
    (types::MYSQL_TYPE_LONGLONG, 32, Some((b"0", b"\0\0\0\0\0\0\0\0"))),
    (types::MYSQL_TYPE_FLOAT, 0, Some((b"0", b"\0\0\0\0"))),
    (types::MYSQL_TYPE_DOUBLE, 0, Some((b"0", b"\0\0\0\0\0\0\0\0"))),
    (
        types::MYSQL_TYPE_NEWDECIMAL,
        0,
        Some((b"0.000000000000000000000000000000", b" 0.000000000000000000000000000000")),
    ),
    (types::MYSQL_TYPE_YEAR, 96, Some((b"0000", b"\0\0"))),
    (types::MYSQL_TYPE_DATE, 128, Some((b"0000-00-00", b"\0"))),
    (types::MYSQL_TYPE_DATETIME, 128, Some((b"0000-00-00 00:00:00.000000", b"\0"))),
    (types::MYSQL_TYPE_DATETIME, 128, Some((b"2024-01-01 00:00:00", b"\x04\xe8\x07\x01\x01"))),
    (types::MYSQL_TYPE_TIMESTAMP, 160, Some((b"2024-02-29 12:34:56.000", b"\x07\xe8\x07\x02\x1d\x0c\"8"))),
    (types::MYSQL_TYPE_TIME, 128, Some((b"00:00:00.000000", b"\0"))),
    (types::MYSQL_TYPE_TIME, 128, Some((b"-00:00:01", b"\x08\x01\0\0\0\0\0\0\x01"))),
    (types::MYSQL_TYPE_BIT, 32, Some((b"\0\0", b"\x02\0\0"))),
    (types::MYSQL_TYPE_STRING, 256, Some((b"x", b"\x01x"))),
    (types::MYSQL_TYPE_STRING, 2048, Some((b"", b"\0"))),
    (types::MYSQL_TYPE_BLOB, 144, Some((b"[]", b"\x02[]"))),
    (types::MYSQL_TYPE_STRING, 0, Some((b"", b"\0"))),
    (types::MYSQL_TYPE_VAR_STRING, 0, Some((b"", b"\0"))),
    (types::MYSQL_TYPE_VAR_STRING, 128, Some((b"", b"\0"))),
    (types::MYSQL_TYPE_BLOB, 16, Some((b"", b"\0"))),
    (types::MYSQL_TYPE_BLOB, 144, Some((b"", b"\0"))),
    (types::MYSQL_TYPE_GEOMETRY, 144, None),
    (types::MYSQL_TYPE_LONG, 96, Some((b"000000", b"\0\0\0\0"))),
    (types::MYSQL_TYPE_FLOAT, 0, Some((b"0.00", b"\0\0\0\0"))),
];

fn captured_row(bitmap: &[u8], cells: &[Captured]) -> Vec<u8> {
    let bytes = cells.iter().flat_map(|(_, _, cell)| cell.map_or(&b""[..], |(_, bytes)| bytes));
    [0].iter().chain(bitmap).chain(bytes).copied().collect()
}

#[test]
fn text_becomes_the_bytes_that_servers_send() {
    let no_nulls = [0; 5];
    for (bitmap, captured) in [(no_nulls, EXTREMES), ([0, 0, 0, 0x40, 0], ZEROS)] {
        let mut row = BinaryRowBuilder::new(captured.len());
        for (column_type, flags, cell) in captured {
            row.encode_text_cell(column_type, flags, cell.map(|(text, _)| text)).unwrap();
        }
        assert_eq!(row.finish().unwrap(), captured_row(&bitmap, &captured));
    }
}

#[test]
fn servers_rows_come_back_from_bytes_and_from_values() {
    for (bitmap, captured) in [([0; 5], EXTREMES), ([0, 0, 0, 0x40, 0], ZEROS)] {
        let row = captured_row(&bitmap, &captured);
        let column_types = captured.map(|(column_type, ..)| column_type);
        let cells: Result<Vec<_>, _> = cells(&row, column_types).unwrap().collect();
        let mut raw = BinaryRowBuilder::new(captured.len());
        let mut decoded = BinaryRowBuilder::new(captured.len());
        for ((column_type, flags, _), bytes) in captured.into_iter().zip(cells.unwrap()) {
            raw.encode_raw_cell(column_type, bytes).unwrap();
            decoded.encode_cell(column_type, flags, value(column_type, flags, bytes).unwrap()).unwrap();
        }
        assert_eq!(raw.finish().unwrap(), row);
        assert_eq!(decoded.finish().unwrap(), row);
    }
}

#[test]
fn bytes_are_values_of_their_type() {
    let unsigned = ColumnFlags::UNSIGNED_FLAG.bits();
    let cases: [(u8, u16, &[u8], Cell<'_>); 13] = [
        (types::MYSQL_TYPE_TINY, 0, b"\xff", Cell::Int(-1)),
        (types::MYSQL_TYPE_TINY, unsigned, b"\xff", Cell::UInt(255)),
        (types::MYSQL_TYPE_SHORT, 0, b"\xff\xff", Cell::Int(-1)),
        (types::MYSQL_TYPE_YEAR, unsigned, b"\xe8\x07", Cell::UInt(2024)),
        (types::MYSQL_TYPE_INT24, 0, b"\0\0\x80\xff", Cell::Int(-8_388_608)),
        (types::MYSQL_TYPE_LONG, unsigned, b"\xff\xff\xff\xff", Cell::UInt(u32::MAX.into())),
        (types::MYSQL_TYPE_LONGLONG, 0, &[0xff; 8], Cell::Int(-1)),
        (types::MYSQL_TYPE_LONGLONG, unsigned, &[0xff; 8], Cell::UInt(u64::MAX)),
        (types::MYSQL_TYPE_FLOAT, 0, b"\0\0\xc0\x3f", Cell::Float(1.5)),
        (types::MYSQL_TYPE_DOUBLE, 0, b"\0\0\0\0\0\0\xf8\x3f", Cell::Double(1.5)),
        (types::MYSQL_TYPE_NEWDECIMAL, 0, b"1.50", Cell::Bytes(b"1.50")),
        (types::MYSQL_TYPE_BIT, unsigned, b"\x02\x03", Cell::Bytes(b"\x02\x03")),
        (types::MYSQL_TYPE_NULL, 0, b"", Cell::Null),
    ];
    for (column_type, flags, bytes, cell) in cases {
        assert_eq!(value(column_type, flags, Some(bytes)), Ok(cell));
        assert_eq!(value(column_type, flags, None), Ok(Cell::Null));
        if let Width::Fixed(length) = width(column_type) {
            (0..length).for_each(|cut| assert!(value(column_type, flags, Some(&bytes[..cut])).is_err()));
            assert!(value(column_type, flags, Some(&[bytes, b"x"].concat())).is_err());
        }
    }
}

#[test]
fn text_that_does_not_fit_is_refused() {
    let unsigned = ColumnFlags::UNSIGNED_FLAG.bits();
    let cases: [(u8, u16, &[&str]); 13] = [
        (types::MYSQL_TYPE_TINY, 0, &["128", "-129", "", "-", "1.0", " 1", "1e1", "0x1"]),
        (types::MYSQL_TYPE_TINY, unsigned, &["256", "-1"]),
        (types::MYSQL_TYPE_SHORT, 0, &["32768", "-32769"]),
        (types::MYSQL_TYPE_YEAR, unsigned, &["65536", "year"]),
        (types::MYSQL_TYPE_INT24, 0, &["8388608", "-8388609"]),
        (types::MYSQL_TYPE_LONG, unsigned, &["4294967296"]),
        (types::MYSQL_TYPE_LONGLONG, unsigned, &["18446744073709551616", "-1"]),
        (types::MYSQL_TYPE_LONGLONG, 0, &["9223372036854775808", "-9223372036854775809"]),
        (types::MYSQL_TYPE_FLOAT, 0, &["1e39", "inf", "nan", "1.5f"]),
        (types::MYSQL_TYPE_DOUBLE, 0, &["1e309", "-infinity", ""]),
        (types::MYSQL_TYPE_NEWDECIMAL, 0, &["", "-", ".", "1.2.3", "1e3", "--1"]),
        (types::MYSQL_TYPE_DATE, 0, &["2024-02-29 00:00:01", "2024-2-29"]),
        (types::MYSQL_TYPE_NULL, 0, &["", "NULL"]),
    ];
    for (column_type, flags, texts) in cases {
        for text in texts {
            let mut row = BinaryRowBuilder::new(1);
            let refused = row.encode_text_cell(column_type, flags, Some(text.as_bytes()));
            assert!(matches!(refused, Err(WireError::Malformed { .. })), "{column_type:#x} {text:?}");
            // The place is still free.
            row.encode_text_cell(column_type, flags, None).unwrap();
            assert_eq!(row.finish().unwrap(), b"\0\x04");
        }
    }
}

#[test]
fn values_of_other_types_are_refused() {
    let cases = [
        (types::MYSQL_TYPE_TINY, Cell::Int(128)),
        (types::MYSQL_TYPE_TINY, Cell::Double(1.0)),
        (types::MYSQL_TYPE_DOUBLE, Cell::Float(1.0)),
        (types::MYSQL_TYPE_VAR_STRING, Cell::Int(1)),
        (types::MYSQL_TYPE_LONG, Cell::Bytes(b"1234")),
        (types::MYSQL_TYPE_DATE, Cell::Bytes(b"")),
        (types::MYSQL_TYPE_DATE, Cell::Time(Default::default())),
        (types::MYSQL_TYPE_NULL, Cell::Bytes(b"")),
    ];
    for (column_type, cell) in cases {
        assert!(BinaryRowBuilder::new(1).encode_cell(column_type, 0, cell).is_err(), "{cell:?}");
    }
    let mut row = BinaryRowBuilder::new(1);
    assert!(row.encode_raw_cell(types::MYSQL_TYPE_LONG, Some(b"123")).is_err());
    assert!(row.encode_raw_cell(types::MYSQL_TYPE_DATE, Some(&[0; 256])).is_err());
}

#[test]
fn a_row_has_as_many_cells_as_columns() {
    let mut row = BinaryRowBuilder::new(1);
    assert_eq!(row.clone().finish(), Err(WireError::Truncated { what: "binary row" }));
    row.encode_raw_cell(types::MYSQL_TYPE_TINY, None).unwrap();
    assert!(row.encode_raw_cell(types::MYSQL_TYPE_TINY, None).is_err());
    assert_eq!(row.finish().unwrap(), b"\0\x04");
}
