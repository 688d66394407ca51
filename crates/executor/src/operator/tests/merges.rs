use proptest::prelude::*;

use super::*;

fn merge(streams: usize, hidden: usize, keys: Vec<SortKey>) -> Primitive {
    Primitive::MergeSort(MergeSort { input: route(streams, hidden), keys })
}

#[test]
fn streams_become_one_in_order() {
    let root = merge(3, 0, vec![by(ColumnRef::Visible(0))]);
    let merged = run(&root, 0, &[int()], &[&["~", "1", "9"], &[], &["-5", "2", "10"]]).unwrap();
    assert_eq!(merged, ["~", "-5", "1", "2", "9", "10"]);
    assert!(run(&root, 0, &[int()], &[&[], &[], &[]]).unwrap().is_empty());
}

#[test]
fn equal_rows_keep_the_order_of_their_targets() {
    let root = merge(2, 0, vec![by(ColumnRef::Visible(0))]);
    let columns = [int(), column(MYSQL_TYPE_VAR_STRING, 0)];
    let merged = run(&root, 0, &columns, &[&["1 a", "1 b", "2 a"], &["1 c", "2 c"]]).unwrap();
    assert_eq!(merged, ["1 a", "1 b", "1 c", "2 a", "2 c"]);
}

#[test]
fn descending_decimals_of_65_digits() {
    let nines = "9".repeat(64);
    let (low, high) = (format!("{nines}8"), format!("{nines}9"));
    let key = SortKey { descending: true, ..by(ColumnRef::Visible(0)) };
    let streams: Rows<'_> = &[&[&high, "-1"], &[&low, "0", "~"]];
    let merged = run(&merge(2, 0, vec![key]), 0, &[column(MYSQL_TYPE_NEWDECIMAL, 0)], streams).unwrap();
    assert_eq!(merged, [&*high, &*low, "0", "-1", "~"]);
}

#[test]
fn texts_merge_by_their_hidden_weight() {
    let key = SortKey {
        weight: Some(ColumnRef::Hidden(0)),
        padding: Padding::Weight(b"_".to_vec()),
        ..by(ColumnRef::Visible(0))
    };
    let text = ColumnDefinition::new("s", MYSQL_TYPE_VAR_STRING);
    let root = Primitive::Cut(Cut { input: Box::new(merge(2, 1, vec![key])), hidden: 1 });
    let streams: Rows<'_> = &[&["a A", "C C"], &["A A__", "b B"]];
    let merged = run(&root, 1, &[text, column(MYSQL_TYPE_BLOB, 0)], streams).unwrap();
    assert_eq!(merged, ["a", "A", "b", "C"]);
}

#[test]
fn a_row_of_the_wrong_width_is_an_error() {
    let root = merge(2, 0, vec![by(ColumnRef::Visible(1))]);
    let rows = [vec![cells("1 1")], vec![cells("2")]];
    let mut input = Input::of_rows(Encoding::Text, &[int(), int()], &rows);
    let error = run_in(Encoding::Text, &root, 0, &mut input).unwrap_err();
    assert_eq!(error.to_mysql().number, 1835);
}

proptest! {
    /// Merging sorted lists gives the sorted whole, and equal rows stay in the order of their lists.
    #[test]
    fn merging_sorted_lists_sorts_their_concatenation(
        lists in prop::collection::vec(prop::collection::vec(prop::option::of(-5i64..5), 0..12), 1..7),
        descending: bool,
    ) {
        let key = SortKey { descending, ..by(ColumnRef::Visible(0)) };
        let order = |one: &Option<i64>, other: &Option<i64>| if descending { other.cmp(one) } else { one.cmp(other) };
        let mut whole = Vec::new();
        let mut streams = Vec::new();
        for (stream, mut list) in lists.into_iter().enumerate() {
            list.sort_by(order);
            let list = list.into_iter().enumerate().map(|(place, value)| (value, format!("{stream}.{place}")));
            let list: Vec<_> = list.collect();
            let cell = |value: Option<i64>| value.map(|value| value.to_string().into_bytes());
            let rows = list.iter().map(|(value, tag)| vec![cell(*value), Some(tag.clone().into_bytes())]);
            streams.push(rows.collect::<Vec<_>>());
            whole.extend(list);
        }
        whole.sort_by(|(one, _), (other, _)| order(one, other));
        let expected: Vec<String> = whole
            .into_iter()
            .map(|(value, tag)| format!("{} {tag}", value.map_or("~".to_owned(), |value| value.to_string())))
            .collect();
        let columns = [int(), column(MYSQL_TYPE_VAR_STRING, 0)];
        for encoding in [Encoding::Text, Encoding::Binary] {
            let mut input = Input::of_rows(encoding, &columns, &streams);
            let merged = run_in(encoding, &merge(streams.len(), 0, vec![key.clone()]), 0, &mut input).unwrap();
            prop_assert_eq!(&merged, &expected);
        }
    }
}
