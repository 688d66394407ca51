use bytes::{Bytes, BytesMut};

use super::*;
use crate::WireError;
use crate::frame::{MAX_PAYLOAD, write_packet};
use crate::packet::{ColumnDefinition, OkPacket, column_type};
use crate::{Capabilities, StatusFlags, lenenc, text_row};

/// A stream of packets whose sequence ids count from 1.
struct Answer {
    bytes: BytesMut,
    sequence: u8,
}

impl Answer {
    fn new() -> Self {
        Self { bytes: BytesMut::new(), sequence: 1 }
    }

    fn packet(mut self, payload: &[u8]) -> Self {
        write_packet(&mut self.bytes, &mut self.sequence, payload);
        self
    }

    fn columns(self, count: u8) -> Self {
        let mut definition = Vec::new();
        ColumnDefinition::new("c", column_type::MYSQL_TYPE_BLOB)
            .encode(Capabilities::empty(), &mut definition);
        (0..count).fold(self.packet(&[count]), |answer, _| answer.packet(&definition))
    }

    fn row(self, cell: &[u8]) -> Self {
        let mut payload = Vec::new();
        text_row::push_cell(&mut payload, Some(cell));
        self.packet(&payload)
    }

    fn end(self, deprecate_eof: bool, status: StatusFlags) -> Self {
        let mut payload = Vec::new();
        let mut caps = Capabilities::empty();
        caps.set(Capabilities::CLIENT_DEPRECATE_EOF, deprecate_eof);
        OkPacket { status, warnings: 2, ..OkPacket::default() }.encode_end(caps, &mut payload);
        self.packet(&payload)
    }
}

fn scan(deprecate_eof: bool, bytes: &[u8]) -> Result<Scanned, WireError> {
    ResponseScanner::new(deprecate_eof).scan(bytes)
}

fn parts(deprecate_eof: bool, bytes: &[u8]) -> Vec<Part> {
    let mut decoder = PartDecoder::new(deprecate_eof);
    decoder.push(Bytes::copy_from_slice(bytes));
    let parts = std::iter::from_fn(|| decoder.next().unwrap()).collect();
    assert_eq!(decoder.buffered(), 0);
    parts
}

fn rows(parts: Vec<Part>) -> Vec<Bytes> {
    parts.into_iter().filter_map(|part| if let Part::Row(row) = part { Some(row) } else { None }).collect()
}

/// Rows of `cell` bytes each, between a short one before and after, with and without `CLIENT_DEPRECATE_EOF`.
fn large_rows(cell: usize) {
    let cell = vec![0xfe; cell];
    for deprecate_eof in [false, true] {
        let mut answer = Answer::new().columns(1);
        if !deprecate_eof {
            answer = answer.end(false, StatusFlags::empty());
        }
        let answer = answer.row(b"a").row(&cell).row(b"b").end(deprecate_eof, StatusFlags::empty());
        let scanned = scan(deprecate_eof, &answer.bytes).unwrap();
        let completion = scanned.complete.unwrap();
        assert_eq!((scanned.consumed, completion.rows), (answer.bytes.len(), 3));
        assert_eq!((completion.kind, completion.warnings), (CompletionKind::ResultSet, 2));

        let rows = rows(parts(deprecate_eof, &answer.bytes));
        let mut expected = Vec::new();
        lenenc::write_string(&mut expected, &cell);
        assert_eq!((&rows[0][..], &rows[2][..]), (&b"\x01a"[..], &b"\x01b"[..]));
        assert!(rows[1] == expected, "a row of {} bytes came out otherwise", expected.len());
    }
}

#[test]
fn a_row_of_exactly_one_frame_is_followed_by_an_empty_one() {
    large_rows(MAX_PAYLOAD - 4);
}

#[test]
fn a_row_may_begin_like_an_end_where_it_fills_a_frame() {
    // Cells from 16 MiB on have a length that begins with 0xfe.
    large_rows(MAX_PAYLOAD + 1);
}

