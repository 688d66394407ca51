use super::*;

fn aggregate(streams: usize, hidden: usize, keys: Vec<SortKey>, columns: Vec<Combine>) -> Primitive {
    let input = if keys.is_empty() {
        Primitive::Route(route(streams, hidden))
    } else {
        Primitive::MergeSort(MergeSort { input: route(streams, hidden), keys: keys.clone() })
    };
    Primitive::Aggregate(Aggregate { input: Box::new(input), keys, columns })
}

fn decimal(scale: u8) -> ColumnDefinition {
    column(MYSQL_TYPE_NEWDECIMAL, scale)
}

#[track_caller]
fn check_sum(column: ColumnDefinition, streams: Rows<'_>, expected: &str) {
    let root = aggregate(streams.len(), 0, Vec::new(), vec![Combine::Sum]);
    assert_eq!(run(&root, 0, &[column], streams).unwrap(), [expected]);
}

#[test]
fn sums_are_exact() {
    check_sum(int(), &[&["9223372036854775000"], &["807"]], "9223372036854775807");
    check_sum(decimal(2), &[&["0.10"], &["0.20"], &["~"]], "0.30");
    check_sum(decimal(2), &[&["-0.10"], &["0.10"]], "0.00");
    check_sum(
        decimal(30),
        &[&["0.000000000000000000000000000001"], &["0.000000000000000000000000000002"]],
        "0.000000000000000000000000000003",
    );
    let (big, bigger) = (format!("{}0", "4".repeat(64)), format!("{}1", "8".repeat(64)));
    check_sum(decimal(0), &[&[&big], &[&format!("{}1", "4".repeat(64))]], &bigger);
    check_sum(column(MYSQL_TYPE_DOUBLE, 31), &[&["0.1"], &["0.2"]], "0.30000000000000004");
    check_sum(column(MYSQL_TYPE_DOUBLE, 31), &[&["1e20"], &["~"]], "1e20");
    check_sum(column(MYSQL_TYPE_DOUBLE, 2), &[&["1.50"], &["2.25"]], "3.75");
}

#[test]
fn nulls_are_skipped_and_only_nulls_are_null() {
    check_sum(int(), &[&["~"], &["~"]], "~");
    check_sum(int(), &[&["~"], &["5"]], "5");
    check_sum(int(), &[&["0"], &["0"]], "0");
}

#[test]
fn sums_that_no_column_holds_are_errors() {
    let root = aggregate(2, 0, Vec::new(), vec![Combine::Sum]);
    let error = run(&root, 0, &[int()], &[&["9223372036854775807"], &["1"]]).unwrap_err();
    assert_eq!(error.to_mysql().number, 1690);
    let text = ColumnDefinition::new("s", MYSQL_TYPE_VAR_STRING);
    assert_eq!(run(&root, 0, &[text], &[&["a"], &["b"]]).unwrap_err().to_mysql().number, 1235);
}

/// 65 digits are the most that a DECIMAL stores, not the most that servers add up.
#[test]
fn a_sum_without_groups_has_up_to_81_digits() {
    let column = || ColumnDefinition::new("d", MYSQL_TYPE_NEWDECIMAL);
    let (nines, sum) = ("9".repeat(65), format!("1{}8", "9".repeat(64)));
    let cells: Rows<'_> = &[&[&nines], &[&nines]];
    let whole = aggregate(2, 0, Vec::new(), vec![Combine::Sum]);
    assert_eq!(run(&whole, 0, &[column()], cells).unwrap(), [sum]);
    let many = "9".repeat(81);
    assert_eq!(run(&whole, 0, &[column()], &[&[&many], &["1"]]).unwrap_err().to_mysql().number, 1690);
}

/// What a node may have cut to 65 nines.
#[test]
fn a_part_that_a_server_may_have_cut_is_at_least_so_much() {
    let (nines, more) = (format!("1 {}", "9".repeat(65)), format!("1 1{}", "0".repeat(65)));
    let grouped = aggregate(2, 0, vec![by(ColumnRef::Visible(0))], vec![Combine::First, Combine::Sum]);
    let of = |streams: Rows<'_>| run(&grouped, 0, &[int(), decimal(0)], streams);
    assert_eq!(of(&[&[&nines], &["1 ~"]]).unwrap(), [&*nines]);
    assert_eq!(of(&[&[&nines], &["1 -1"]]).unwrap_err().to_mysql().number, 1690);
    assert_eq!(of(&[&[&nines], &["1 1"]]).unwrap(), [&*nines]);
    assert_eq!(of(&[&[&nines], &[&nines]]).unwrap(), [&*nines]);
    assert_eq!(of(&[&[&nines], &["1 0"]]).unwrap(), [&*nines]);
    assert_eq!(of(&[&[&nines[..nines.len() - 1], "2 1"], &[&more]]).unwrap()[0].len(), 2 + 66);
    assert_eq!(of(&[&["1 ~", "2 1"], &[&nines, "2 1"]]).unwrap(), [nines.clone(), "2 2".to_owned()]);
}

