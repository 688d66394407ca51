use bytes::BytesMut;

use super::*;
use crate::frame::{MAX_PAYLOAD, write_packet};
use crate::packet::{ColumnDefinition, ErrPacket, PrepareOk, column_type};
use crate::{Capabilities, StatusFlags, WireError};

const PREPARE_OK: &[u8] = b"\x0c\0\0\x01\0\x01\0\0\0\x02\0\x02\0\0\0\0";
/// What `SELECT a, b FROM t WHERE a = ? AND b = ?` is answered after the first packet; without sequence ids.
const MARIADB_PARAMETER: &[u8] = b"\x03def\0\0\0\x01?\0\x0c\x3f\0\0\0\0\0\x06\x80\0\0\0\0";
const MYSQL_PARAMETERS: [&[u8]; 2] = [
    b"\x03def\0\0\0\x01?\0\x0c\x3f\0\x15\0\0\0\x08\x80\0\0\0\0",
    b"\x03def\0\0\0\x01?\0\x0c\x2d\0\xfc\xff\0\0\xfd\0\0\x1f\0\0",
];
const COLUMNS: [&[u8]; 2] = [
    b"\x03def\x01d\x01t\x01t\x01a\x01a\x0c\x3f\0\x0b\0\0\0\x03\x03\x42\0\0\0",
    b"\x03def\x01d\x01t\x01t\x01b\x01b\x0c\x2d\0\x50\0\0\0\xfd\0\0\0\0\0",
];
const EOF: &[u8] = b"\xfe\0\0\x02\0";

fn frames(first: &[u8], payloads: &[&[u8]]) -> BytesMut {
    let (mut out, mut sequence) = (BytesMut::from(first), 2);
    payloads.iter().for_each(|payload| write_packet(&mut out, &mut sequence, payload));
    out
}

/// The answer of MariaDB 10.11 or MySQL 9.7 to `SELECT a, b FROM t WHERE a = ? AND b = ?`.
fn captured(deprecate_eof: bool, parameters: [&[u8]; 2]) -> BytesMut {
    let ([one, two], [a, b]) = (parameters, COLUMNS);
    let packets: &[&[u8]] = if deprecate_eof { &[one, two, a, b] } else { &[one, two, EOF, a, b, EOF] };
    frames(PREPARE_OK, packets)
}

fn scan(deprecate_eof: bool, bytes: &[u8]) -> Result<PrepareScanned, WireError> {
    PrepareScanner::new(deprecate_eof).scan(bytes)
}

fn prepared(deprecate_eof: bool, bytes: &[u8]) -> Prepared {
    let scanned = scan(deprecate_eof, bytes).unwrap();
    assert_eq!(scanned.consumed, bytes.len());
    scanned.complete.unwrap().unwrap()
}

fn write(prepared: &Prepared, deprecate_eof: bool) -> BytesMut {
    let (mut out, mut sequence) = (BytesMut::new(), 1);
    let mut caps = Capabilities::empty();
    caps.set(Capabilities::CLIENT_DEPRECATE_EOF, deprecate_eof);
    prepared.write(caps, None, StatusFlags::SERVER_STATUS_AUTOCOMMIT, &mut sequence, &mut out);
    out
}

#[test]
fn servers_answers_are_read_and_written_alike() {
    for parameters in [[MARIADB_PARAMETER; 2], MYSQL_PARAMETERS] {
        for deprecate_eof in [false, true] {
            let answer = captured(deprecate_eof, parameters);
            let prepared = prepared(deprecate_eof, &answer);
            assert_eq!(prepared.ok, PrepareOk { statement: 1, columns: 2, parameters: 2, warnings: 0 });
            assert!(prepared.parameters.iter().all(|parameter| parameter.name == "?"));
            assert_eq!(prepared.parameters[1].column_type, parameters[1][MARIADB_PARAMETER.len() - 6]);
            assert_eq!(
                (&prepared.columns[0].name[..], &prepared.columns[1].name[..]),
                (&b"a"[..], &b"b"[..])
            );
            assert_eq!(write(&prepared, deprecate_eof), answer);
        }
    }
}

#[test]
fn lists_may_be_empty() {
    let ok = |columns, parameters| PrepareOk { statement: 7, columns, parameters, warnings: 1 };
    let definition = ColumnDefinition::new("?", column_type::MYSQL_TYPE_LONG);
    for (parameters, columns) in [(0, 0), (1, 0), (0, 1), (3, 2)] {
        let sent = Prepared {
            ok: ok(columns, parameters),
            parameters: vec![definition.clone(); parameters.into()],
            columns: vec![definition.clone(); columns.into()],
        };
        for deprecate_eof in [false, true] {
            assert_eq!(prepared(deprecate_eof, &write(&sent, deprecate_eof)), sent);
        }
    }
}

#[test]
fn every_truncation_waits_and_goes_on() {
    for deprecate_eof in [false, true] {
        let answer = captured(deprecate_eof, MYSQL_PARAMETERS);
        for length in 0..answer.len() {
            let mut scanner = PrepareScanner::new(deprecate_eof);
            let scanned = scanner.scan(&answer[..length]).unwrap();
            assert!(scanned.complete.is_none() && scanned.consumed <= length);
            let rest = scanner.scan(&answer[scanned.consumed..]).unwrap();
            assert_eq!(scanned.consumed + rest.consumed, answer.len());
            assert_eq!(rest.complete.unwrap().unwrap(), prepared(deprecate_eof, &answer));
        }
    }
}

#[test]
fn what_follows_an_answer_is_left_alone() {
    let answer = captured(true, MYSQL_PARAMETERS);
    let both = [&answer[..], &answer[..]].concat();
    assert_eq!(scan(true, &both).unwrap().consumed, answer.len());
}

#[test]
fn an_error_comes_in_place_of_a_statement() {
    let answer = b"\x0b\0\0\x01\xff\x28\x04#42000no";
    let scanned = scan(true, answer).unwrap();
    let error = ErrPacket { number: 1064, sqlstate: *b"42000", message: b"no".to_vec() };
    assert_eq!(scanned.complete, Some(Err(error)));
}

#[test]
fn other_packets_are_refused() {
    let bad: [BytesMut; 5] = [
        frames(b"\x01\0\0\x01\0", &[]),
        frames(b"\0\0\0\x01", &[]),
        frames(PREPARE_OK, &[b""]),
        frames(PREPARE_OK, &[MARIADB_PARAMETER, MARIADB_PARAMETER, COLUMNS[0]]),
        frames(PREPARE_OK, &[EOF]),
    ];
    for answer in bad {
        assert!(scan(false, &answer).is_err(), "{answer:?}");
    }
    let twice = [PREPARE_OK, PREPARE_OK].concat();
    assert!(matches!(scan(true, &twice), Err(WireError::OutOfOrder { expected: 2, got: 1 })));
    assert!(scan(true, &frames(PREPARE_OK, &[&vec![0; MAX_PAYLOAD]])).is_err());
}
