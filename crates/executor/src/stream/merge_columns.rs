//! The columns of streams that are to be one.

use serval_wire::packet::column_type::{MYSQL_TYPE_LONGLONG, MYSQL_TYPE_VAR_STRING};
use serval_wire::packet::{ColumnDefinition, ColumnFlags, column_type};

use super::integers::is_integer;

use crate::error::ExecuteError;

/// What decides how a value is written and compared. Keys and NOT NULL may differ between nodes, and the client
/// sees those of the first; so may BINARY, which says nothing that the collation does not, and which servers leave out
/// where a join of a table with one row or none needs no temporary table.
const TYPE_FLAGS: ColumnFlags = ColumnFlags::UNSIGNED_FLAG
    .with(ColumnFlags::ZEROFILL_FLAG)
    .with(ColumnFlags::ENUM_FLAG)
    .with(ColumnFlags::SET_FLAG);

/// A node with the columns it sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) node: &'a str,
    pub(super) columns: &'a [ColumnDefinition],
}

/// Checks that the columns of two nodes have the same types.
pub(super) fn check(one: Sent<'_>, other: Sent<'_>) -> Result<(), ExecuteError> {
    if one.columns.len() != other.columns.len() {
        let counted = |sent: Sent<'_>| format!("one of {} columns", sent.columns.len());
        return Err(differ("*", (one.node, counted(one)), (other.node, counted(other))));
    }
    for (left, right) in one.columns.iter().zip(other.columns) {
        if type_of(left, right) != type_of(right, left) {
            let name = String::from_utf8_lossy(&left.name);
            return Err(differ(
                &name,
                (one.node, describe(left, right)),
                (other.node, describe(right, left)),
            ));
        }
    }
    Ok(())
}

/// Makes each length the larger of the two, and each text as long as it then may be.
pub(super) fn widen(columns: &mut [ColumnDefinition], others: &[ColumnDefinition]) {
    for (column, other) in columns.iter_mut().zip(others) {
        if other.length > column.length {
            column.length = other.length;
            if !is_integer(column) {
                column.column_type = other.column_type;
            }
        }
    }
}

fn type_of(column: &ColumnDefinition, other: &ColumnDefinition) -> (u8, u16, u8, u16) {
    let mut flags = ColumnFlags::from_bits(column.flags).intersection(TYPE_FLAGS);
    // A year has four digits whatever the flag says, and of a computed one servers leave it out as it comes.
    if column.column_type == column_type::MYSQL_TYPE_YEAR {
        flags = ColumnFlags::from_bits(flags.bits() & !ColumnFlags::ZEROFILL_FLAG.bits());
    }
    // Of a string they say nothing, and servers give 0 or 39 as it comes from a row or a temporary table.
    let decimals = if column_type::is_string(column.column_type) { 0 } else { column.decimals };
    let computed = |is_kind: fn(&ColumnDefinition) -> bool| {
        [column, other].iter().all(|column| is_kind(column) && column.org_table.is_empty())
    };
    let mut kind = kind_of(column);
    // How wide a computed integer is depends on whether it went through a temporary table, as its text's length does.
    if computed(is_integer) {
        kind = MYSQL_TYPE_LONGLONG;
    }
    // So does whether MIN or MAX of an ENUM is announced as one.
    if computed(is_text) {
        kind = MYSQL_TYPE_VAR_STRING;
        flags = flags.intersection(ColumnFlags::UNSIGNED_FLAG.with(ColumnFlags::ZEROFILL_FLAG));
    }
    (kind, column.charset, decimals, flags.bits())
}

fn is_text(column: &ColumnDefinition) -> bool {
    column_type::is_string(column.column_type)
}

/// The type. The sizes of text are one: that of a computed one depends on whether it went through a temporary table,
/// and so on each node's plan. They are written and compared alike.
fn kind_of(column: &ColumnDefinition) -> u8 {
    use column_type::{MYSQL_TYPE_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_TINY_BLOB};
    match column.column_type {
        MYSQL_TYPE_TINY_BLOB | MYSQL_TYPE_MEDIUM_BLOB | MYSQL_TYPE_LONG_BLOB | MYSQL_TYPE_BLOB => {
            MYSQL_TYPE_VAR_STRING
        }
        other => other,
    }
}

fn describe(column: &ColumnDefinition, other: &ColumnDefinition) -> String {
    let (column_type, charset, decimals, flags) = type_of(column, other);
    format!("type {column_type}, collation {charset}, {decimals} decimals, flags {flags}")
}

