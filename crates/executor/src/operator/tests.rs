//! Operators over rows that have all arrived.

mod aggregates;
mod encodings;
mod merges;
mod rollups;

use serval_planner::primitive::*;
use serval_types::NodeId;
use serval_wire::packet::column_type::*;
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition};

use super::{Operator, Shape, Step};
use crate::error::ExecuteError;
use crate::row::{Encoding, tests};
use crate::stream::Input;

/// A row as tests write it: cells between spaces, `~` for NULL.
type Rows<'a> = &'a [&'a [&'a str]];

fn route(streams: usize, hidden: usize) -> Route {
    let target = Target::new(NodeId(0), None, Vec::new());
    Route { targets: vec![target; streams], replica_safe: true, hidden }
}

fn by(value: ColumnRef) -> SortKey {
    SortKey { value, weight: None, padding: Padding::None, descending: false }
}

fn column(column_type: u8, decimals: u8) -> ColumnDefinition {
    ColumnDefinition { charset: CHARSET_BINARY, decimals, ..ColumnDefinition::new("c", column_type) }
}

fn int() -> ColumnDefinition {
    column(MYSQL_TYPE_LONGLONG, 0)
}

fn cells(row: &str) -> Vec<Option<Vec<u8>>> {
    row.split(' ').map(|cell| (cell != "~").then(|| cell.as_bytes().to_vec())).collect()
}

/// Runs a tree over streams, one list of rows each, as text and in binary, which must make no difference.
fn run(
    root: &Primitive,
    hidden: usize,
    columns: &[ColumnDefinition],
    streams: Rows<'_>,
) -> Result<Vec<String>, ExecuteError> {
    let lists: Vec<Vec<_>> = streams.iter().map(|rows| rows.iter().map(|row| cells(row)).collect()).collect();
    let run = |encoding| run_in(encoding, root, hidden, &mut Input::of_rows(encoding, columns, &lists));
    let (text, binary) = (run(Encoding::Text), run(Encoding::Binary));
    match (&text, &binary) {
        (Ok(text), Ok(binary)) => assert_eq!(text, binary),
        (Err(text), Err(binary)) => assert_eq!(text.to_mysql(), binary.to_mysql()),
        differ => panic!("{differ:?}"),
    }
    text
}

fn run_in(
    encoding: Encoding,
    root: &Primitive,
    hidden: usize,
    input: &mut Input,
) -> Result<Vec<String>, ExecuteError> {
    Ok(rows_in(encoding, root, hidden, input)?.iter().map(|row| text(row)).collect())
}

/// The texts of the rows' cells.
fn rows_in(
    encoding: Encoding,
    root: &Primitive,
    hidden: usize,
    input: &mut Input,
) -> Result<Vec<Vec<Option<Vec<u8>>>>, ExecuteError> {
    for stream in 0..input.len() {
        assert!(input.has_columns(stream)?);
    }
    let shape = Shape { columns: input.columns(), hidden, encoding };
    let (mut operator, shape) = Operator::build(root, shape, &mut None)?;
    let mut out = Vec::new();
    loop {
        match operator.next(input)? {
            Step::Row(row) => out.push(tests::decode(encoding, &shape.columns, &row)),
            Step::End => break,
            Step::Wait(stream) => panic!("waits for {stream}"),
        }
    }
    assert!(matches!(operator.next(input)?, Step::End), "the end is the end");
    Ok(out)
}

fn text(row: &[Option<Vec<u8>>]) -> String {
    let text = |cell: &Option<Vec<u8>>| {
        cell.as_ref().map_or("~".to_owned(), |cell| String::from_utf8(cell.clone()).unwrap())
    };
    row.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn append_takes_streams_in_turn() {
    let root = Primitive::Route(route(3, 0));
    assert_eq!(run(&root, 0, &[int()], &[&["2", "1"], &[], &["3"]]).unwrap(), ["2", "1", "3"]);
}

#[test]
fn limit_skips_and_counts() {
    let limit = |offset, count| {
        Primitive::Limit(Limit {
            input: Box::new(Primitive::Route(route(2, 0))),
            offset,
            count,
            counts_all: false,
        })
    };
    let streams: Rows<'_> = &[&["1", "2"], &["3", "4"]];
    assert_eq!(run(&limit(1, 2), 0, &[int()], streams).unwrap(), ["2", "3"]);
    assert_eq!(run(&limit(3, 9), 0, &[int()], streams).unwrap(), ["4"]);
    assert!(run(&limit(9, 9), 0, &[int()], streams).unwrap().is_empty());
    assert!(run(&limit(0, 0), 0, &[int()], streams).unwrap().is_empty());
}

#[test]
fn cut_drops_cells_and_columns() {
    let root = Primitive::Cut(Cut { input: Box::new(Primitive::Route(route(1, 1))), hidden: 1 });
    assert_eq!(run(&root, 1, &[int(), int(), int()], &[&["1 ~ 3", "4 5 ~"]]).unwrap(), ["1 ~", "4 5"]);
}

fn sort(keep: Option<u64>) -> Primitive {
    let input = Box::new(Primitive::Route(route(2, 0)));
    Primitive::Sort(Sort { input, keys: vec![by(ColumnRef::Visible(0))], keep })
}

#[test]
fn sort_is_stable_and_keeps_what_is_asked_for() {
    let streams: Rows<'_> = &[&["3 a", "1 a", "~ a"], &["1 b", "2 b"]];
    let columns = [int(), column(MYSQL_TYPE_VAR_STRING, 0)];
    assert_eq!(run(&sort(None), 0, &columns, streams).unwrap(), ["~ a", "1 a", "1 b", "2 b", "3 a"]);
    assert_eq!(run(&sort(Some(3)), 0, &columns, streams).unwrap(), ["~ a", "1 a", "1 b"]);
    assert!(run(&sort(Some(0)), 0, &columns, streams).unwrap().is_empty());
}

#[test]
fn sort_fails_past_its_memory_unless_it_keeps_little() {
    let rows: Vec<Vec<_>> = vec![(0..2000).map(|n| cells(&n.to_string())).collect(), Vec::new()];
    let input = || {
        let mut input = Input::of_rows(Encoding::Text, &[int()], &rows);
        input.memory = crate::memory::Memory::new(50_000);
        input
    };
    let error = run_in(Encoding::Text, &sort(None), 0, &mut input()).unwrap_err().to_mysql();
    assert_eq!(error.number, 3170);
    assert!(error.message.contains("50000 bytes"), "{}", error.message);
    assert_eq!(run_in(Encoding::Text, &sort(Some(2)), 0, &mut input()).unwrap(), ["0", "1"]);
}
