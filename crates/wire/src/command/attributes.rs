//! Query attributes: named values that a client sends beside a statement, for whoever looks at its log.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html). They are there only where both
//! sides agreed on `CLIENT_QUERY_ATTRIBUTES`, and then in front of every COM_QUERY's text, be there none.

use bytes::Bytes;
use serval_types::Value;

use super::execute::{ParameterType, read_value, value_of};
use crate::WireError;
use crate::lenenc::Reader;

/// How many values a command may carry: as many as a statement may have parameters.
const MOST: u64 = 0xffff;

/// A named value.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The name; may be empty.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// Takes the attributes off the front of what follows COM_QUERY's byte: them, and the statement's text.
///
/// # Errors
/// [`WireError::Truncated`], [`WireError::Malformed`] where types are missing, and [`WireError::WrongArguments`] for
/// types that have no meaning.
pub fn split_query(body: &Bytes) -> Result<(Vec<Attribute>, Bytes), WireError> {
    let mut reader = Reader::new(body, "query attributes");
    let count = count(&mut reader)?;
    // The number of sets of values.
    if reader.int()? != 1 {
        return Err(reader.malformed());
    }
    let attributes = if count == 0 { Vec::new() } else { attributes(&mut reader, count, body)? };
    Ok((attributes, body.slice(body.len() - reader.rest().len()..)))
}

/// Reads how many values a command carries.
pub(super) fn count(reader: &mut Reader<'_>) -> Result<u16, WireError> {
    let count = reader.int()?;
    if count > MOST {
        return Err(reader.malformed());
    }
    u16::try_from(count).map_err(|_| reader.malformed())
}

/// Reads types and names.
pub(super) fn types(reader: &mut Reader<'_>, count: u16) -> Result<Vec<(ParameterType, String)>, WireError> {
    let mut types = Vec::new();
    for _ in 0..count {
        let parameter_type = ParameterType::decode(reader.array()?)?;
        types.push((parameter_type, String::from_utf8_lossy(reader.string()?).into_owned()));
    }
    Ok(types)
}

fn attributes(reader: &mut Reader<'_>, count: u16, body: &Bytes) -> Result<Vec<Attribute>, WireError> {
    let nulls = reader.bytes(usize::from(count).div_ceil(8))?;
    if reader.u8()? == 0 {
        return Err(reader.malformed());
    }
    let types = types(reader, count)?;
    let mut attributes = Vec::with_capacity(types.len());
    for (position, (parameter_type, name)) in (0..count).zip(types) {
        let null = nulls.get(usize::from(position / 8)).is_some_and(|byte| byte >> (position % 8) & 1 == 1);
        let bytes = if null { None } else { read_value(reader, parameter_type, body)? };
        let value = bytes.map_or(Value::Null, |bytes| value_of(parameter_type, &bytes));
        attributes.push(Attribute { name, value });
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(body: &'static [u8]) -> Result<(Vec<Attribute>, Bytes), WireError> {
        split_query(&Bytes::from_static(body))
    }

    #[test]
    fn the_text_follows_the_attributes() {
        assert_eq!(split(b"\x00\x01SELECT 1").unwrap(), (Vec::new(), Bytes::from_static(b"SELECT 1")));
        let (attributes, sql) =
            split(b"\x03\x01\x02\x01\xfe\x00\x02n1\x06\x00\x01x\x08\x80\x00\x02v1\x07\0\0\0\0\0\0\0SELECT 2")
                .unwrap();
        assert_eq!(sql, &b"SELECT 2"[..]);
        let values: Vec<_> = attributes.iter().map(|one| (&*one.name, one.value.clone())).collect();
        assert_eq!(values, [("n1", Value::Text(b"v1".to_vec())), ("x", Value::Null), ("", Value::Int(7))]);
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        let whole = b"\x01\x01\x00\x01\xfe\x00\x02n1\x02v1";
        for end in 0..whole.len() {
            assert!(split(&whole[..end]).is_err(), "{end}");
        }
        assert!(split(b"\x00\x02SELECT 1").is_err());
        assert!(split(b"SELECT 1").is_err());
        assert!(split(b"\x01\x01\x00\x00\xfe\x00\x02n1\x02v1").is_err());
        assert!(split(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01").is_err());
    }
}
