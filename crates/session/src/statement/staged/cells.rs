//! Cells of a result as literals that a column stores as it would have stored the cells themselves.

use std::collections::BTreeMap;

use serval_planner::ClientText;
use serval_remote::Backend;
use serval_sql::LexOptions;
use serval_sql::create_table::ColumnDef;
use serval_types::{Collation, ColumnType, MysqlError, Value};
use serval_wire::binary_row::{self, Cell};
use serval_wire::packet::column_type::{
    MYSQL_TYPE_BIT, MYSQL_TYPE_DATE, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_JSON,
    MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_YEAR,
};
use serval_wire::packet::temporal::{DateTime, Time};
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition, ColumnFlags};

use crate::answer::Outcome;
use crate::charset::client_text;
use crate::failure::{Failure, refused};
use crate::literal::{hex, quote};
use crate::session::{Session, Staging};
use crate::statement::prepared::readable;

/// Writes the cells of one result.
pub(super) struct Cells<'a> {
    columns: &'a [ColumnDefinition],
    /// Where the cells go, as far as that is known.
    targets: Vec<Option<&'a ColumnDef>>,
    /// The columns that decide about shards, whose text the planner has to read.
    keys: Vec<bool>,
    charsets: BTreeMap<u16, String>,
    text: ClientText,
    options: LexOptions,
    /// One TIMESTAMP is one moment: no hour stands twice in the session's time zone.
    moments: bool,
    /// The cells are of expressions, which servers store as they store literals.
    computed: bool,
}

/// What kind of value a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Bytes,
    Date,
    DateTime,
    Time,
    Year,
    Bit,
    Member,
    Json,
    Other,
    Unknown,
}

impl<'a> Cells<'a> {
    /// Of a result whose columns go into `targets`.
    pub(super) async fn of<B: Backend>(
        staging: &mut Staging<'_, B>,
        outcome: &'a Outcome,
        targets: Vec<Option<&'a ColumnDef>>,
        keys: Vec<bool>,
    ) -> Result<Self, Failure> {
        let mut charsets = BTreeMap::new();
        for column in &outcome.columns {
            if column.charset != CHARSET_BINARY && !charsets.contains_key(&column.charset) {
                charsets.insert(column.charset, charset(staging.session, column.charset).await?);
            }
        }
        let instants = outcome.columns.iter().zip(&targets).any(|(column, target)| {
            let stays =
                target.is_some_and(|target| matches!(target.column_type, ColumnType::Timestamp { .. }));
            column.column_type == MYSQL_TYPE_TIMESTAMP && stays
        });
        let moments = !instants || has_no_summer_time(staging).await?;
        let session = &staging.session;
        let (text, options) = (client_text(&session.state), session.options);
        Ok(Self {
            columns: &outcome.columns,
            targets,
            keys,
            charsets,
            text,
            options,
            moments,
            computed: false,
        })
    }

    /// The same, where the time zone is known to be of one kind.
    pub(super) fn in_universal_time(self) -> Self {
        Self { moments: true, ..self }
    }

    /// The same, for the values of expressions instead of columns.
    pub(super) fn of_expressions(self) -> Self {
        Self { computed: true, ..self }
    }

    /// A row's literals; `None` for NULL.
    pub(super) fn row(&self, payload: &[u8]) -> Result<Vec<Option<String>>, Failure> {
        let types: Vec<u8> = self.columns.iter().map(|column| column.column_type).collect();
        let cells = binary_row::cells(payload, types).map_err(|_| malformed())?;
        let mut literals = Vec::with_capacity(self.columns.len());
        for (at, cell) in cells.enumerate() {
            let column = &self.columns[at];
            let cell = cell.map_err(|_| malformed())?;
            let cell = binary_row::value(column.column_type, column.flags, cell).map_err(|_| malformed())?;
            literals.push(if cell == Cell::Null { None } else { Some(self.literal(at, cell)?) });
        }
        Ok(literals)
    }

