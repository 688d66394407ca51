//! The values of sharding columns, read from a physical table in bounded pieces.

use std::fmt::Write as _;

use jiff::tz::{Offset, TimeZone};
use serval_backend::Servers;
use serval_catalog::{ShardingColumn, TableDefinition};
use serval_executor::{ExecuteError, query_rows};
use serval_types::{ColumnType, Value};

use super::place::Place;

/// How many rows one query reads.
const PIECE: u64 = 1000;

/// A sharding column, and the time zone that a TIMESTAMP in it routes in.
pub struct KeyColumn<'a> {
    pub column: &'a ShardingColumn,
    pub time_zone: Option<&'a str>,
}

/// The rows' keys, piece by piece in the order of the primary key. A table without one is read once, as far as it goes.
pub struct Keys<'a> {
    servers: &'a Servers,
    place: &'a Place,
    columns: Vec<KeyColumn<'a>>,
    primary: Vec<(&'a str, bool)>,
    /// The primary key of the last row that was read.
    after: Option<Vec<String>>,
    left: u64,
    ended: bool,
}

impl<'a> Keys<'a> {
    /// At most `limit` rows of this table.
    pub fn new(
        servers: &'a Servers,
        place: &'a Place,
        columns: Vec<KeyColumn<'a>>,
        definition: Option<&'a TableDefinition>,
        limit: u64,
    ) -> Self {
        let primary = definition.map(primary).unwrap_or_default();
        Self { servers, place, columns, primary, after: None, left: limit, ended: false }
    }

    /// Whether all rows have been read, as opposed to so many as were asked for.
    pub fn all_read(&self) -> bool {
        self.ended
    }

    /// The next rows; none at the end. A table that is not there has none.
    pub async fn next(&mut self) -> Result<Vec<Vec<Value>>, String> {
        let count = if self.primary.is_empty() { self.left } else { self.left.min(PIECE) };
        if count == 0 || self.ended {
            return Ok(Vec::new());
        }
        let (group, database) = (self.place.group, self.place.database.as_str());
        let rows = match query_rows(self.servers, group, Some(database), &self.sql(count)).await {
            Ok(rows) => rows,
            // There is nothing in what does not exist.
            Err(ExecuteError::Server(error)) if matches!(error.number, 1146 | 1049) => Vec::new(),
            Err(error) => return Err(format!("{}: {}", self.place, error.to_mysql().message)),
        };
        let read = rows.len() as u64;
        self.left -= read.min(self.left);
        self.ended = read < count;
        self.after = rows.last().and_then(|row| self.last_primary(row));
        if self.primary.is_empty() {
            self.left = 0;
        }
        rows.into_iter().map(|row| self.key(row)).collect()
    }

    fn sql(&self, count: u64) -> String {
        let keys = self.columns.iter().map(|key| selected(key.column));
        let primary = self.primary.iter().map(|(name, _)| quoted(name));
        let list: Vec<String> = keys.chain(primary).collect();
        let list = if list.is_empty() { "1".to_owned() } else { list.join(", ") };
        let mut sql = format!("SELECT {list} FROM {}", quoted(&self.place.table));
        // Writing to a String cannot fail.
        if let Some(after) = &self.after {
            let _ = write!(sql, " WHERE {}", self.behind(after));
        }
        if !self.primary.is_empty() {
            let order: Vec<String> = self.primary.iter().map(|(name, _)| quoted(name)).collect();
            let _ = write!(sql, " ORDER BY {}", order.join(", "));
        }
        let _ = write!(sql, " LIMIT {count}");
        sql
    }

    /// `a > 1 OR a = 1 AND b > 2`: servers use an index for that, which not all do for `(a, b) > (1, 2)`.
    fn behind(&self, after: &[String]) -> String {
        let terms = (0..after.len()).map(|last| {
            let equal = (0..last).map(|at| format!("{} = {}", quoted(self.primary[at].0), after[at]));
            let greater = format!("{} > {}", quoted(self.primary[last].0), after[last]);
            equal.chain([greater]).collect::<Vec<_>>().join(" AND ")
        });
        terms.collect::<Vec<_>>().join(" OR ")
    }

