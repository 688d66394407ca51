use super::super::truncation;
use super::*;

const TRACK: Capabilities = Capabilities::CLIENT_SESSION_TRACK;

fn decode(payload: &[u8]) -> Result<OkPacket, WireError> {
    OkPacket::decode(payload, TRACK)
}

fn encode(ok: &OkPacket, caps: Capabilities) -> Vec<u8> {
    let mut out = Vec::new();
    ok.encode(caps, &mut out);
    out
}

#[test]
fn an_insert_tells_rows_id_and_text() {
    // MariaDB's answer to an INSERT of two rows, with and without CLIENT_SESSION_TRACK.
    let payload = b"\x00\x02\x01\x02\0\0\0\x26Records: 2  Duplicates: 0  Warnings: 0";
    let ok = decode(payload).unwrap();
    assert_eq!((ok.affected_rows, ok.last_insert_id, ok.warnings), (2, 1, 0));
    assert_eq!(ok.status, StatusFlags::SERVER_STATUS_AUTOCOMMIT);
    assert_eq!(ok.info, b"Records: 2  Duplicates: 0  Warnings: 0");
    assert_eq!(encode(&ok, TRACK), payload);
    assert_eq!(encode(&ok, Capabilities::empty()), payload);
}

#[test]
fn a_text_without_length_is_taken_as_the_manual_says() {
    assert_eq!(decode(b"\x00\0\0\x02\0\0\0Rows matched: 1").unwrap().info, b"Rows matched: 1");
}

#[test]
fn session_changes_follow_the_text() {
    // MariaDB's answer to USE d.
    let payload = b"\x00\0\0\x02\x40\0\0\0\x04\x01\x02\x01d";
    let ok = decode(payload).unwrap();
    assert_eq!(ok.session_state.as_deref(), Some(&b"\x01\x02\x01d"[..]));
    assert_eq!(encode(&ok, TRACK), payload);
    truncation::check(payload, payload.len(), decode);
    // A client that did not ask for them gets neither the changes nor the flag.
    assert_eq!(encode(&ok, Capabilities::empty()), b"\x00\0\0\x02\0\0\0");
}

#[test]
fn every_truncation_of_the_shortest_packet_fails() {
    let payload = [0, 0xfc, 0, 1, 0xfe, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
    truncation::check(&payload, payload.len(), decode);
    assert_eq!(OkPacket::decode_with_offset(&payload).unwrap().1, 13);
}

#[test]
fn rows_end_as_the_client_understands_it() {
    let ok = OkPacket { status: StatusFlags::from_bits(0x4022), warnings: 3, ..OkPacket::default() };
    let mut out = Vec::new();
    ok.encode_end(Capabilities::CLIENT_DEPRECATE_EOF, &mut out);
    assert_eq!(out, [0xfe, 0, 0, 0x22, 0, 3, 0]);
    assert_eq!(decode(&out).unwrap().warnings, 3);
    out.clear();
    ok.encode_end(Capabilities::empty(), &mut out);
    assert_eq!(out, [0xfe, 3, 0, 0x22, 0]);
}

#[test]
fn other_packets_are_refused() {
    assert!(decode(b"\xff\x7a\x04").is_err());
    assert!(decode(b"\x01\0\0\x02\0\0\0").is_err());
    assert!(decode(b"\x00\xfb\0\x02\0\0\0").is_err());
}