    fn literal(&self, at: usize, cell: Cell<'_>) -> Result<String, Failure> {
        let column = &self.columns[at];
        let kind = self.targets.get(at).copied().flatten().map_or(Kind::Unknown, kind);
        let literal = match cell {
            Cell::Null => Some("NULL".to_owned()),
            Cell::Int(number) if column.column_type == MYSQL_TYPE_YEAR => year(number.into(), kind),
            Cell::UInt(number) if column.column_type == MYSQL_TYPE_YEAR => year(number.into(), kind),
            Cell::Int(number) => self.integer(column, number.into(), kind),
            Cell::UInt(number) => self.integer(column, number.into(), kind),
            Cell::Float(number) => self.double(number.into(), kind),
            Cell::Double(number) => self.double(number, kind),
            Cell::Date(moment) => self.moment(column, &moment, kind),
            Cell::Time(time) => Some(self::time(&time, column.decimals, kind)),
            Cell::Bytes(bytes) => self.bytes(at, bytes, kind)?,
        };
        literal.ok_or_else(|| self.inexact(at))
    }

    fn integer(&self, column: &ColumnDefinition, number: i128, kind: Kind) -> Option<String> {
        let padded = column.has(ColumnFlags::ZEROFILL_FLAG);
        match kind {
            Kind::Number | Kind::Year | Kind::Bit => Some(number.to_string()),
            Kind::Date | Kind::DateTime | Kind::Time | Kind::Member | Kind::Json => Some(number.to_string()),
            // As text it has zeros in front.
            Kind::Text | Kind::Bytes | Kind::Unknown | Kind::Other if !padded => Some(number.to_string()),
            _ => None,
        }
    }

    /// Columns that hold no numbers would keep its digits, of which there are more than one way to write.
    fn double(&self, number: f64, kind: Kind) -> Option<String> {
        let kept = kind == Kind::Number || self.computed && kind != Kind::Unknown;
        (kept && number.is_finite()).then(|| format!("{number:e}"))
    }

    fn moment(&self, column: &ColumnDefinition, moment: &DateTime, kind: Kind) -> Option<String> {
        if column.column_type == MYSQL_TYPE_DATE {
            let text = moment.date();
            return match kind {
                Kind::Date | Kind::DateTime | Kind::Text => Some(format!("'{text}'")),
                Kind::Number if moment.month > 0 && moment.day > 0 => Some(format!("DATE'{text}'")),
                _ => None,
            };
        }
        if column.column_type == MYSQL_TYPE_TIMESTAMP && kind == Kind::DateTime && !self.moments {
            return None;
        }
        let text = date_time(moment, column.decimals);
        match kind {
            Kind::DateTime | Kind::Text => Some(format!("'{text}'")),
            Kind::Date | Kind::Number | Kind::Time if moment.month > 0 && moment.day > 0 => {
                Some(format!("TIMESTAMP'{text}'"))
            }
            _ => None,
        }
    }