#[test]
fn a_row_may_have_many_frames() {
    large_rows(2 * MAX_PAYLOAD);
}

#[test]
fn a_large_row_is_not_consumed_before_its_frame_is_whole() {
    let answer = Answer::new().columns(1).row(&vec![0; MAX_PAYLOAD]);
    let columns = Answer::new().columns(1).bytes.len();
    let mut scanner = ResponseScanner::new(true);
    let scanned = scanner.scan(&answer.bytes[..columns + 100]).unwrap();
    assert_eq!((scanned.consumed, scanned.complete), (columns, None));
    let scanned = scanner.scan(&answer.bytes[columns..]).unwrap();
    assert_eq!(scanned.consumed, answer.bytes.len() - columns);
}

#[test]
fn rows_of_the_binary_protocol_are_framed_alike() {
    let answer =
        Answer::new().columns(1).packet(b"\0\0\x01a").packet(b"\0\x04").end(true, StatusFlags::empty());
    assert_eq!(scan(true, &answer.bytes).unwrap().complete.unwrap().rows, 2);
    assert_eq!(rows(parts(true, &answer.bytes)), [&b"\0\0\x01a"[..], b"\0\x04"]);
}

#[test]
fn results_of_all_kinds_follow_each_other() {
    let more = StatusFlags::SERVER_MORE_RESULTS_EXISTS;
    let mut ok = Vec::new();
    OkPacket { status: more, ..OkPacket::default() }.encode(Capabilities::empty(), &mut ok);
    let answer =
        Answer::new().packet(&ok).columns(2).row(b"a").end(true, more).packet(b"\xff\x7a\x04#42S02no");
    let completion = scan(true, &answer.bytes).unwrap().complete.unwrap();
    assert_eq!((completion.kind, completion.rows), (CompletionKind::Err, 1));
    assert_eq!(completion.error.unwrap().number, 1146);
    assert_eq!((completion.status, completion.status_offset), (StatusFlags::empty(), None));
    let parts = parts(true, &answer.bytes);
    assert!(
        matches!(&parts[..], [Part::Ok(_), Part::Columns(columns), Part::Row(_), Part::End(_), Part::Err(_)] if columns.len() == 2)
    );
}

#[test]
fn what_follows_an_answer_is_left_alone() {
    let one = Answer::new().packet(b"\0\0\0\x02\0\0\0");
    let both = [&one.bytes[..], &one.bytes].concat();
    let scanned = scan(true, &both).unwrap();
    assert_eq!(scanned.consumed, one.bytes.len());
    assert!(scanned.complete.is_some());
}

#[test]
fn the_status_can_be_changed_in_place() {
    let mut answer = Answer::new().columns(1).row(b"a").end(true, StatusFlags::SERVER_STATUS_AUTOCOMMIT);
    let offset = scan(true, &answer.bytes).unwrap().complete.unwrap().status_offset.unwrap();
    let status = StatusFlags::SERVER_STATUS_IN_TRANS;
    answer.bytes[offset..offset + 2].copy_from_slice(&status.bits().to_le_bytes());
    assert_eq!(scan(true, &answer.bytes).unwrap().complete.unwrap().status, status);
}

#[test]
fn sequence_ids_wrap_in_long_answers() {
    let answer = (0..1000).fold(Answer::new().columns(1), |answer, _| answer.row(b"a"));
    let mut answer = answer.end(true, StatusFlags::empty());
    assert_eq!(scan(true, &answer.bytes).unwrap().complete.unwrap().rows, 1000);
    let last = answer.bytes.len() - 8;
    answer.bytes[last] ^= 1;
    assert!(matches!(scan(true, &answer.bytes), Err(WireError::OutOfOrder { .. })));
}

