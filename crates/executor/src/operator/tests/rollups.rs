use super::*;

/// Two keys, and a number that is added up.
fn rollup(streams: usize, totals_nothing: bool) -> Primitive {
    let keys = vec![by(ColumnRef::Visible(0)), by(ColumnRef::Visible(1))];
    let columns = vec![Combine::First, Combine::First, Combine::Sum];
    let merged = Primitive::MergeSort(MergeSort { input: route(streams, 0), keys: keys.clone() });
    let (input, groups) = (Box::new(merged), columns.clone());
    let input = Primitive::Aggregate(Aggregate { input, keys: keys.clone(), columns: groups });
    let shown = vec![Some(ColumnRef::Visible(0)), Some(ColumnRef::Visible(1))];
    Primitive::Rollup(Rollup { input: Box::new(input), keys, shown, columns, totals_nothing })
}

fn rolled(totals_nothing: bool, streams: Rows<'_>) -> Vec<String> {
    run(&rollup(streams.len(), totals_nothing), 0, &[int(), int(), int()], streams).unwrap()
}

#[test]
fn rows_for_many_groups_stand_behind_them() {
    let streams: Rows<'_> = &[&["1 1 5", "1 2 1", "3 1 1"], &["1 1 2", "2 1 7"]];
    let rows = ["1 1 7", "1 2 1", "1 ~ 8", "2 1 7", "2 ~ 7", "3 1 1", "3 ~ 1", "~ ~ 16"];
    assert_eq!(rolled(false, streams), rows);
    assert_eq!(rolled(true, streams), rows);
}

/// The group of NULL is one like others, and what sums it up looks the same.
#[test]
fn null_is_a_value_of_a_key() {
    assert_eq!(
        rolled(false, &[&["~ ~ 1", "~ 1 ~", "1 ~ 4"]]),
        ["~ ~ 1", "~ 1 ~", "~ ~ 1", "1 ~ 4", "1 ~ 4", "~ ~ 5"]
    );
    assert_eq!(rolled(false, &[&["1 1 ~"], &["1 2 ~"]]), ["1 1 ~", "1 2 ~", "1 ~ ~", "~ ~ ~"]);
}

#[test]
fn without_groups_the_total_is_there_where_servers_have_it() {
    assert!(rolled(false, &[&[], &[]]).is_empty());
    assert_eq!(rolled(true, &[&[], &[]]), ["~ ~ 0"]);
}
