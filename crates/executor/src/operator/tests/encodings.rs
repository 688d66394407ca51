//! Binary rows come out of every operator as the text rows of the same values do.

use proptest::collection::vec;
use proptest::prelude::*;
use serval_wire::packet::ColumnFlags;

use super::*;

/// A column and texts of its values, as servers print them.
#[derive(Debug, Clone)]
struct Typed {
    column: ColumnDefinition,
    /// Whether it can hold the sum of a few of its values.
    adds: bool,
    value: BoxedStrategy<String>,
}

fn typed(column: ColumnDefinition, value: impl Strategy<Value = String> + 'static) -> Typed {
    Typed { column, adds: false, value: value.boxed() }
}

fn adding(column: ColumnDefinition, value: impl Strategy<Value = String> + 'static) -> Typed {
    Typed { adds: true, ..typed(column, value) }
}

fn unsigned(column_type: u8) -> ColumnDefinition {
    let column = column(column_type, 0);
    ColumnDefinition { flags: column.flags | ColumnFlags::UNSIGNED_FLAG.bits(), ..column }
}

fn signed(bits: u32) -> BoxedStrategy<String> {
    let half = 1_i128 << (bits - 1);
    (-half..half).prop_map(|value| value.to_string()).boxed()
}

fn fraction() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), (1..1_000_000u32).prop_map(|micros| format!(".{micros:06}"))]
}

fn date() -> impl Strategy<Value = String> {
    (0..10_000u16, 0..13u8, 0..32u8).prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"))
}

fn date_time() -> impl Strategy<Value = String> {
    (date(), 0..24u8, 0..60u8, 0..60u8, fraction()).prop_map(|(date, hour, minute, second, fraction)| {
        format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}")
    })
}

fn time() -> impl Strategy<Value = String> {
    let sign = prop_oneof![Just(""), Just("-")];
    (sign, 0..839u16, 0..60u8, 1..60u8, fraction()).prop_map(|(sign, hours, minutes, seconds, fraction)| {
        format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
    })
}

/// Numbers that FLOAT and DOUBLE hold exactly, and whose sums do not depend on their order.
fn quarters() -> impl Strategy<Value = String> {
    (-4000..4000i32).prop_map(|quarters| (f64::from(quarters) / 4.0).to_string())
}

fn decimals() -> impl Strategy<Value = String> {
    (-1_000_000_000_000i64..1_000_000_000_000, 0..100u8)
        .prop_map(|(whole, part)| format!("{whole}.{part:02}"))
}

fn all_types() -> Vec<Typed> {
    let numbers = |most: u64| (0..=most).prop_map(|value| value.to_string());
    let letters = "[A-z]{0,3}";
    vec![
        typed(column(MYSQL_TYPE_TINY, 0), signed(8)),
        typed(unsigned(MYSQL_TYPE_TINY), numbers(0xff)),
        typed(column(MYSQL_TYPE_SHORT, 0), signed(16)),
        typed(unsigned(MYSQL_TYPE_YEAR), numbers(2155)),
        typed(column(MYSQL_TYPE_INT24, 0), signed(24)),
        typed(unsigned(MYSQL_TYPE_LONG), numbers(0xffff_ffff)),
        typed(int(), signed(64)),
        adding(int(), signed(32)),
        typed(unsigned(MYSQL_TYPE_LONGLONG), numbers(u64::MAX)),
        typed(column(MYSQL_TYPE_FLOAT, 31), quarters()),
        adding(column(MYSQL_TYPE_DOUBLE, 31), quarters()),
        adding(column(MYSQL_TYPE_NEWDECIMAL, 2), decimals()),
        typed(column(MYSQL_TYPE_DATE, 0), date()),
        typed(column(MYSQL_TYPE_DATETIME, 6), date_time()),
        typed(column(MYSQL_TYPE_TIMESTAMP, 6), date_time()),
        typed(column(MYSQL_TYPE_TIME, 6), time()),
        typed(column(MYSQL_TYPE_VAR_STRING, 0), letters),
        typed(column(MYSQL_TYPE_STRING, 0), letters),
        typed(column(MYSQL_TYPE_BLOB, 0), letters),
        typed(column(MYSQL_TYPE_BIT, 0), "[\\x00-\\x03]{2}"),
    ]
}