#[test]
fn an_answer_goes_on_after_a_file_was_sent() {
    let mut scanner = ResponseScanner::with_sequence(true, 4);
    let scanned = scanner.scan(b"\x07\0\0\x04\0\x03\0\x02\0\0\0").unwrap();
    assert_eq!(scanned.complete.unwrap().affected_rows, 3);
}

#[test]
fn nothing_but_rows_and_columns_fills_a_frame() {
    for header in [0x00, 0xfb, 0xff] {
        let mut payload = vec![0; MAX_PAYLOAD];
        payload[0] = header;
        let answer = Answer::new().packet(&payload);
        assert!(matches!(scan(true, &answer.bytes), Err(WireError::Malformed { .. })));
    }
}

#[test]
fn every_truncation_of_an_answer_waits() {
    let answer = Answer::new().columns(2).row(b"abc").row(b"").end(true, StatusFlags::empty());
    for length in 0..answer.bytes.len() {
        let scanned = scan(true, &answer.bytes[..length]).unwrap();
        assert!(scanned.complete.is_none() && scanned.consumed <= length);
    }
}

#[test]
fn every_packet_cut_short_inside_its_frame_is_refused_or_waits() {
    let whole: [&[u8]; 3] = [b"\0\0\0\x02\0\0\0", b"\xff\x7a\x04", b"\x01"];
    for payload in whole {
        for length in 0..payload.len() {
            let answer = Answer::new().packet(&payload[..length]);
            assert!(scan(true, &answer.bytes).is_err(), "{payload:?} cut at {length}");
        }
    }
}

#[test]
fn a_push_that_ends_inside_a_frame_is_an_error() {
    let mut decoder = PartDecoder::new(true);
    decoder.push(Bytes::from_static(b"\x07\0\0\x01\0"));
    assert!(matches!(decoder.next(), Err(WireError::Truncated { .. })));
}

/// What MariaDB 10.11 answers to COM_STMT_EXECUTE with a cursor, and then to COM_STMT_FETCH of two rows and two more.
#[test]
fn a_cursor_ends_its_answer_after_the_columns() {
    let (with_cursor, last) = (0x62, 0x82);
    for deprecate_eof in [false, true] {
        let end = |answer: Answer, status| answer.end(deprecate_eof, StatusFlags::from_bits(status));
        let opened = end(Answer::new().columns(1), with_cursor);
        let scanned = scan(deprecate_eof, &opened.bytes).unwrap();
        let completion = scanned.complete.unwrap();
        assert_eq!((scanned.consumed, completion.rows), (opened.bytes.len(), 0));
        assert_eq!((completion.kind, completion.status.bits()), (CompletionKind::ResultSet, with_cursor));
        assert!(matches!(&parts(deprecate_eof, &opened.bytes)[..], [Part::Columns(_), Part::End(_)]));

        let fetched = end(Answer::new().packet(b"\0\0\x07\0\0\0").packet(b"\0\0\x02\0\0\0"), last);
        let completion =
            ResponseScanner::of_fetch(deprecate_eof).scan(&fetched.bytes).unwrap().complete.unwrap();
        assert_eq!((completion.rows, completion.status.bits()), (2, last));
        let mut decoder = PartDecoder::of_fetch(deprecate_eof);
        decoder.push(fetched.bytes.freeze());
        assert_eq!(decoder.next(), Ok(Some(Part::Row(Bytes::from_static(b"\0\0\x07\0\0\0")))));
        assert!(matches!(decoder.next(), Ok(Some(Part::Row(_)))));
        assert!(matches!(decoder.next(), Ok(Some(Part::End(end))) if end.status.bits() == last));
        assert!(decoder.is_complete());
    }
}

#[test]
fn a_fetch_may_fail() {
    let answer = Answer::new().packet(b"\xff\x8d\x05#HY000The statement (1) has no open cursor");
    let completion = ResponseScanner::of_fetch(false).scan(&answer.bytes).unwrap().complete.unwrap();
    assert_eq!(completion.error.unwrap().number, 1421);
}