    fn bytes(&self, at: usize, bytes: &[u8], kind: Kind) -> Result<Option<String>, Failure> {
        let column = &self.columns[at];
        Ok(match column.column_type {
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => {
                let digits = bytes.iter().all(|byte| byte.is_ascii_digit() || b"-.".contains(byte));
                (digits && !bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
            }
            // MariaDB sends those of expressions as digits, or as bits.
            MYSQL_TYPE_BIT if column.org_name.is_empty() => None,
            MYSQL_TYPE_BIT => {
                let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
                matches!(kind, Kind::Bit | Kind::Number).then(|| format!("b'{bits}'"))
            }
            MYSQL_TYPE_JSON => is_plain_json(bytes).then(|| format!("_utf8mb4 {}", hex(bytes))),
            MYSQL_TYPE_GEOMETRY => (kind == Kind::Other).then(|| format!("_binary {}", hex(bytes))),
            _ if column.has(ColumnFlags::ENUM_FLAG) || column.has(ColumnFlags::SET_FLAG) => {
                // The empty text may stand for the error value, and in a number it is the member's.
                let is_error = bytes.is_empty() && column.has(ColumnFlags::ENUM_FLAG);
                match kind {
                    Kind::Text => Some(self.string(at, bytes)?),
                    Kind::Member if !is_error => Some(self.string(at, bytes)?),
                    _ => None,
                }
            }
            _ => Some(self.string(at, bytes)?),
        })
    }

    fn string(&self, at: usize, bytes: &[u8]) -> Result<String, Failure> {
        let column = &self.columns[at];
        if column.charset == CHARSET_BINARY {
            return Ok(format!("_binary {}", hex(bytes)));
        }
        let charset = self.charsets.get(&column.charset).map_or("", String::as_str);
        let is_unicode = matches!(charset, "utf8mb4" | "utf8mb3" | "utf8" | "ascii");
        if self.keys.get(at).copied().unwrap_or(false) && is_unicode && !bytes.contains(&0) {
            let fits = self.text == ClientText::Utf8mb4
                || bytes.is_ascii()
                || self.text == ClientText::Utf8mb3 && bytes.iter().all(|byte| *byte < 0xf0);
            if fits {
                return Ok(readable(&Value::Text(bytes.to_vec()), self.options, charset));
            }
        }
        // The bytes of ASCII are those of its characters only in these.
        if is_unicode || charset == "latin1" {
            return Ok(quote(bytes, charset));
        }
        Ok(if bytes.is_empty() { "''".to_owned() } else { format!("_{charset} {}", hex(bytes)) })
    }

    fn inexact(&self, at: usize) -> Failure {
        let column = &self.columns[at];
        let name = String::from_utf8_lossy(&column.name);
        let name = name.trim();
        refused(format!(
            "A value of column {name} ({}) cannot be stored exactly by way of Serval into a column of another or an unknown \
             type, or of a time zone with summer time; CAST it in the SELECT to the type of the column that takes it",
            type_name(column)
        ))
    }
}

fn kind(target: &ColumnDef) -> Kind {
    match &target.column_type {
        ColumnType::Int { .. }
        | ColumnType::Decimal { .. }
        | ColumnType::Float { .. }
        | ColumnType::Double { .. } => Kind::Number,
        ColumnType::Text { .. } => Kind::Text,
        ColumnType::Binary { .. } => Kind::Bytes,
        ColumnType::Date => Kind::Date,
        ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => Kind::DateTime,
        ColumnType::Time { .. } => Kind::Time,
        ColumnType::Year => Kind::Year,
        ColumnType::Bit { .. } => Kind::Bit,
        ColumnType::Enum { .. } | ColumnType::Set { .. } => Kind::Member,
        ColumnType::Json => Kind::Json,
        ColumnType::Other(_) => Kind::Other,
    }
}

fn year(number: i128, kind: Kind) -> Option<String> {
    match kind {
        Kind::Number | Kind::Year => Some(number.to_string()),
        Kind::Text => Some(format!("'{number:04}'")),
        _ => None,
    }
}

fn date_time(moment: &DateTime, decimals: u8) -> String {
    let DateTime { hour, minute, second, microsecond, .. } = moment;
    format!("{} {hour:02}:{minute:02}:{second:02}{}", moment.date(), fraction(*microsecond, decimals))
}

fn time(time: &Time, decimals: u8, kind: Kind) -> String {
    let sign = if time.negative { "-" } else { "" };
    let hours = time.days * 24 + u32::from(time.hours);
    let fraction = fraction(time.microseconds, decimals);
    let text = format!("{sign}{hours:02}:{:02}:{:02}{fraction}", time.minutes, time.seconds);
    match kind {
        Kind::Time | Kind::Text => format!("'{text}'"),
        _ => format!("TIME'{text}'"),
    }
}

fn fraction(microseconds: u32, decimals: u8) -> String {
    let digits = format!("{microseconds:06}");
    match usize::from(decimals) {
        0 => String::new(),
        shown @ 1..=6 => format!(".{}", &digits[..shown]),
        // The server did not say how many.
        _ if microseconds == 0 => String::new(),
        _ => format!(".{digits}"),
    }
}

/// Whether JSON is the same when its text is read again. A DECIMAL inside would become a DOUBLE, a date a string.
fn is_plain_json(text: &[u8]) -> bool {
    let dated = |part: &[u8]| part[0].is_ascii_digit() && part[1] == b'-' && part[2].is_ascii_digit();
    !text.contains(&b'.') && !text.windows(7).any(|part| part == b"base64:") && !text.windows(3).any(dated)
}

fn type_name(column: &ColumnDefinition) -> &'static str {
    use serval_wire::packet::column_type::{
        MYSQL_TYPE_DATETIME, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT, MYSQL_TYPE_TIME,
    };
    match column.column_type {
        MYSQL_TYPE_FLOAT => "FLOAT",
        MYSQL_TYPE_DOUBLE => "DOUBLE",
        MYSQL_TYPE_BIT => "BIT",
        MYSQL_TYPE_JSON => "JSON",
        MYSQL_TYPE_YEAR => "YEAR",
        MYSQL_TYPE_DATE => "DATE",
        MYSQL_TYPE_DATETIME => "DATETIME",
        MYSQL_TYPE_TIMESTAMP => "TIMESTAMP",
        MYSQL_TYPE_TIME => "TIME",
        MYSQL_TYPE_GEOMETRY => "GEOMETRY",
        _ if column.has(ColumnFlags::ENUM_FLAG) => "ENUM",
        _ if column.has(ColumnFlags::SET_FLAG) => "SET",
        _ => "a number with zeros in front",
    }
}