    fn last_primary(&self, row: &[Option<Vec<u8>>]) -> Option<Vec<String>> {
        let cells = row.get(self.columns.len()..)?;
        cells.iter().zip(&self.primary).map(|(cell, (_, number))| literal(cell.as_ref()?, *number)).collect()
    }

    fn key(&self, row: Vec<Option<Vec<u8>>>) -> Result<Vec<Value>, String> {
        row.into_iter().zip(&self.columns).map(|(cell, key)| key.value(cell)).collect()
    }
}

impl KeyColumn<'_> {
    fn value(&self, cell: Option<Vec<u8>>) -> Result<Value, String> {
        let Some(bytes) = cell else { return Ok(Value::Null) };
        Ok(match (&self.column.column_type, self.time_zone) {
            (ColumnType::Timestamp { .. }, Some(zone)) => {
                let text = wall_clock(&bytes, zone);
                Value::Text(
                    text.ok_or_else(|| format!("no TIMESTAMP can be read in the time zone {zone}"))?.into(),
                )
            }
            (ColumnType::Binary { .. } | ColumnType::Bit { .. }, _) => Value::Bytes(bytes),
            _ => Value::Text(bytes),
        })
    }
}

/// The primary key's columns, each with whether it is a whole number; none where a column's values cannot be written
/// down so that they compare as they are stored.
fn primary(definition: &TableDefinition) -> Vec<(&str, bool)> {
    let column = |name: &'_ String| {
        let known = definition.column(name)?;
        let number = match &known.column_type {
            ColumnType::Int { .. } | ColumnType::Decimal { .. } => true,
            ColumnType::Text { .. }
            | ColumnType::Binary { .. }
            | ColumnType::Date
            | ColumnType::DateTime { .. } => false,
            _ => return None,
        };
        Some((known.name.as_str(), number))
    };
    definition.primary_key.iter().map(column).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// A TIMESTAMP is read as an instant, whatever the connection's time zone is.
fn selected(column: &ShardingColumn) -> String {
    match column.column_type {
        ColumnType::Timestamp { .. } => format!("UNIX_TIMESTAMP({})", quoted(&column.name)),
        _ => quoted(&column.name),
    }
}

/// A value as a literal that takes the column's collation.
fn literal(bytes: &[u8], number: bool) -> Option<String> {
    if number {
        let text = std::str::from_utf8(bytes).ok()?;
        return text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.')).then(|| text.to_owned());
    }
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(if digits.is_empty() { "''".to_owned() } else { format!("_utf8mb4 x'{digits}'") })
}

/// An instant in seconds as a clock in that zone shows it.
fn wall_clock(seconds: &[u8], zone: &str) -> Option<String> {
    let text = std::str::from_utf8(seconds).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let at = jiff::Timestamp::from_second(whole.parse().ok()?).ok()?;
    let clock = at.to_zoned(time_zone(zone)?).strftime("%Y-%m-%d %H:%M:%S").to_string();
    Some(if fraction.is_empty() { clock } else { format!("{clock}.{fraction}") })
}

/// `+02:00`, or a name.
fn time_zone(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.as_bytes().first()? {
        b'+' => (1, &name[1..]),
        b'-' => (-1, &name[1..]),
        _ => return TimeZone::get(name).ok(),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Some(TimeZone::fixed(Offset::from_seconds(sign * seconds).ok()?))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_the_rules_zone() {
        assert_eq!(wall_clock(b"0", "+00:00").as_deref(), Some("1970-01-01 00:00:00"));
        assert_eq!(wall_clock(b"0.250", "-01:30").as_deref(), Some("1969-12-31 22:30:00.250"));
        assert_eq!(wall_clock(b"x", "+00:00"), None);
    }

    #[test]
    fn literals_are_numbers_or_hexadecimal() {
        assert_eq!(literal(b"-7", true).as_deref(), Some("-7"));
        assert_eq!(literal(b"7 or 1", true), None);
        assert_eq!(literal(b"a'b", false).as_deref(), Some("_utf8mb4 x'612762'"));
    }
}
