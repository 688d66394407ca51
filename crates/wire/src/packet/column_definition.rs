//! Protocol::ColumnDefinition41: one column of a result set.
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html).

use std::ops::Range;

use bytes::Bytes;

use super::column_type;
use crate::flags::flag_word;
use crate::lenenc::{Reader, write_int, write_nullable, write_string};
use crate::{Capabilities, WireError};

/// The collation id of binary strings, and of all that is no string.
pub const CHARSET_BINARY: u16 = 63;
/// The id of utf8mb4_general_ci.
pub const CHARSET_UTF8MB4: u16 = 45;

/// The length of the fields after the names: charset, length, type, flags, decimals and two bytes of filler.
const FIXED_LENGTH: u64 = 12;

flag_word! {
    /// The flags of a column definition.
    ColumnFlags: u16 {
        /// NOT NULL.
        NOT_NULL_FLAG = 1;
        /// Part of the primary key.
        PRI_KEY_FLAG = 1 << 1;
        /// Part of a unique key.
        UNIQUE_KEY_FLAG = 1 << 2;
        /// Part of a key.
        MULTIPLE_KEY_FLAG = 1 << 3;
        /// TEXT or BLOB.
        BLOB_FLAG = 1 << 4;
        /// UNSIGNED.
        UNSIGNED_FLAG = 1 << 5;
        /// ZEROFILL.
        ZEROFILL_FLAG = 1 << 6;
        /// A binary collation.
        BINARY_FLAG = 1 << 7;
        /// ENUM.
        ENUM_FLAG = 1 << 8;
        /// AUTO_INCREMENT.
        AUTO_INCREMENT_FLAG = 1 << 9;
        /// TIMESTAMP.
        TIMESTAMP_FLAG = 1 << 10;
        /// SET.
        SET_FLAG = 1 << 11;
        /// No default value.
        NO_DEFAULT_VALUE_FLAG = 1 << 12;
        /// Set to NOW() on UPDATE.
        ON_UPDATE_NOW_FLAG = 1 << 13;
        /// Part of some key.
        PART_KEY_FLAG = 1 << 14;
        /// A number; set by client libraries, not by servers.
        NUM_FLAG = 1 << 15;
    }
}

/// A column's name and type. Names are in the connection's character set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Always `def`.
    pub catalog: Bytes,
    /// The database.
    pub schema: Bytes,
    /// The table's alias.
    pub table: Bytes,
    /// The table's own name.
    pub org_table: Bytes,
    /// The column's alias.
    pub name: Bytes,
    /// The column's own name.
    pub org_name: Bytes,
    /// The id of the collation.
    pub charset: u16,
    /// The largest display length, in bytes.
    pub length: u32,
    /// One of [`column_type`](super::column_type).
    pub column_type: u8,
    /// [`ColumnFlags`].
    pub flags: u16,
    /// Digits after the point; 31 where that has no meaning.
    pub decimals: u8,
}

impl ColumnDefinition {
    /// A column that belongs to no table, as of an expression: strings in utf8mb4, anything else binary.
    #[must_use]
    pub fn new(name: impl Into<Bytes>, column_type: u8) -> Self {
        let text = column_type::is_string(column_type);
        let (charset, length, flags) = if text {
            (CHARSET_UTF8MB4, 1024, ColumnFlags::empty())
        } else {
            (CHARSET_BINARY, 21, ColumnFlags::BINARY_FLAG)
        };
        Self {
            catalog: Bytes::from_static(b"def"),
            schema: Bytes::new(),
            table: Bytes::new(),
            org_table: Bytes::new(),
            name: name.into(),
            org_name: Bytes::new(),
            charset,
            length,
            column_type,
            flags: flags.bits(),
            decimals: 0,
        }
    }

    /// Whether all of `flags` are set.
    #[must_use]
    pub const fn has(&self, flags: ColumnFlags) -> bool {
        ColumnFlags::from_bits(self.flags).contains(flags)
    }

