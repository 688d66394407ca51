//! Parameters out of what a client sent.

use std::sync::Arc;

use bytes::Bytes;
use serval_types::Value;

use super::value::of_bytes;
use super::{ParameterType, Parameters};
use crate::WireError;
use crate::binary_row::{self, Width};
use crate::command::attributes::{self, Attribute};
use crate::lenenc::Reader;

const WHAT: &str = "COM_STMT_EXECUTE";

impl Parameters {
    /// Decodes what follows the fixed fields of COM_STMT_EXECUTE for a statement of `count` parameters.
    ///
    /// `remembered` are the types that it was last executed with, used where the client does not send any.
    /// `long_data` takes what COM_STMT_SEND_LONG_DATA brought for a parameter; it comes before the value and the NULL
    /// in the packet, as it does for servers. Bytes after the last value are ignored, as servers do.
    ///
    /// # Errors
    /// [`WireError::WrongArguments`] where no types are known, for types that parameters cannot have, and for long
    /// data of a number or a date; [`WireError::Truncated`] and [`WireError::Malformed`].
    pub fn decode(
        body: &Bytes,
        count: u16,
        remembered: Option<&Arc<[ParameterType]>>,
        mut long_data: impl FnMut(u16) -> Option<Bytes>,
    ) -> Result<Self, WireError> {
        if count == 0 {
            return Ok(Self::none());
        }
        let mut reader = Reader::new(body, WHAT);
        let nulls = reader.bytes(usize::from(count).div_ceil(8))?;
        let types = types(&mut reader, count, remembered)?;
        let values = values(&mut reader, &types, nulls, &mut long_data, body)?;
        Ok(Self { types, values })
    }

    /// [`Parameters::decode`] for a client that agreed on query attributes: they follow the parameters, each with a
    /// name. `counted` is whether the packet says how many there are although the statement has no parameter
    /// ([`PARAMETER_COUNT_AVAILABLE`](super::PARAMETER_COUNT_AVAILABLE)).
    ///
    /// # Errors
    /// As [`Parameters::decode`].
    pub fn decode_attributed(
        body: &Bytes,
        count: u16,
        counted: bool,
        remembered: Option<&Arc<[ParameterType]>>,
        mut long_data: impl FnMut(u16) -> Option<Bytes>,
    ) -> Result<(Self, Vec<Attribute>), WireError> {
        if count == 0 && !counted {
            return Ok((Self::none(), Vec::new()));
        }
        let mut reader = Reader::new(body, WHAT);
        let total = attributes::count(&mut reader)?;
        if total < count {
            return Err(WireError::WrongArguments { what: "too few parameters" });
        }
        if total == 0 {
            return Ok((Self::none(), Vec::new()));
        }
        let nulls = reader.bytes(usize::from(total).div_ceil(8))?;
        let mut names = Vec::new();
        let all: Arc<[ParameterType]> = match (reader.u8()?, remembered) {
            (0, Some(types)) if types.len() == usize::from(total) => Arc::clone(types),
            // Names and types of attributes are always sent.
            (0, _) => return Err(reader.malformed()),
            _ => {
                let types = attributes::types(&mut reader, total)?;
                let (types, all): (Vec<_>, Vec<_>) = types.into_iter().unzip();
                names = all;
                types.into()
            }
        };
        let mut values = values(&mut reader, &all, nulls, &mut long_data, body)?;
        let beyond = values.split_off(usize::from(count));
        let (own, others) = all.split_at(usize::from(count));
        let names = names.into_iter().skip(usize::from(count));
        let attributes = names.zip(others).zip(beyond).map(|((name, parameter_type), bytes)| Attribute {
            name,
            value: bytes.map_or(Value::Null, |bytes| of_bytes(*parameter_type, &bytes)),
        });
        let attributes = attributes.collect();
        let types = if others.is_empty() { all } else { own.into() };
        Ok((Self { types, values }, attributes))
    }
}

/// Reads the values of all types.
fn values(
    reader: &mut Reader<'_>,
    types: &[ParameterType],
    nulls: &[u8],
    long_data: &mut impl FnMut(u16) -> Option<Bytes>,
    body: &Bytes,
) -> Result<Vec<Option<Bytes>>, WireError> {
    let mut values = Vec::with_capacity(types.len());
    for (position, parameter_type) in (0_u16..).zip(types) {
        let null = nulls.get(usize::from(position / 8)).is_some_and(|byte| byte >> (position % 8) & 1 == 1);
        values.push(match long_data(position) {
            Some(data) => Some(checked_long_data(*parameter_type, data)?),
            None if null => None,
            None => value(reader, *parameter_type, body)?,
        });
    }
    Ok(values)
}

/// The types in the packet, or those of the execution before.
fn types(
    reader: &mut Reader<'_>,
    count: u16,
    remembered: Option<&Arc<[ParameterType]>>,
) -> Result<Arc<[ParameterType]>, WireError> {
    match reader.u8()? {
        0 => remembered
            .filter(|types| types.len() == usize::from(count))
            .cloned()
            .ok_or(WireError::WrongArguments { what: "parameters without types" }),
        _ => {
            let mut types = Reader::new(reader.bytes(usize::from(count) * 2)?, WHAT);
            (0..count).map(|_| ParameterType::decode(types.array()?)).collect()
        }
    }
}

/// Reads one value; NULL for the type NULL, which has no bytes.
pub(in crate::command) fn value(
    reader: &mut Reader<'_>,
    parameter_type: ParameterType,
    body: &Bytes,
) -> Result<Option<Bytes>, WireError> {
    let column_type = parameter_type.column_type;
    let bytes = binary_row::read(reader, column_type)?;
    if binary_row::width(column_type) == Width::Fixed(0) {
        return Ok(None);
    }
    binary_row::value(column_type, parameter_type.flags(), Some(bytes))?;
    let end = body.len() - reader.rest().len();
    Ok(Some(body.slice(end - bytes.len()..end)))
}

fn checked_long_data(parameter_type: ParameterType, data: Bytes) -> Result<Bytes, WireError> {
    if binary_row::width(parameter_type.column_type) == Width::Lenenc {
        Ok(data)
    } else {
        Err(WireError::WrongArguments { what: "long data of a number or a date" })
    }
}
