use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use serval_planner::primitive::{ColumnRef, Padding, SortKey};
use serval_wire::packet::column_type::*;
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition, ColumnFlags};

use super::{Key, Order};
use crate::error::ExecuteError;
use crate::operator::Shape;
use crate::row::{Encoding, tests};

fn sort_key(value: ColumnRef, descending: bool) -> SortKey {
    SortKey { value, weight: None, padding: Padding::None, descending }
}

fn key(column: &ColumnDefinition, cell: Option<&[u8]>) -> Result<Key, ExecuteError> {
    key_in(Encoding::Text, column, cell)
}

fn key_in(encoding: Encoding, column: &ColumnDefinition, cell: Option<&[u8]>) -> Result<Key, ExecuteError> {
    let shape = Shape { columns: vec![column.clone()], hidden: 0, encoding };
    let order = Order::new(&[sort_key(ColumnRef::Visible(0), false)], &shape)?;
    of_row(&order, &tests::encode(encoding, &shape.columns, &[cell]))
}

fn of_row(order: &Arc<Order>, row: &[u8]) -> Result<Key, ExecuteError> {
    Ok(Key::new(order, order.parts(&Bytes::copy_from_slice(row))?))
}

/// Checks that cells of a column, given as text, are in strictly ascending order, NULL before all.
#[track_caller]
fn check_ascending(column: &ColumnDefinition, cells: &[&[u8]]) {
    check_ascending_in(Encoding::Text, column, cells);
    check_ascending_in(Encoding::Binary, column, cells);
}

#[track_caller]
fn check_ascending_in(encoding: Encoding, column: &ColumnDefinition, cells: &[&[u8]]) {
    let null = key_in(encoding, column, None).unwrap();
    let keys: Vec<Key> = cells.iter().map(|cell| key_in(encoding, column, Some(cell)).unwrap()).collect();
    for (index, one) in keys.iter().enumerate() {
        assert!(null < *one);
        for (other_index, other) in keys.iter().enumerate() {
            assert_eq!(
                one.cmp(other),
                index.cmp(&other_index),
                "{:?} {:?}",
                cells[index],
                cells[other_index]
            );
        }
    }
}

fn column(column_type: u8) -> ColumnDefinition {
    ColumnDefinition { charset: CHARSET_BINARY, ..ColumnDefinition::new("c", column_type) }
}

#[test]
fn integers_to_the_full_64_bits() {
    let values: [&[u8]; 6] =
        [b"-9223372036854775808", b"-10", b"-9", b"007", b"9223372036854775808", b"18446744073709551615"];
    check_ascending_in(Encoding::Text, &column(MYSQL_TYPE_LONGLONG), &values);
    let (signed, mut unsigned) = (column(MYSQL_TYPE_LONGLONG), column(MYSQL_TYPE_LONGLONG));
    unsigned.flags |= ColumnFlags::UNSIGNED_FLAG.bits();
    check_ascending(&signed, &values[..4]);
    check_ascending(&unsigned, &values[3..]);
    check_ascending(&column(MYSQL_TYPE_YEAR), &[b"0000", b"1901", b"2155"]);
}

#[test]
fn decimals_to_the_last_digit() {
    let (low, high) = (format!("{}.1", "9".repeat(64)), format!("{}.2", "9".repeat(64)));
    check_ascending(
        &column(MYSQL_TYPE_NEWDECIMAL),
        &[b"-10.5", b"-9.5", b"0.00", b"0.01", b"2", b"10", low.as_bytes(), high.as_bytes()],
    );
}

#[test]
fn floats_by_value() {
    check_ascending(&column(MYSQL_TYPE_DOUBLE), &[b"-1e300", b"-1.5", b"0", b"1e-20", b"2", b"10", b"1e20"]);
    let zero = key(&column(MYSQL_TYPE_DOUBLE), Some(b"0")).unwrap();
    assert_eq!(zero, key(&column(MYSQL_TYPE_DOUBLE), Some(b"-0")).unwrap());
}

#[test]
fn times_and_dates() {
    check_ascending(
        &column(MYSQL_TYPE_TIME),
        &[b"-838:59:59", b"-100:00:00", b"-00:00:00.5", b"00:00:00", b"99:59:59", b"100:00:00", b"838:59:59"],
    );
    check_ascending(&column(MYSQL_TYPE_DATE), &[b"0000-00-00", b"1000-01-01", b"2026-00-00", b"2026-11-01"]);
    check_ascending(
        &column(MYSQL_TYPE_DATETIME),
        &[b"0000-00-00 00:00:00.000", b"2026-11-01 09:00:00.000", b"2026-11-01 09:00:00.001"],
    );
}

