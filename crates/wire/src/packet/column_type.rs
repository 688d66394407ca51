//! The type bytes of column definitions and parameters.
//!
//! [Manual, "enum_field_types"](https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html).

/// DECIMAL before 5.0.
pub const MYSQL_TYPE_DECIMAL: u8 = 0x00;
/// TINYINT.
pub const MYSQL_TYPE_TINY: u8 = 0x01;
/// SMALLINT.
pub const MYSQL_TYPE_SHORT: u8 = 0x02;
/// INT.
pub const MYSQL_TYPE_LONG: u8 = 0x03;
/// FLOAT.
pub const MYSQL_TYPE_FLOAT: u8 = 0x04;
/// DOUBLE.
pub const MYSQL_TYPE_DOUBLE: u8 = 0x05;
/// NULL.
pub const MYSQL_TYPE_NULL: u8 = 0x06;
/// TIMESTAMP.
pub const MYSQL_TYPE_TIMESTAMP: u8 = 0x07;
/// BIGINT.
pub const MYSQL_TYPE_LONGLONG: u8 = 0x08;
/// MEDIUMINT.
pub const MYSQL_TYPE_INT24: u8 = 0x09;
/// DATE.
pub const MYSQL_TYPE_DATE: u8 = 0x0a;
/// TIME.
pub const MYSQL_TYPE_TIME: u8 = 0x0b;
/// DATETIME.
pub const MYSQL_TYPE_DATETIME: u8 = 0x0c;
/// YEAR.
pub const MYSQL_TYPE_YEAR: u8 = 0x0d;
/// DATE as stored; never sent.
pub const MYSQL_TYPE_NEWDATE: u8 = 0x0e;
/// VARCHAR as declared; sent as [`MYSQL_TYPE_VAR_STRING`].
pub const MYSQL_TYPE_VARCHAR: u8 = 0x0f;
/// BIT.
pub const MYSQL_TYPE_BIT: u8 = 0x10;
/// TIMESTAMP with fractional seconds as stored; never sent.
pub const MYSQL_TYPE_TIMESTAMP2: u8 = 0x11;
/// DATETIME with fractional seconds as stored; never sent.
pub const MYSQL_TYPE_DATETIME2: u8 = 0x12;
/// TIME with fractional seconds as stored; never sent.
pub const MYSQL_TYPE_TIME2: u8 = 0x13;
/// MySQL 9: VECTOR.
pub const MYSQL_TYPE_VECTOR: u8 = 0xf2;
/// MySQL: JSON.
pub const MYSQL_TYPE_JSON: u8 = 0xf5;
/// DECIMAL.
pub const MYSQL_TYPE_NEWDECIMAL: u8 = 0xf6;
/// ENUM as declared; sent as [`MYSQL_TYPE_STRING`] with [`ENUM_FLAG`](super::ColumnFlags::ENUM_FLAG).
pub const MYSQL_TYPE_ENUM: u8 = 0xf7;
/// SET as declared; sent as [`MYSQL_TYPE_STRING`] with [`SET_FLAG`](super::ColumnFlags::SET_FLAG).
pub const MYSQL_TYPE_SET: u8 = 0xf8;
/// TINYTEXT and TINYBLOB.
pub const MYSQL_TYPE_TINY_BLOB: u8 = 0xf9;
/// MEDIUMTEXT and MEDIUMBLOB.
pub const MYSQL_TYPE_MEDIUM_BLOB: u8 = 0xfa;
/// LONGTEXT and LONGBLOB.
pub const MYSQL_TYPE_LONG_BLOB: u8 = 0xfb;
/// TEXT and BLOB.
pub const MYSQL_TYPE_BLOB: u8 = 0xfc;
/// VARCHAR and VARBINARY.
pub const MYSQL_TYPE_VAR_STRING: u8 = 0xfd;
/// CHAR, BINARY, ENUM and SET.
pub const MYSQL_TYPE_STRING: u8 = 0xfe;
/// Spatial types.
pub const MYSQL_TYPE_GEOMETRY: u8 = 0xff;

/// Whether values of the type are character or binary strings.
#[must_use]
pub const fn is_string(column_type: u8) -> bool {
    matches!(column_type, MYSQL_TYPE_VARCHAR | MYSQL_TYPE_VECTOR..=MYSQL_TYPE_GEOMETRY)
        && column_type != MYSQL_TYPE_NEWDECIMAL
}

/// Whether a parameter may have the type. Servers refuse the others, and a few more that only columns have.
#[must_use]
pub const fn is_parameter(column_type: u8) -> bool {
    matches!(
        column_type,
        MYSQL_TYPE_DECIMAL..=MYSQL_TYPE_YEAR
            | MYSQL_TYPE_VARCHAR
            | MYSQL_TYPE_BIT
            | MYSQL_TYPE_VECTOR
            | MYSQL_TYPE_JSON..=MYSQL_TYPE_GEOMETRY
    )
}