    /// Decodes a payload.
    ///
    /// # Errors
    /// [`WireError::Truncated`] and [`WireError::Malformed`].
    pub fn decode(payload: &[u8], caps: Capabilities) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "column definition");
        let mut spans = [const { 0..0 }; 6];
        for span in &mut spans {
            *span = string_span(&mut reader, payload.len())?;
        }
        let names = payload.len() - reader.rest().len();
        if caps.contains(Capabilities::MARIADB_CLIENT_EXTENDED_METADATA) {
            reader.string()?;
        }
        if reader.int()? < FIXED_LENGTH {
            return Err(reader.malformed());
        }
        // One copy for all names.
        let text = Bytes::copy_from_slice(payload.get(..names).unwrap_or_default());
        let [catalog, schema, table, org_table, name, org_name] = spans.map(|span| text.slice(span));
        let (charset, length, column_type) = (reader.u16()?, reader.u32()?, reader.u8()?);
        let (flags, decimals) = (reader.u16()?, reader.u8()?);
        reader.bytes(2)?;
        Ok(Self {
            catalog,
            schema,
            table,
            org_table,
            name,
            org_name,
            charset,
            length,
            column_type,
            flags,
            decimals,
        })
    }

    /// Encodes the payload.
    pub fn encode(&self, caps: Capabilities, out: &mut Vec<u8>) {
        for text in [&self.catalog, &self.schema, &self.table, &self.org_table, &self.name, &self.org_name] {
            write_string(out, text);
        }
        if caps.contains(Capabilities::MARIADB_CLIENT_EXTENDED_METADATA) {
            write_string(out, b"");
        }
        write_int(out, FIXED_LENGTH);
        out.extend_from_slice(&self.charset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.push(self.column_type);
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.push(self.decimals);
        out.extend_from_slice(&[0; 2]);
    }

    /// Encodes the payload as COM_FIELD_LIST's answer has it, with the column's default value at the end.
    pub fn encode_with_default(&self, caps: Capabilities, default: Option<&[u8]>, out: &mut Vec<u8>) {
        self.encode(caps, out);
        write_nullable(out, default);
    }
}

/// Reads `string<lenenc>` and tells where in the payload it lies.
fn string_span(reader: &mut Reader<'_>, payload: usize) -> Result<Range<usize>, WireError> {
    let length = reader.string()?.len();
    let end = payload - reader.rest().len();
    Ok(end - length..end)
}

#[cfg(test)]
mod tests {
    use super::super::truncation;
    use super::*;

    /// MariaDB's definition of an INT primary key.
    const KEY: &[u8] = b"\x03def\x01d\x01t\x01t\x01a\x01a\x0c\x3f\0\x0b\0\0\0\x03\x03\x42\0\0\0";

    fn decode(payload: &[u8]) -> Result<ColumnDefinition, WireError> {
        ColumnDefinition::decode(payload, Capabilities::empty())
    }

    #[test]
    fn names_type_and_flags() {
        let column = decode(KEY).unwrap();
        assert_eq!((&column.catalog[..], &column.schema[..]), (&b"def"[..], &b"d"[..]));
        assert_eq!((&column.org_table[..], &column.org_name[..]), (&b"t"[..], &b"a"[..]));
        assert_eq!((column.charset, column.length), (CHARSET_BINARY, 11));
        assert_eq!(column.column_type, column_type::MYSQL_TYPE_LONG);
        assert!(
            column.has(
                ColumnFlags::PRI_KEY_FLAG | ColumnFlags::AUTO_INCREMENT_FLAG | ColumnFlags::NOT_NULL_FLAG
            )
        );
        let mut again = Vec::new();
        column.encode(Capabilities::empty(), &mut again);
        assert_eq!(again, KEY);
        truncation::check(KEY, KEY.len(), decode);
    }

    #[test]
    fn mariadbs_type_names_are_stepped_over() {
        let caps = Capabilities::MARIADB_CLIENT_EXTENDED_METADATA;
        let mut payload = KEY[..14].to_vec();
        payload.extend_from_slice(b"\x06\0\x04uuid");
        payload.extend_from_slice(&KEY[14..]);
        assert_eq!(ColumnDefinition::decode(&payload, caps), decode(KEY));
        assert!(decode(&payload).is_err());
    }

    #[test]
    fn a_field_list_adds_the_default() {
        let column = ColumnDefinition::new("n", column_type::MYSQL_TYPE_VAR_STRING);
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        column.encode(Capabilities::empty(), &mut plain);
        column.encode_with_default(Capabilities::empty(), None, &mut out);
        assert_eq!(out[plain.len()..], [0xfb]);
        assert_eq!(decode(&out).unwrap(), column);
    }

    #[test]
    fn expressions_have_a_charset_by_their_type() {
        assert_eq!(ColumnDefinition::new("s", column_type::MYSQL_TYPE_VAR_STRING).charset, CHARSET_UTF8MB4);
        assert_eq!(ColumnDefinition::new("n", column_type::MYSQL_TYPE_LONGLONG).charset, CHARSET_BINARY);
        assert_eq!(ColumnDefinition::new("d", column_type::MYSQL_TYPE_NEWDECIMAL).charset, CHARSET_BINARY);
    }
}
