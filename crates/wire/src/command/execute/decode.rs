//! Parameters out of what a client sent.

use std::sync::Arc;

use bytes::Bytes;

use super::{ParameterType, Parameters};
use crate::WireError;
use crate::binary_row::{self, Width};
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
        let mut values = Vec::with_capacity(types.len());
        for (position, parameter_type) in (0..count).zip(types.iter()) {
            let null =
                nulls.get(usize::from(position / 8)).is_some_and(|byte| byte >> (position % 8) & 1 == 1);
            values.push(match long_data(position) {
                Some(data) => Some(checked_long_data(*parameter_type, data)?),
                None if null => None,
                None => value(&mut reader, *parameter_type, body)?,
            });
        }
        Ok(Self { types, values })
    }
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
        1 => {
            let mut types = Reader::new(reader.bytes(usize::from(count) * 2)?, WHAT);
            (0..count).map(|_| ParameterType::decode(types.array()?)).collect()
        }
        _ => Err(reader.malformed()),
    }
}

/// Reads one value; NULL for the type NULL, which has no bytes.
fn value(
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