/// Two columns of any types, and rows of both and their own number in each stream.
#[derive(Debug, Clone)]
struct Case {
    one: Typed,
    two: Typed,
    streams: Streams,
}

type Row = Vec<Option<Vec<u8>>>;

type Streams = Vec<Vec<Row>>;

fn case() -> impl Strategy<Value = Case> {
    let of_type = || prop::sample::select(all_types());
    (of_type(), of_type()).prop_flat_map(|(one, two)| {
        let cell = |of: &Typed| prop::option::weighted(0.9, of.value.clone().prop_map(String::into_bytes));
        let row = (cell(&one), cell(&two)).prop_map(|(one, two)| vec![one, two]);
        vec(vec(row, 0..8), 1..5).prop_map(move |mut streams| {
            for (number, row) in streams.iter_mut().flatten().enumerate() {
                row.push(Some(number.to_string().into_bytes()));
            }
            Case { one: one.clone(), two: two.clone(), streams }
        })
    })
}

/// Runs a tree over both encodings of the same rows.
fn both(root: &Primitive, columns: &[ColumnDefinition], streams: &[Vec<Row>]) -> Vec<Row> {
    let run = |encoding| rows_in(encoding, root, 1, &mut Input::of_rows(encoding, columns, streams)).unwrap();
    let (text, binary) = (run(Encoding::Text), run(Encoding::Binary));
    assert_eq!(text, binary);
    text
}

proptest! {
    #[test]
    fn every_type_merges_alike(Case { one, two, streams } in case(), descending: bool) {
        let columns = [one.column, two.column, column(MYSQL_TYPE_VAR_STRING, 0)];
        let keys = vec![SortKey { descending, ..by(ColumnRef::Visible(0)) }, by(ColumnRef::Visible(1))];
        let sort = |streams, keep| {
            let input = Box::new(Primitive::Route(route(streams, 1)));
            Primitive::Sort(Sort { input, keys: keys.clone(), keep })
        };
        both(&Primitive::Cut(Cut { input: Box::new(sort(streams.len(), Some(3))), hidden: 1 }), &columns, &streams);

        // Each stream in order, as its node would send it.
        let sorted: Streams = streams
            .iter()
            .map(|rows| both(&sort(1, None), &columns, std::slice::from_ref(rows)))
            .collect();
        let merge = Primitive::MergeSort(MergeSort { input: route(sorted.len(), 1), keys: keys.clone() });
        prop_assert_eq!(both(&merge, &columns, &sorted), both(&sort(sorted.len(), None), &columns, &sorted));

        let second = if two.adds { Combine::Sum } else { Combine::Max { weight: None } };
        let combines = vec![Combine::First, second, Combine::Min { weight: None }];
        let keys = keys[..1].to_vec();
        both(&Primitive::Aggregate(Aggregate { input: Box::new(merge), keys, columns: combines }), &columns, &sorted);
    }
}

#[test]
fn a_double_with_fixed_decimals_keeps_its_bits() {
    let columns = [column(MYSQL_TYPE_DOUBLE, 2)];
    let input = Box::new(Primitive::Route(route(2, 0)));
    let root = Primitive::Aggregate(Aggregate { input, keys: Vec::new(), columns: vec![Combine::Sum] });
    let streams = [vec![cells("0.125")], vec![cells("0.25")]];
    let mut input = Input::of_rows(Encoding::Binary, &columns, &streams);
    assert!(input.has_columns(0).unwrap() && input.has_columns(1).unwrap());
    let shape = Shape { columns: input.columns(), hidden: 0, encoding: Encoding::Binary };
    let (mut operator, _) = Operator::build(&root, shape, &mut None).unwrap();
    let Step::Row(row) = operator.next(&mut input).unwrap() else { panic!("no row") };
    assert_eq!(row[2..], 0.375f64.to_le_bytes());
}
