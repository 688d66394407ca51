//! SUM, COUNT and AVG over partial sums.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use serval_wire::packet::column_type::*;
use serval_wire::packet::{ColumnDefinition, ColumnFlags};

use crate::error::ExecuteError;
use crate::number::quotient;
use crate::row::{Reader, Value};

/// The most digits of a DECIMAL that is stored.
const DECIMAL_DIGITS: u64 = 65;
/// The most digits that servers compute with: nine words of nine. What they do not store keeps them all.
const COMPUTED_DIGITS: u64 = 81;

/// The numbers of a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Integer,
    Decimal,
    Double,
}

/// A sum so far; `None` while all values were NULL.
#[derive(Debug)]
pub(crate) enum Sum {
    Integer(Option<i128>),
    Decimal(Option<BigDecimal>),
    Double(Option<f64>),
}

impl Kind {
    pub(super) fn of(column: &ColumnDefinition) -> Result<Self, ExecuteError> {
        match column.column_type {
            MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
            | MYSQL_TYPE_YEAR => Ok(Self::Integer),
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Ok(Self::Decimal),
            MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => Ok(Self::Double),
            _ => Err(ExecuteError::refused(format!(
                "Column '{}' is no number, so its values on several shards cannot be added up",
                String::from_utf8_lossy(&column.name)
            ))),
        }
    }

    /// The sum of one cell.
    pub(super) fn start(self, reader: Reader, cell: Option<&[u8]>) -> Result<Sum, ExecuteError> {
        let sum = match (self, cell) {
            (Self::Integer, None) => Some(Sum::Integer(None)),
            (Self::Decimal, None) => Some(Sum::Decimal(None)),
            (Self::Double, None) => Some(Sum::Double(None)),
            (Self::Integer, Some(cell)) => reader.integer(cell).map(|value| Sum::Integer(Some(value))),
            // The same digits in both encodings.
            (Self::Decimal, Some(cell)) => decimal_of(cell).map(|value| Sum::Decimal(Some(value))),
            (Self::Double, Some(cell)) => reader.double(cell).map(|value| Sum::Double(Some(value))),
        };
        sum.ok_or_else(|| ExecuteError::malformed("a node", "number"))
    }
}

impl Sum {
    pub(super) fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Integer(sum), Self::Integer(Some(value))) => *sum = Some(sum.unwrap_or(0) + value),
            (Self::Double(sum), Self::Double(Some(value))) => *sum = Some(sum.unwrap_or(0.0) + value),
            (Self::Decimal(sum), Self::Decimal(Some(value))) => match sum {
                Some(sum) => *sum += value,
                None => *sum = Some(value),
            },
            // NULL adds nothing, and one column has one kind.
            _ => {}
        }
    }

    /// The whole sum, as the column holds it. Servers that group rows cut what has more digits than a DECIMAL, or
    /// do not, as their plan is.
    pub(super) fn finish(&self, column: &ColumnDefinition, grouped: bool) -> Result<Value, ExecuteError> {
        let most = if grouped { DECIMAL_DIGITS } else { COMPUTED_DIGITS };
        match self {
            Self::Integer(Some(sum)) => integer(*sum, column),
            Self::Decimal(Some(sum)) => decimal(sum.with_scale(i64::from(column.decimals)), column, most),
            Self::Double(Some(sum)) => double(*sum, column),
            Self::Integer(None) | Self::Decimal(None) | Self::Double(None) => Ok(Value::Null),
        }
    }

    /// This sum over a count, as the column of the average holds it; NULL where there is nothing.
    pub(super) fn divided_by(&self, count: &Self, column: &ColumnDefinition) -> Result<Value, ExecuteError> {
        let Self::Integer(Some(count @ 1..)) = count else { return Ok(Value::Null) };
        let exact =
            |sum: &BigDecimal| decimal(quotient(sum, *count, column.decimals), column, COMPUTED_DIGITS);
        match self {
            Self::Integer(Some(sum)) => exact(&BigDecimal::from(*sum)),
            Self::Decimal(Some(sum)) => exact(sum),
            #[expect(clippy::cast_precision_loss, reason = "a count of rows, divided as servers divide it")]
            Self::Double(Some(sum)) => double(*sum / *count as f64, column),
            Self::Integer(None) | Self::Decimal(None) | Self::Double(None) => Ok(Value::Null),
        }
    }
}

fn decimal_of(cell: &[u8]) -> Option<BigDecimal> {
    BigDecimal::from_str(std::str::from_utf8(cell).ok()?).ok()
}

fn integer(sum: i128, column: &ColumnDefinition) -> Result<Value, ExecuteError> {
    let fits = if column.has(ColumnFlags::UNSIGNED_FLAG) {
        u64::try_from(sum).is_ok()
    } else {
        i64::try_from(sum).is_ok()
    };
    if fits { Ok(Value::Integer(sum)) } else { Err(out_of_range("BIGINT", column)) }
}

fn decimal(value: BigDecimal, column: &ColumnDefinition, most: u64) -> Result<Value, ExecuteError> {
    if value.digits() > most {
        return Err(out_of_range("DECIMAL", column));
    }
    Ok(Value::Decimal(value))
}

fn double(value: f64, column: &ColumnDefinition) -> Result<Value, ExecuteError> {
    if value.is_finite() { Ok(Value::Double(value)) } else { Err(out_of_range("DOUBLE", column)) }
}

fn out_of_range(what: &str, column: &ColumnDefinition) -> ExecuteError {
    let name = String::from_utf8_lossy(&column.name);
    ExecuteError::OutOfRange(format!("{what} value is out of range in '{name}', added up over shards"))
}
