use std::sync::Arc;

use bytes::Bytes;
use serval_types::Value;

use super::*;
use crate::WireError;
use crate::command::Command;
use crate::packet::column_type::*;

fn no_long_data(_: u16) -> Option<Bytes> {
    None
}

/// Decodes one new parameter of this type.
fn decode_one(column_type: u8, sign: u8, bytes: &[u8]) -> Result<Parameters, WireError> {
    let body = [&[0, 1, column_type, sign], bytes].concat();
    Parameters::decode(&Bytes::from(body), 1, None, no_long_data)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn values_of_every_type() {
    let cases: [(u8, u8, &[u8], Value); 39] = [
        (MYSQL_TYPE_TINY, 0, b"\xff", Value::Int(-1)),
        (MYSQL_TYPE_TINY, 0x80, b"\xff", Value::Int(255)),
        (MYSQL_TYPE_SHORT, 0, b"\0\x80", Value::Int(-32_768)),
        (MYSQL_TYPE_SHORT, 0x80, b"\0\x80", Value::Int(32_768)),
        (MYSQL_TYPE_YEAR, 0x80, b"\xe8\x07", Value::Int(2024)),
        (MYSQL_TYPE_INT24, 0, b"\xff\xff\xff\xff", Value::Int(-1)),
        (MYSQL_TYPE_LONG, 0, b"\0\0\0\x80", Value::Int(i32::MIN.into())),
        (MYSQL_TYPE_LONG, 0x80, b"\0\0\0\x80", Value::Int(1 << 31)),
        (MYSQL_TYPE_LONGLONG, 0, &[0xff; 8], Value::Int(-1)),
        (MYSQL_TYPE_LONGLONG, 0x80, &[0xff; 8], Value::UInt(u64::MAX)),
        (MYSQL_TYPE_FLOAT, 0, b"\xcd\xcc\x8c\x3f", Value::Double(1.100_000_023_841_858)),
        (MYSQL_TYPE_DOUBLE, 0, b"\x9a\x99\x99\x99\x99\x99\xf1\x3f", Value::Double(1.1)),
        (MYSQL_TYPE_NULL, 0, b"", Value::Null),
        (MYSQL_TYPE_NEWDECIMAL, 0, b"\x05-1.50", Value::decimal("-1.50")),
        (MYSQL_TYPE_DECIMAL, 0, b"\x0218", Value::decimal("18")),
        (MYSQL_TYPE_DECIMAL, 0, b"\x0b1e999999999", text("1e999999999")),
        (MYSQL_TYPE_VARCHAR, 0, b"\x02ab", text("ab")),
        (MYSQL_TYPE_VAR_STRING, 0, b"\0", text("")),
        (MYSQL_TYPE_STRING, 0, b"\x01a", text("a")),
        (MYSQL_TYPE_ENUM, 0, b"\x01a", text("a")),
        (MYSQL_TYPE_SET, 0, b"\x03a,b", text("a,b")),
        (MYSQL_TYPE_JSON, 0, b"\x02[]", text("[]")),
        (MYSQL_TYPE_TINY_BLOB, 0, b"\x02\0\xff", Value::Bytes(b"\0\xff".into())),
        (MYSQL_TYPE_MEDIUM_BLOB, 0, b"\x01a", Value::Bytes(b"a".into())),
        (MYSQL_TYPE_LONG_BLOB, 0, b"\x01a", Value::Bytes(b"a".into())),
        (MYSQL_TYPE_BLOB, 0, b"\x01a", Value::Bytes(b"a".into())),
        (MYSQL_TYPE_BIT, 0, b"\x01\x03", Value::Bytes(b"\x03".into())),
        (MYSQL_TYPE_GEOMETRY, 0, b"\x01a", Value::Bytes(b"a".into())),
        (MYSQL_TYPE_VECTOR, 0, b"\x04\0\0\x80\x3f", Value::Bytes(b"\0\0\x80\x3f".into())),
        (MYSQL_TYPE_DATE, 0, b"\0", Value::Moment("0000-00-00".to_owned())),
        (MYSQL_TYPE_DATE, 0, b"\x04\xe8\x07\x02\x1d", Value::Moment("2024-02-29".to_owned())),
        (MYSQL_TYPE_DATE, 0, b"\x07\xe8\x07\x02\x1d\x01\x02\x03", Value::Moment("2024-02-29".to_owned())),
        (MYSQL_TYPE_DATETIME, 0, b"\0", Value::Moment("0000-00-00 00:00:00".to_owned())),
        (MYSQL_TYPE_DATETIME, 0, b"\x04\xe8\x07\x02\x1d", Value::Moment("2024-02-29 00:00:00".to_owned())),
        (
            MYSQL_TYPE_TIMESTAMP,
            0,
            b"\x07\xe8\x07\x02\x1d\x01\x02\x03",
            Value::Moment("2024-02-29 01:02:03".to_owned()),
        ),
        (
            MYSQL_TYPE_DATETIME,
            0,
            b"\x0b\xe8\x07\x02\x1d\x01\x02\x03\x07\0\0\0",
            Value::Moment("2024-02-29 01:02:03.000007".to_owned()),
        ),
        (MYSQL_TYPE_TIME, 0, b"\0", Value::Time("00:00:00".to_owned())),
        (MYSQL_TYPE_TIME, 0, b"\x08\x01\x22\0\0\0\x16\x3b\x3b", Value::Time("-838:59:59".to_owned())),
        (
            MYSQL_TYPE_TIME,
            0,
            b"\x0c\0\x01\0\0\0\x02\x03\x04\x07\0\0\0",
            Value::Time("26:03:04.000007".to_owned()),
        ),
    ];
    for (column_type, sign, bytes, value) in cases {
        let parameters = decode_one(column_type, sign, bytes).unwrap();
        assert_eq!(parameters.value(0), value);
        assert_eq!(parameters.values(), [value]);
        for length in 0..bytes.len() {
            let cut = decode_one(column_type, sign, &bytes[..length]);
            assert!(matches!(cut, Err(WireError::Truncated { .. })), "{column_type:#x} cut at {length}");
        }
    }
}

#[test]
fn lengths_that_no_date_has_are_refused() {
    for (column_type, lengths) in [
        (MYSQL_TYPE_DATE, &[0, 4, 7, 11][..]),
        (MYSQL_TYPE_DATETIME, &[0, 4, 7, 11]),
        (MYSQL_TYPE_TIME, &[0, 8, 12]),
    ] {
        for length in 0..=250 {
            let mut bytes = vec![length];
            bytes.resize(1 + usize::from(length), 0);
            let decoded = decode_one(column_type, 0, &bytes);
            assert_eq!(decoded.is_ok(), lengths.contains(&length), "{length} bytes");
        }
    }
}

#[test]
fn types_that_no_parameter_has_are_refused() {
    for column_type in 0..=255 {
        let decoded = decode_one(column_type, 0, &[0; 9]);
        let column_only = matches!(column_type, 0x0e | 0x11..=0xf1 | 0xf3 | 0xf4);
        assert_eq!(decoded.is_err(), column_only, "{column_type:#x}");
    }
    for sign in 1..=255 {
        assert_eq!(decode_one(MYSQL_TYPE_LONG, sign, &[0; 4]).is_err(), sign != 0x80);
    }
    let error = decode_one(0x11, 0, b"\0").unwrap_err();
    assert_eq!(error.to_mysql().number, 1210);
}

/// INT 7, NULL, 'ab', unsigned BIGINT 9.
const FOUR: &[u8] = b"\x02\x01\x03\0\x06\0\xfd\0\x08\x80\x07\0\0\0\x02ab\x09\0\0\0\0\0\0\0";

fn four() -> Parameters {
    Parameters::decode(&Bytes::from_static(FOUR), 4, None, no_long_data).unwrap()
}

#[test]
fn bytes_are_kept_as_they_came() {
    let parameters = four();
    assert_eq!((parameters.len(), parameters.is_empty()), (4, false));
    assert_eq!(parameters.raw(0), Some(&Bytes::from_static(b"\x07\0\0\0")));
    assert_eq!((parameters.raw(1), parameters.raw(4)), (None, None));
    assert_eq!(parameters.raw(2).unwrap(), "ab");
    assert_eq!(parameters.values(), [Value::Int(7), Value::Null, text("ab"), Value::Int(9)]);
    assert_eq!(parameters.value(4), Value::Null);
    assert_eq!(parameters.types()[3], ParameterType { column_type: MYSQL_TYPE_LONGLONG, unsigned: true });
}

#[test]
fn every_truncation_fails_and_more_is_ignored() {
    let decode = |body: &[u8]| Parameters::decode(&Bytes::copy_from_slice(body), 4, None, no_long_data);
    for length in 0..FOUR.len() {
        assert!(decode(&FOUR[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(decode(&[FOUR, b"more"].concat()), Ok(four()));
}

#[test]
fn types_are_remembered() {
    let types = Arc::clone(four().types());
    let body = Bytes::from_static(b"\x0e\0\x05\0\0\0");
    let again = Parameters::decode(&body, 4, Some(&types), no_long_data).unwrap();
    assert_eq!(again.values(), [Value::Int(5), Value::Null, Value::Null, Value::Null]);
    assert!(Arc::ptr_eq(again.types(), &types));
    // Types of another statement, or of none.
    for (count, remembered) in [(3, Some(&types)), (4, None)] {
        let refused = Parameters::decode(&body, count, remembered, no_long_data).unwrap_err();
        assert_eq!(refused.to_mysql().number, 1210);
    }
    assert!(Parameters::decode(&Bytes::from_static(b"\0\x02"), 1, Some(&types), no_long_data).is_err());
}

#[test]
fn a_statement_without_parameters_needs_no_bytes() {
    for body in [&b""[..], b"\x01", b"\0\x01junk"] {
        let parameters = Parameters::decode(&Bytes::from_static(body), 0, None, no_long_data).unwrap();
        assert!(parameters.is_empty());
        let mut out = Vec::new();
        encode_execute(7, CURSOR_TYPE_NO_CURSOR, &parameters, &[], &mut out).unwrap();
        assert_eq!(out, b"\x17\x07\0\0\0\0\x01\0\0\0");
    }
}

#[test]
fn long_data_comes_before_null_and_stands_in_no_packet() {
    let data = |position| (position != 1).then(|| Bytes::from_static(b"long"));
    // A BLOB marked NULL, an INT, a string without bytes of its own.
    let body = Bytes::from_static(b"\x01\x01\xfc\0\x03\0\xfd\0\x07\0\0\0");
    let parameters = Parameters::decode(&body, 3, None, data).unwrap();
    assert_eq!(parameters.values(), [Value::Bytes(b"long".into()), Value::Int(7), text("long")]);
    let mut out = Vec::new();
    encode_execute(7, 0, &parameters, &[2], &mut out).unwrap();
    assert_eq!(out[10..], *b"\0\x01\xfd\0\x04long");

    let refused = Parameters::decode(&body, 3, None, |_| Some(Bytes::from_static(b"12"))).unwrap_err();
    assert_eq!(refused.to_mysql().number, 1210);
}

#[test]
fn an_execution_goes_on_unchanged() {
    let mut out = Vec::new();
    encode_execute(0x0403_0201, CURSOR_TYPE_READ_ONLY, &four(), &[0, 1, 2, 3], &mut out).unwrap();
    assert_eq!(out[..10], *b"\x17\x01\x02\x03\x04\x01\x01\0\0\0");
    assert_eq!(out[10..], *FOUR);
}

#[test]
fn parameters_go_where_they_are_wanted() {
    let mut out = Vec::new();
    encode_execute(7, 0, &four(), &[2, 0, 2, 1, 1, 1, 1, 1, 1], &mut out).unwrap();
    let types = b"\xfd\0\x03\0\xfd\0\x06\0\x06\0\x06\0\x06\0\x06\0\x06\0";
    assert_eq!(out[10..], [b"\xf8\x01\x01", &types[..], b"\x02ab\x07\0\0\0\x02ab"].concat());
    let Ok(Command::Execute(execute)) = Command::decode(&out) else { panic!("no COM_STMT_EXECUTE") };
    let again = execute.shared_parameters(&Bytes::from(out.clone()));
    let again = Parameters::decode(&again, 9, None, no_long_data).unwrap();
    assert_eq!(again.values()[..4], [text("ab"), Value::Int(7), text("ab"), Value::Null]);
    assert!(encode_execute(7, 0, &four(), &[4], &mut out).is_err());
}

#[test]
fn servers_get_types_that_they_know() {
    let body = b"\0\x01\x0d\0\x09\x80\x10\0\xf5\0\xf7\0\xff\0\xe8\x07\x01\0\0\0\x01\x03\x02[]\x01x\x01g";
    let parameters = Parameters::decode(&Bytes::from_static(body), 6, None, no_long_data).unwrap();
    let mut out = Vec::new();
    encode_execute(7, 0, &parameters, &[0, 1, 2, 3, 4, 5], &mut out).unwrap();
    assert_eq!(out[12..24], *b"\x02\0\x03\x80\xfc\0\xfd\0\xfd\0\xfc\0");
    assert_eq!(out[24..], body[14..]);
}

#[test]
fn values_can_be_added() {
    let values = [
        Value::Null,
        Value::Int(-1),
        Value::UInt(u64::MAX),
        Value::decimal("-123456789012345678901234567890.5"),
        Value::Double(1.5),
        text("ab"),
        Value::Bytes(b"\0".into()),
    ];
    let mut parameters = four();
    values.iter().for_each(|value| parameters.push(value));
    assert_eq!(parameters.values()[4..], values);
    let mut out = Vec::new();
    encode_execute(7, 0, &parameters, &[4, 5, 6, 7, 8, 9, 10], &mut out).unwrap();
    let body = Bytes::from(out.split_off(10));
    assert_eq!(Parameters::decode(&body, 7, None, no_long_data).unwrap().values(), values);
}

#[test]
fn values_go_between_others() {
    let mut parameters = Parameters::none();
    parameters.insert(9, &Value::Int(3));
    parameters.insert(0, &Value::Text(b"1".to_vec()));
    parameters.insert(1, &Value::Null);
    assert_eq!(parameters.values(), [Value::Text(b"1".to_vec()), Value::Null, Value::Int(3)]);
    assert_eq!((parameters.types().len(), parameters.len()), (3, 3));
}
