//! What is compared of two answers: the rows, in their order where the statement asks for one; the columns' names, types,
//! decimals and character sets; the counts and texts of OK packets; the numbers of errors. The numbers of warnings and the
//! texts of errors are counted where they differ.

use serval_tests::Answer;

use super::outline::{self, Class};

/// The largest relative difference of two sums of floating point numbers that were added up in different order.
const TOLERANCE: f64 = 1e-12;

/// What two answers differ in, `None` for nothing.
pub(super) fn difference(sql: &str, proxy: &Answer, oracle: &Answer) -> Option<String> {
    match (proxy, oracle) {
        (Answer::Refused { number: ours, .. }, Answer::Refused { number: theirs, .. }) if ours == theirs => {
            None
        }
        (
            Answer::Done { affected, insert_id, info, .. },
            Answer::Done { affected: their_affected, insert_id: their_id, info: their_info, .. },
        ) => {
            let same =
                affected == their_affected && insert_id == their_id && counts(info) == counts(their_info);
            (!same).then(|| both(proxy, oracle))
        }
        (
            Answer::Rows { columns, rows, .. },
            Answer::Rows { columns: their_columns, rows: their_rows, .. },
        ) => {
            let differ = if loose(sql) { names_differ } else { columns_differ };
            differ(columns, their_columns).or_else(|| {
                let floats = floats(columns);
                let ordered = outline::ordered(sql);
                (!same_rows(rows, their_rows, ordered, &floats)).then(|| both(proxy, oracle))
            })
        }
        _ => Some(both(proxy, oracle)),
    }
}

/// Whether two answers to an INSERT … SELECT differ in the first generated number alone: before it servers leave gaps, as
/// they guess how many rows are to come.
pub(super) fn only_numbers_differ(sql: &str, proxy: &Answer, oracle: &Answer) -> bool {
    let text = outline::blanked(sql);
    let selects = text.starts_with("insert") && text.contains("select");
    let (
        Answer::Done { affected, insert_id, info, .. },
        Answer::Done { affected: their_affected, insert_id: their_id, info: their_info, .. },
    ) = (proxy, oracle)
    else {
        return false;
    };
    let numbered = *insert_id > 0 && *their_id > 0;
    selects && numbered && affected == their_affected && counts(info) == counts(their_info)
}

/// Whether the answer is one that the one server may give as well: it differs from its answers over other orders of the
/// same rows only where these differ among themselves.
pub(super) fn undetermined(sql: &str, proxy: &Answer, oracle: &Answer, others: &[Answer]) -> bool {
    let (Answer::Rows { columns, rows, .. }, Answer::Rows { columns: their_columns, rows: theirs, .. }) =
        (proxy, oracle)
    else {
        return false;
    };
    if columns_differ(columns, their_columns).is_some() || others.is_empty() {
        return false;
    }
    let floats = floats(columns);
    let ordered = outline::ordered(sql);
    let others: Option<Vec<&Vec<Vec<String>>>> = others
        .iter()
        .map(|answer| match answer {
            Answer::Rows { rows, .. } => Some(rows),
            _ => None,
        })
        .collect();
    let Some(others) = others else { return false };
    if others.iter().any(|other| same_rows(rows, other, ordered, &floats)) {
        return true;
    }
    if others.iter().all(|other| same_rows(theirs, other, ordered, &floats)) {
        return false;
    }
    if rows.len() != theirs.len() {
        return others.iter().any(|other| other.len() != theirs.len());
    }
    !ordered || settled_cells_agree(rows, theirs, &others, &floats)
}

/// Whether each cell on which all answers of the one server agree is the same in ours.
fn settled_cells_agree(
    rows: &[Vec<String>],
    theirs: &[Vec<String>],
    others: &[&Vec<Vec<String>>],
    floats: &[bool],
) -> bool {
    rows.iter().enumerate().all(|(at, row)| {
        row.iter().enumerate().all(|(column, cell)| {
            let float = floats[column];
            let expected = &theirs[at][column];
            let settled = others
                .iter()
                .all(|other| other.get(at).is_some_and(|row| same_cell(&row[column], expected, float)));
            !settled || same_cell(cell, expected, float)
        })
    })
}

fn same_rows(left: &[Vec<String>], right: &[Vec<String>], ordered: bool, floats: &[bool]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let same = |left: &[Vec<String>], right: &[Vec<String>]| {
        left.iter().zip(right).all(|(left, right)| {
            left.iter().zip(right).zip(floats).all(|((left, right), float)| same_cell(left, right, *float))
        })
    };
    if ordered {
        return same(left, right);
    }
    let [mut left, mut right] = [left.to_vec(), right.to_vec()];
    left.sort();
    right.sort();
    same(&left, &right)
}

fn same_cell(left: &str, right: &str, float: bool) -> bool {
    if left == right {
        return true;
    }
    let numbers = (left.parse::<f64>(), right.parse::<f64>());
    match numbers {
        (Ok(left), Ok(right)) if float => (left - right).abs() <= TOLERANCE * left.abs().max(right.abs()),
        _ => false,
    }
}

fn floats(columns: &[String]) -> Vec<bool> {
    columns.iter().map(|column| column.contains("_TYPE_DOUBLE") || column.contains("_TYPE_FLOAT")).collect()
}

fn columns_differ(ours: &[String], theirs: &[String]) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!("{} columns, the oracle has {}", ours.len(), theirs.len()));
    }
    let different = ours.iter().zip(theirs).find(|(ours, theirs)| definition(ours) != definition(theirs));
    different.map(|(ours, theirs)| format!("column definitions\n  proxy:  {ours}\n  oracle: {theirs}"))
}

/// SHOW, whose types are the proxy's own, and EXECUTE, whose parameters are its text's.
fn loose(sql: &str) -> bool {
    outline::class(sql) == Class::Show || outline::blanked(sql).starts_with("execute")
}

fn names_differ(ours: &[String], theirs: &[String]) -> Option<String> {
    (ours.len() != theirs.len()).then(|| format!("{} columns, the oracle has {}", ours.len(), theirs.len()))
}

/// Of a column's definition its name, type, decimals and character set. Texts have no decimals: which number a server says
/// depends on whether its plan has a temporary table.
fn definition(column: &str) -> (&str, &str, &str) {
    let name = column.split("` of ").next().unwrap_or_default();
    let kind = column.rfind(") MYSQL_TYPE").map_or("", |at| &column[at..]);
    let (kind, rest) = kind.split_once(" length ").unwrap_or((kind, ""));
    let rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    let text = kind.ends_with("STRING") || kind.ends_with("BLOB");
    let rest = if text { rest.find("charset ").map_or(rest, |at| &rest[at..]) } else { rest };
    (name, kind, rest.split(" flags ").next().unwrap_or_default())
}

/// The text of an OK packet without its number of warnings.
fn counts(info: &str) -> &str {
    info.split("  Warnings").next().unwrap_or_default()
}

/// Both answers in a few lines each.
pub(super) fn both(proxy: &Answer, oracle: &Answer) -> String {
    format!("  proxy:  {}\n  oracle: {}", shown(proxy), shown(oracle))
}

fn shown(answer: &Answer) -> String {
    const MANY: usize = 8;
    const LONG: usize = 200;
    match answer {
        Answer::Rows { rows, .. } => {
            let mut text = format!("{} rows", rows.len());
            for row in rows.iter().take(MANY) {
                text.push_str("\n    ");
                text.extend(row.join(" | ").chars().take(LONG));
            }
            text
        }
        Answer::Refused { number, message, .. } => format!("error {number}: {message}"),
        other => format!("{other:?}"),
    }
}
