//! The types of an engine's rows: those that it tells, as far as the values agree.

use serval_catalog::TableDefinition;
use serval_sql::LexOptions;
use serval_wire::packet::column_type::{
    MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT, MYSQL_TYPE_INT24,
    MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_SHORT, MYSQL_TYPE_TIMESTAMP,
    MYSQL_TYPE_TINY,
};
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition, text_row};

use crate::failure::{Failure, refused};
use crate::literal::identifier;

/// More characters are kept in a LONGTEXT.
const LONGEST: usize = 4000;
/// The digits that a DECIMAL has at most, and behind the point.
const DIGITS: (usize, usize) = (65, 30);

/// What the values of a column have in common.
struct Seen {
    signed: bool,
    unsigned: bool,
    number: bool,
    utf8: bool,
    date: bool,
    moment: bool,
    characters: usize,
    bytes: usize,
    /// Digits before the point and behind it, where all are plain decimals.
    decimal: Option<(usize, usize)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            signed: true,
            unsigned: true,
            number: true,
            utf8: true,
            date: true,
            moment: true,
            characters: 1,
            bytes: 1,
            decimal: Some((1, 0)),
        }
    }
}

/// The definition of a table that holds these rows.
pub(super) fn definition(
    name: &str,
    columns: &[ColumnDefinition],
    rows: &[Vec<u8>],
) -> Result<TableDefinition, Failure> {
    let mut seen: Vec<Seen> = columns.iter().map(|_| Seen::default()).collect();
    for row in rows {
        for (seen, cell) in seen.iter_mut().zip(text_row::cells(row)) {
            if let Ok(Some(cell)) = cell {
                seen.note(cell);
            }
        }
    }
    let mut names: Vec<String> = Vec::new();
    let mut texts = Vec::new();
    for (column, seen) in columns.iter().zip(&seen) {
        let name = String::from_utf8_lossy(&column.name).into_owned();
        if name.is_empty() || names.contains(&name.to_lowercase()) {
            return Err(refused(format!(
                "The engine's rows have no column name or the same twice ('{name}'); give each column a name with AS"
            )));
        }
        names.push(name.to_lowercase());
        texts.push(format!("{} {} NULL", identifier(&name), declared(column, seen)));
    }
    let text = format!("CREATE TABLE {} ({})", identifier(name), texts.join(", "));
    serval_sql::create_table::parse(&text, LexOptions::default())
        .map_err(|error| refused(format!("The engine's columns are not understood: {error}")))
}

fn declared(column: &ColumnDefinition, seen: &Seen) -> String {
    match column.column_type {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
            if seen.signed =>
        {
            "BIGINT".to_owned()
        }
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
            if seen.unsigned =>
        {
            "BIGINT UNSIGNED".to_owned()
        }
        MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE if seen.number => "DOUBLE".to_owned(),
        MYSQL_TYPE_NEWDECIMAL => match seen.decimal {
            Some((whole, part)) if whole + part <= DIGITS.0 && part <= DIGITS.1 => {
                format!("DECIMAL({}, {part})", whole + part)
            }
            _ => text(column, seen),
        },
        MYSQL_TYPE_DATE if seen.date => "DATE".to_owned(),
        MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP if seen.moment => "DATETIME(6)".to_owned(),
        _ => text(column, seen),
    }
}

/// A string, of bytes where the engine says so or they are no text.
fn text(column: &ColumnDefinition, seen: &Seen) -> String {
    let of_numbers = !serval_wire::packet::column_type::is_string(column.column_type);
    let binary = !seen.utf8 || column.charset == CHARSET_BINARY && !of_numbers;
    match (binary, seen.characters, seen.bytes) {
        (true, _, bytes) if bytes <= LONGEST => format!("VARBINARY({bytes})"),
        (true, ..) => "LONGBLOB".to_owned(),
        (false, characters, _) if characters <= LONGEST => {
            format!("VARCHAR({characters}) CHARACTER SET utf8mb4")
        }
        (false, ..) => "LONGTEXT CHARACTER SET utf8mb4".to_owned(),
    }
}

impl Seen {
    fn note(&mut self, cell: &[u8]) {
        self.bytes = self.bytes.max(cell.len());
        let Ok(text) = std::str::from_utf8(cell) else {
            self.utf8 = false;
            (self.signed, self.unsigned, self.number) = (false, false, false);
            (self.date, self.moment, self.decimal) = (false, false, None);
            return;
        };
        self.characters = self.characters.max(text.chars().count());
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let bare = text.strip_prefix('-').unwrap_or(text);
        self.signed &= digits(bare) && text.parse::<i64>().is_ok();
        self.unsigned &= digits(text) && text.parse::<u64>().is_ok();
        self.number &= bare.starts_with(|first: char| first.is_ascii_digit())
            && text.parse::<f64>().is_ok_and(f64::is_finite);
        let (whole, part) = bare.split_once('.').unwrap_or((bare, ""));
        let is_decimal = digits(whole) && (part.is_empty() || digits(part)) && !bare.ends_with('.');
        self.decimal = self
            .decimal
            .filter(|_| is_decimal)
            .map(|(most, behind)| (most.max(whole.len()), behind.max(part.len())));
        self.date &= is_like(text, "0000-00-00");
        let (moment, fraction) = text.split_once('.').unwrap_or((text, "0"));
        self.moment &= is_like(moment, "0000-00-00 00:00:00") && digits(fraction) && fraction.len() <= 6;
    }
}

/// Whether a text has digits where the pattern has zeros, and elsewhere what it has.
fn is_like(text: &str, pattern: &str) -> bool {
    let fits = |(one, other): (u8, u8)| if other == b'0' { one.is_ascii_digit() } else { one == other };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(column_type: u8, cells: &[&str], expect: &str) {
        let column = ColumnDefinition::new("c", column_type);
        let rows: Vec<Vec<u8>> = cells
            .iter()
            .map(|cell| {
                let mut row = Vec::new();
                text_row::push_cell(&mut row, Some(cell.as_bytes()));
                row
            })
            .collect();
        let definition = definition("t", &[column], &rows).unwrap();
        assert_eq!(definition.columns[0].declared, expect, "{cells:?}");
    }

    #[test]
    fn types_are_what_the_values_allow() {
        check(MYSQL_TYPE_LONG, &["1", "-2"], "BIGINT");
        check(MYSQL_TYPE_LONG, &["18446744073709551615"], "BIGINT UNSIGNED");
        // What would otherwise stand as it is in an INSERT.
        check(MYSQL_TYPE_LONG, &["1), (2"], "VARCHAR(6) CHARACTER SET utf8mb4");
        check(MYSQL_TYPE_DOUBLE, &["1.5", "-1e10"], "DOUBLE");
        check(MYSQL_TYPE_DOUBLE, &["nan"], "VARCHAR(3) CHARACTER SET utf8mb4");
        check(MYSQL_TYPE_NEWDECIMAL, &["12.5", "-1.25"], "DECIMAL(4, 2)");
        check(MYSQL_TYPE_NEWDECIMAL, &["1;2"], "VARCHAR(3) CHARACTER SET utf8mb4");
        check(MYSQL_TYPE_DATETIME, &["2026-01-02 03:04:05"], "DATETIME(6)");
        check(MYSQL_TYPE_DATE, &["soon"], "VARCHAR(4) CHARACTER SET utf8mb4");
    }

    #[test]
    fn columns_need_names_of_their_own() {
        let columns =
            [ColumnDefinition::new("a", MYSQL_TYPE_LONG), ColumnDefinition::new("A", MYSQL_TYPE_LONG)];
        assert!(definition("t", &columns, &[]).is_err());
    }
}