#[test]
fn bits_and_bytes() {
    check_ascending(&column(MYSQL_TYPE_BIT), &[b"\0\0", b"\x02", b"\0\xff", b"\x01\0"]);
    check_ascending(&column(MYSQL_TYPE_BIT), &[b"9", b"10", b"18446744073709551615"]);
    check_ascending(&column(MYSQL_TYPE_VAR_STRING), &[b"", b"A", b"A\0", b"a", b"\xff"]);
    check_ascending(&column(MYSQL_TYPE_BLOB), &[b"A", b"A ", b"B"]);
}

#[test]
fn what_servers_sort_otherwise_is_refused() {
    let mut members = ColumnDefinition::new("c", MYSQL_TYPE_STRING);
    members.flags |= ColumnFlags::ENUM_FLAG.bits();
    let text = ColumnDefinition::new("c", MYSQL_TYPE_VAR_STRING);
    for column in [members, text, column(MYSQL_TYPE_JSON), column(MYSQL_TYPE_GEOMETRY)] {
        assert_eq!(key(&column, Some(b"x")).unwrap_err().to_mysql().number, 1235);
    }
}

#[test]
fn cells_that_are_not_of_their_type_are_malformed() {
    for (column_type, cell) in
        [(MYSQL_TYPE_LONG, &b"x"[..]), (MYSQL_TYPE_TIME, b"soon"), (MYSQL_TYPE_DOUBLE, b"")]
    {
        assert_eq!(key(&column(column_type), Some(cell)).unwrap_err().to_mysql().number, 1835);
    }
}

/// Compares two rows of (text, hidden weight) by the weight.
fn compare_texts(one: (&str, &[u8]), other: (&str, &[u8]), padding: Padding) -> Ordering {
    let shape = Shape {
        columns: vec![ColumnDefinition::new("s", MYSQL_TYPE_VAR_STRING), column(MYSQL_TYPE_BLOB)],
        hidden: 1,
        encoding: Encoding::Text,
    };
    let by = SortKey {
        value: ColumnRef::Visible(0),
        weight: Some(ColumnRef::Hidden(0)),
        padding,
        descending: false,
    };
    let order = Order::new(&[by], &shape).unwrap();
    let key = |(text, weight): (&str, &[u8])| {
        let mut row = Vec::new();
        serval_wire::text_row::encode([Some(text.as_bytes()), Some(weight)], &mut row);
        of_row(&order, &row).unwrap()
    };
    key(one).cmp(&key(other))
}

#[test]
fn texts_compare_by_weight_with_its_padding() {
    let space = || Padding::Weight(b"\0 ".to_vec());
    assert_eq!(compare_texts(("b", b"\0A"), ("A ", b"\0A\0 "), space()), Ordering::Equal);
    assert_eq!(compare_texts(("b", b"\0A"), ("A ", b"\0A\0 "), Padding::None), Ordering::Less);
    assert_eq!(compare_texts(("z", b"\0A"), ("a", b"\0B"), space()), Ordering::Less);
}

#[test]
fn the_first_key_that_differs_decides() {
    let shape = Shape {
        columns: vec![column(MYSQL_TYPE_LONG), column(MYSQL_TYPE_LONG)],
        hidden: 1,
        encoding: Encoding::Text,
    };
    let keys = [sort_key(ColumnRef::Visible(0), true), sort_key(ColumnRef::Hidden(0), false)];
    let order = Order::new(&keys, &shape).unwrap();
    let key = |one: Option<&[u8]>, two: Option<&[u8]>| {
        let mut row = Vec::new();
        serval_wire::text_row::encode([one, two], &mut row);
        of_row(&order, &row).unwrap()
    };
    assert!(key(Some(b"2"), Some(b"9")) < key(Some(b"1"), Some(b"0")));
    assert!(key(Some(b"1"), Some(b"0")) < key(Some(b"1"), Some(b"1")));
    assert!(key(Some(b"-5"), None) < key(None, None), "NULL comes last in a descending order");
}

#[test]
fn a_row_that_is_too_short_is_malformed() {
    let shape = Shape {
        columns: vec![column(MYSQL_TYPE_LONG), column(MYSQL_TYPE_LONG)],
        hidden: 0,
        encoding: Encoding::Text,
    };
    let order = Order::new(&[sort_key(ColumnRef::Visible(1), false)], &shape).unwrap();
    assert!(of_row(&order, b"\x011").is_err());
    assert!(of_row(&order, b"\x011\x05a").is_err());
    assert!(Order::new(&[sort_key(ColumnRef::Visible(2), false)], &shape).is_err());
}