async fn charset<B: Backend>(session: &mut Session<B>, id: u16) -> Result<String, Failure> {
    if matches!(id, 45 | 46 | 255) {
        return Ok("utf8mb4".to_owned());
    }
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    let sql = format!("SELECT COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID = {id}");
    let name = session.ask_readably(home, &sql).await?.text(0, 0);
    let name = name.ok_or_else(|| {
        refused("The collation of a value that is read over several shards is not known; say COLLATE in the select list")
    })?;
    Ok(Collation::new(&name).charset().to_owned())
}

/// Whether every local time of the session is one moment.
async fn has_no_summer_time<B: Backend>(staging: &mut Staging<'_, B>) -> Result<bool, Failure> {
    let answer = staging.session.collect(b"SELECT @@time_zone, @@system_time_zone").await?;
    let zone = answer.text(0, 0).unwrap_or_default();
    let zone = if zone == "SYSTEM" { answer.text(0, 1).unwrap_or_default() } else { zone };
    Ok(["UTC", "GMT", "Etc/UTC"].contains(&&*zone) || zone.starts_with(['+', '-']))
}

fn malformed() -> MysqlError {
    MysqlError::refused("A node sent a row that is none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_changes_when_read_again_is_seen() {
        for plain in ["{\"a\": 1}", "[true, null, \"x-y\"]"] {
            assert!(is_plain_json(plain.as_bytes()), "{plain}");
        }
        for other in ["[1.10]", "\"2024-01-01\"", "\"base64:type15:AA==\""] {
            assert!(!is_plain_json(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn fractions_have_the_digits_of_their_column() {
        assert_eq!(fraction(250_000, 0), "");
        assert_eq!(fraction(250_000, 3), ".250");
        assert_eq!(fraction(0, 31), "");
        let time = Time { negative: true, days: 2, hours: 3, minutes: 4, seconds: 5, microseconds: 6 };
        assert_eq!(super::time(&time, 6, Kind::Time), "'-51:04:05.000006'");
        assert_eq!(super::time(&time, 0, Kind::Number), "TIME'-51:04:05'");
    }
}
