//! SUM, COUNT and AVG over partial sums.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::Sign;
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
    Decimal(Option<BigDecimal>, Trust),
    Double(Option<f64>),
}

/// Whether a DECIMAL is what nodes have added up. Servers that group rows cut a sum of more than 65 digits to 65 nines, or do not,
/// as their plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is.
    Exact,
    /// 65 nines of one node: they may have been more.
    PerhapsCut,
    /// Such nines and others of their sign: at least so much, which servers cut.
    Cut,
    /// Such nines and others of the other sign.
    Unknown,
}

impl Trust {
    fn of(cell: &[u8]) -> Self {
        let digits = || cell.iter().filter(|byte| byte.is_ascii_digit());
        let long = cell.len() as u64 >= DECIMAL_DIGITS;
        let cut = long && digits().all(|digit| *digit == b'9') && digits().count() as u64 == DECIMAL_DIGITS;
        if cut { Self::PerhapsCut } else { Self::Exact }
    }

    /// That of the sum of two.
    fn with(self, other: Self, signs: (Sign, Sign)) -> Self {
        match (self, other, signs) {
            (Self::Exact, Self::Exact, _) => Self::Exact,
            (known, Self::Exact, (_, Sign::NoSign)) | (Self::Exact, known, (Sign::NoSign, _)) => known,
            (Self::Unknown, ..) | (_, Self::Unknown, _) => Self::Unknown,
            (_, _, (one, two)) => {
                if one == two {
                    Self::Cut
                } else {
                    Self::Unknown
                }
            }
        }
    }
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
            (Self::Decimal, None) => Some(Sum::Decimal(None, Trust::Exact)),
            (Self::Double, None) => Some(Sum::Double(None)),
            (Self::Integer, Some(cell)) => reader.integer(cell).map(|value| Sum::Integer(Some(value))),
            // The same digits in both encodings.
            (Self::Decimal, Some(cell)) => {
                decimal_of(cell).map(|value| Sum::Decimal(Some(value), Trust::of(cell)))
            }
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
            (Self::Decimal(Some(sum), trust), Self::Decimal(Some(value), other)) => {
                *trust = trust.with(other, (sum.sign(), value.sign()));
                *sum += value;
            }
            (own @ Self::Decimal(None, _), other @ Self::Decimal(Some(_), _)) => *own = other,
            // NULL adds nothing, and one column has one kind.
            _ => {}
        }
    }

    /// The whole sum, as the column holds it, exact also where servers might cut it. What nodes have cut stays so; where it is not
    /// known whether they have, it is an error.
    pub(super) fn finish(&self, column: &ColumnDefinition, grouped: bool) -> Result<Value, ExecuteError> {
        match self {
            Self::Integer(Some(sum)) => integer(*sum, column),
            Self::Decimal(Some(_), Trust::Unknown) if grouped => Err(out_of_range("DECIMAL", column)),
            Self::Decimal(Some(sum), Trust::Cut) if grouped => {
                let sign = if sum.sign() == Sign::Minus { "-" } else { "" };
                let nines = format!("{sign}{}e-{}", "9".repeat(DECIMAL_DIGITS as usize), column.decimals);
                BigDecimal::from_str(&nines).map(Value::Decimal).map_err(|_| out_of_range("DECIMAL", column))
            }
            Self::Decimal(Some(sum), _) => decimal(sum.with_scale(i64::from(column.decimals)), column),
            Self::Double(Some(sum)) => double(*sum, column),
            Self::Integer(None) | Self::Decimal(None, _) | Self::Double(None) => Ok(Value::Null),
        }
    }

    /// This sum over a count, as the column of the average holds it; NULL where there is nothing.
    pub(super) fn divided_by(
        &self,
        count: &Self,
        column: &ColumnDefinition,
        grouped: bool,
    ) -> Result<Value, ExecuteError> {
        let Self::Integer(Some(count @ 1..)) = count else { return Ok(Value::Null) };
        // Of one row there is nothing to cut.
        if let Self::Decimal(_, trust) = self
            && grouped
            && *trust != Trust::Exact
            && *count > 1
        {
            return Err(out_of_range("DECIMAL", column));
        }
        let exact = |sum: &BigDecimal| decimal(quotient(sum, *count, column.decimals), column);
        match self {
            Self::Integer(Some(sum)) => exact(&BigDecimal::from(*sum)),
            Self::Decimal(Some(sum), _) => exact(sum),
            #[expect(clippy::cast_precision_loss, reason = "a count of rows, divided as servers divide it")]
            Self::Double(Some(sum)) => double(*sum / *count as f64, column),
            Self::Integer(None) | Self::Decimal(None, _) | Self::Double(None) => Ok(Value::Null),
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

fn decimal(value: BigDecimal, column: &ColumnDefinition) -> Result<Value, ExecuteError> {
    if value.digits() > COMPUTED_DIGITS {
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
