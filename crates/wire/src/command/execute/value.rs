//! A parameter's bytes as a value, and a value as a parameter's bytes.

use bytes::Bytes;
use serval_types::Value;

use super::ParameterType;
use crate::binary_row::{self, Cell};
use crate::packet::column_type::{
    MYSQL_TYPE_BIT, MYSQL_TYPE_BLOB, MYSQL_TYPE_DATE, MYSQL_TYPE_DECIMAL, MYSQL_TYPE_DOUBLE,
    MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_NULL, MYSQL_TYPE_TINY_BLOB,
    MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_VECTOR,
};

/// The value of bytes that were found to be of the type.
pub(in crate::command) fn of_bytes(parameter_type: ParameterType, bytes: &[u8]) -> Value {
    let ParameterType { column_type, .. } = parameter_type;
    match binary_row::value(column_type, parameter_type.flags(), Some(bytes)) {
        Ok(Cell::Int(value)) => Value::Int(value),
        Ok(Cell::UInt(value)) => i64::try_from(value).map_or(Value::UInt(value), Value::Int),
        Ok(Cell::Float(value)) => Value::Double(value.into()),
        Ok(Cell::Double(value)) => Value::Double(value),
        // A time of day has no place in a DATE; MariaDB ignores it, MySQL refuses it.
        Ok(Cell::Date(date)) if column_type == MYSQL_TYPE_DATE => Value::Moment(date.date()),
        Ok(Cell::Date(date)) => Value::Moment(date.to_string()),
        Ok(Cell::Time(time)) => Value::Time(time.to_string()),
        Ok(Cell::Bytes(bytes)) => of_string(column_type, bytes),
        Ok(Cell::Null) | Err(_) => Value::Null,
    }
}

/// The type and the bytes that carry a value.
pub(super) fn to_bytes(value: &Value) -> (ParameterType, Option<Bytes>) {
    let (column_type, bytes) = match value {
        Value::Null => (MYSQL_TYPE_NULL, None),
        Value::Int(value) => (MYSQL_TYPE_LONGLONG, Some(value.to_le_bytes().to_vec())),
        Value::UInt(value) => (MYSQL_TYPE_LONGLONG, Some(value.to_le_bytes().to_vec())),
        Value::Decimal(value) => (MYSQL_TYPE_NEWDECIMAL, Some(value.to_plain_string().into_bytes())),
        Value::Double(value) => (MYSQL_TYPE_DOUBLE, Some(value.to_le_bytes().to_vec())),
        Value::Text(text) => (MYSQL_TYPE_VAR_STRING, Some(text.clone())),
        Value::Bytes(bytes) => (MYSQL_TYPE_BLOB, Some(bytes.clone())),
        Value::Moment(text) | Value::Time(text) => (MYSQL_TYPE_VAR_STRING, Some(text.clone().into_bytes())),
    };
    (ParameterType { column_type, unsigned: matches!(value, Value::UInt(_)) }, bytes.map(Bytes::from))
}

fn of_string(column_type: u8, bytes: &[u8]) -> Value {
    match column_type {
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => decimal(bytes),
        MYSQL_TYPE_TINY_BLOB..=MYSQL_TYPE_BLOB | MYSQL_TYPE_BIT | MYSQL_TYPE_GEOMETRY | MYSQL_TYPE_VECTOR => {
            Value::Bytes(bytes.to_vec())
        }
        _ => Value::Text(bytes.to_vec()),
    }
}

/// Digits as an exact number. An exponent could make one of them that fills the memory, so it stays text.
fn decimal(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(digits) if binary_row::is_decimal(bytes) => Value::decimal(digits),
        _ => Value::Text(bytes.to_vec()),
    }
}