#[test]
fn groups_combine_across_streams() {
    let root = aggregate(2, 0, vec![by(ColumnRef::Visible(0))], vec![Combine::First, Combine::Sum]);
    let streams: Rows<'_> = &[&["~ 1", "1 2", "3 1"], &["~ 5", "2 7", "3 1"]];
    assert_eq!(run(&root, 0, &[int(), int()], streams).unwrap(), ["~ 6", "1 2", "2 7", "3 2"]);
    assert!(run(&root, 0, &[int(), int()], &[&[], &[]]).unwrap().is_empty());
}

#[test]
fn least_and_greatest_skip_nulls() {
    let columns = vec![Combine::Min { weight: None }, Combine::Max { weight: None }];
    let root = aggregate(3, 0, Vec::new(), columns);
    let streams: Rows<'_> = &[&["~ ~"], &["10 10"], &["9 9"]];
    assert_eq!(run(&root, 0, &[int(), int()], streams).unwrap(), ["9 10"]);
    assert_eq!(run(&root, 0, &[decimal(1), decimal(1)], &[&["~ ~"], &["~ ~"], &["~ ~"]]).unwrap(), ["~ ~"]);
}

#[test]
fn least_text_is_by_its_weight() {
    let columns = vec![Combine::Min { weight: Some(ColumnRef::Hidden(0)) }, Combine::First];
    let root = Primitive::Cut(Cut { input: Box::new(aggregate(3, 1, Vec::new(), columns)), hidden: 1 });
    let text = ColumnDefinition::new("s", MYSQL_TYPE_VAR_STRING);
    let streams: Rows<'_> = &[&["B 2"], &["a 1"], &["c 3"]];
    assert_eq!(run(&root, 1, &[text, column(MYSQL_TYPE_BLOB, 0)], streams).unwrap(), ["a"]);
}

#[test]
fn a_sort_by_the_least_text_sorts_by_the_weight_of_the_chosen() {
    let columns = vec![Combine::First, Combine::Min { weight: Some(ColumnRef::Hidden(0)) }, Combine::First];
    let input = Box::new(aggregate(2, 1, vec![by(ColumnRef::Visible(0))], columns));
    let key = SortKey { weight: Some(ColumnRef::Hidden(0)), ..by(ColumnRef::Visible(1)) };
    let root = Primitive::Sort(Sort { input, keys: vec![key], keep: None });
    let text = ColumnDefinition::new("s", MYSQL_TYPE_VAR_STRING);
    let streams: Rows<'_> = &[&["1 z 9", "2 m 5"], &["1 a 1", "3 ~ ~"]];
    let sorted = run(&root, 1, &[int(), text, column(MYSQL_TYPE_BLOB, 0)], streams).unwrap();
    assert_eq!(sorted, ["3 ~ ~", "1 a 1", "2 m 5"]);
}

/// Visible: the average. Hidden: the sum and the count.
fn average(average: ColumnDefinition, sum: ColumnDefinition, streams: Rows<'_>) -> String {
    let columns = vec![
        Combine::Average { sum: ColumnRef::Hidden(0), count: ColumnRef::Hidden(1) },
        Combine::Sum,
        Combine::Sum,
    ];
    let input = aggregate(streams.len(), 2, Vec::new(), columns);
    let root = Primitive::Cut(Cut { input: Box::new(input), hidden: 2 });
    run(&root, 2, &[average, sum, int()], streams).unwrap().remove(0)
}

#[test]
fn averages_divide_whole_sums() {
    assert_eq!(average(decimal(4), decimal(0), &[&["1.0000 1 1"], &["3.0000 6 2"]]), "2.3333");
    assert_eq!(average(decimal(4), decimal(0), &[&["~ ~ 0"], &["3.0000 6 2"]]), "3.0000");
    assert_eq!(average(decimal(4), decimal(0), &[&["~ ~ 0"], &["~ ~ 0"]]), "~");
    assert_eq!(average(decimal(5), decimal(1), &[&["0.00000 -0.1 3"], &["0.00000 0.0 3"]]), "-0.01667");
    let double = || column(MYSQL_TYPE_DOUBLE, 31);
    assert_eq!(average(decimal(9), decimal(0), &[&["0.1 8 2"], &["0.1 9 1"]]), "5.666666666");
    assert_eq!(average(double(), double(), &[&["1 1 2"], &["1 2 2"]]), "0.75");
}