fn differ(column: &str, one: (&str, String), other: (&str, String)) -> ExecuteError {
    ExecuteError::Definitions {
        column: column.to_owned(),
        one: one.0.to_owned(),
        one_type: one.1,
        other: other.0.to_owned(),
        other_type: other.1,
    }
}

#[cfg(test)]
mod tests {
    use serval_wire::packet::column_type::*;

    use super::*;

    fn compare(one: &[ColumnDefinition], other: &[ColumnDefinition]) -> Option<u16> {
        let one = Sent { node: "dn0", columns: one };
        check(one, Sent { node: "dn1", columns: other }).err().map(|error| error.to_mysql().number)
    }

    #[test]
    fn types_must_agree_and_lengths_grow() {
        let mut int = [ColumnDefinition::new("a", MYSQL_TYPE_LONG)];
        let mut long = int.clone();
        long[0].length = 99;
        long[0].flags |= ColumnFlags::NOT_NULL_FLAG.bits();
        assert_eq!(compare(&int, &long), None);
        widen(&mut int, &long);
        assert_eq!(int[0].length, 99);
    }

    #[test]
    fn how_wide_a_computed_integer_is_depends_on_the_plan() {
        let mut int = [ColumnDefinition::new("a", MYSQL_TYPE_LONG)];
        let mut big = [ColumnDefinition::new("a", MYSQL_TYPE_LONGLONG)];
        big[0].length = int[0].length + 1;
        assert_eq!(compare(&int, &big), None);
        widen(&mut int, &big);
        assert_eq!((int[0].column_type, int[0].length), (MYSQL_TYPE_LONG, big[0].length));
    }

    #[test]
    fn how_long_a_text_may_be_is_each_nodes_own_affair() {
        let mut one = [ColumnDefinition::new("a", MYSQL_TYPE_BLOB)];
        let mut other = [ColumnDefinition::new("a", MYSQL_TYPE_MEDIUM_BLOB)];
        other[0].length = one[0].length + 1;
        assert_eq!(compare(&one, &other), None);
        widen(&mut one, &other);
        assert_eq!(one[0].column_type, MYSQL_TYPE_MEDIUM_BLOB);
        other[0].charset = 63;
        one[0].charset = 45;
        assert_eq!(compare(&one, &other), Some(1412));
    }

    #[test]
    fn whether_a_computed_member_is_announced_as_one_depends_on_the_plan() {
        let mut member = [ColumnDefinition::new("MIN(a)", MYSQL_TYPE_STRING)];
        member[0].flags |= ColumnFlags::ENUM_FLAG.bits();
        let mut text = [ColumnDefinition::new("MIN(a)", MYSQL_TYPE_VAR_STRING)];
        assert_eq!(compare(&member, &text), None);
        assert_eq!(compare(&text, &member), None);
        for column in [&mut member, &mut text] {
            column[0].org_table = "t".into();
        }
        assert_eq!(compare(&member, &text), Some(1412));
    }

    #[test]
    fn decimals_of_a_string_say_nothing() {
        let text = [ColumnDefinition::new("a", MYSQL_TYPE_VAR_STRING)];
        let number = [ColumnDefinition::new("a", MYSQL_TYPE_NEWDECIMAL)];
        let scaled = |columns: &[ColumnDefinition; 1]| {
            let mut scaled = columns.clone();
            scaled[0].decimals = 39;
            scaled
        };
        assert_eq!(compare(&text, &scaled(&text)), None);
        assert_eq!(compare(&number, &scaled(&number)), Some(1412));
    }

    #[test]
    fn what_differs_is_1412() {
        let int = [ColumnDefinition::new("a", MYSQL_TYPE_LONG)];
        let big = [ColumnDefinition::new("a", MYSQL_TYPE_LONGLONG)];
        let mut unsigned = int.clone();
        unsigned[0].flags |= ColumnFlags::UNSIGNED_FLAG.bits();
        let mut scaled = int.clone();
        scaled[0].decimals = 2;
        for other in [&unsigned[..], &scaled, &[]] {
            assert_eq!(compare(&int, other), Some(1412));
        }
        let [int, big] = [&int, &big].map(|columns| {
            let mut columns = columns.clone();
            columns[0].org_table = "t".into();
            columns
        });
        assert_eq!(compare(&int, &big), Some(1412));
    }
}
