use bytes::{BufMut, BytesMut};

use super::*;

const LIMIT: usize = 64 << 20;

fn framed(payload: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    write_packet(&mut out, &mut 0, payload);
    out
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|position| (position % 251) as u8).collect()
}

#[test]
fn a_short_packet_is_one_frame() {
    assert_eq!(framed(b"abc")[..], *b"\x03\0\0\0abc");
    assert_eq!(framed(b"")[..], *b"\0\0\0\0");
}

#[test]
fn sequence_ids_go_on_and_wrap() {
    let mut out = BytesMut::new();
    let mut sequence = 255;
    write_packet(&mut out, &mut sequence, b"a");
    write_packet(&mut out, &mut sequence, b"b");
    assert_eq!(out[..], *b"\x01\0\0\xffa\x01\0\0\0b");
    assert_eq!(sequence, 1);

    let mut reader = PacketReader::new(LIMIT);
    reader.set_sequence(255);
    assert_eq!(reader.next(&mut out).unwrap().unwrap().sequence, 255);
    assert_eq!(reader.next(&mut out).unwrap().unwrap().sequence, 0);
    assert_eq!(reader.sequence(), 1);
}

#[test]
fn full_frames_are_followed_by_another() {
    let cases = [
        (MAX_PAYLOAD - 1, vec![MAX_PAYLOAD - 1]),
        (MAX_PAYLOAD, vec![MAX_PAYLOAD, 0]),
        (MAX_PAYLOAD + 1, vec![MAX_PAYLOAD, 1]),
        (2 * MAX_PAYLOAD, vec![MAX_PAYLOAD, MAX_PAYLOAD, 0]),
    ];
    for (length, frames) in cases {
        let payload = pattern(length);
        let mut stream = framed(&payload);
        let mut lengths = Vec::new();
        let mut at = 0;
        while let Some(frame) = Frame::first(&stream[at..]) {
            assert_eq!(usize::from(frame.sequence), lengths.len());
            lengths.push(frame.payload.len());
            at += HEADER + frame.payload.len();
        }
        assert_eq!(lengths, frames);

        let packet = PacketReader::new(LIMIT).next(&mut stream).unwrap().unwrap();
        assert!(packet.payload == payload, "{length} bytes came back otherwise");
        assert_eq!(usize::from(packet.sequence), frames.len() - 1);
        assert!(stream.is_empty());
    }
}

#[test]
fn a_command_is_framed_like_its_payload() {
    for length in [0, 1, MAX_PAYLOAD - 2, MAX_PAYLOAD - 1, MAX_PAYLOAD, 2 * MAX_PAYLOAD - 1] {
        let body = pattern(length);
        let mut direct = BytesMut::new();
        write_command(&mut direct, &mut 0, 3, &body);
        assert!(direct == framed(&[&[3], &body[..]].concat()), "a body of {length} bytes");
    }
}

#[test]
fn a_large_packet_comes_in_pieces() {
    let payload = pattern(MAX_PAYLOAD + 5);
    let stream = framed(&payload);
    let mut reader = PacketReader::new(LIMIT);
    let mut buf = BytesMut::new();
    let mut chunks = stream.chunks(1 << 20);
    let last = chunks.next_back().unwrap();
    for chunk in chunks {
        buf.put_slice(chunk);
        assert_eq!(reader.next(&mut buf), Ok(None));
        // Nothing is stored for bytes that have not come.
        assert!(reader.pending() + buf.len() <= stream.len());
    }
    buf.put_slice(last);
    assert!(reader.next(&mut buf).unwrap().unwrap().payload == payload);
    assert_eq!(reader.pending(), 0);
}

#[test]
fn the_limit_holds_from_the_header_on() {
    let mut reader = PacketReader::new(10);
    assert!(reader.next(&mut framed(&[0; 10])).unwrap().is_some());
    reader.reset_sequence();
    let mut header = BytesMut::from(&b"\x0b\0\0\0"[..]);
    assert_eq!(reader.next(&mut header), Err(WireError::TooLarge { limit: 10 }));
    assert_eq!(header.len(), 4);
}

#[test]
fn the_limit_holds_over_all_frames() {
    let mut reader = PacketReader::new(MAX_PAYLOAD + 1);
    let mut stream = framed(&pattern(MAX_PAYLOAD + 2));
    stream.truncate(HEADER + MAX_PAYLOAD + HEADER);
    assert_eq!(reader.next(&mut stream), Err(WireError::TooLarge { limit: MAX_PAYLOAD + 1 }));
    let mut reader = PacketReader::new(MAX_PAYLOAD + 2);
    assert!(reader.next(&mut framed(&pattern(MAX_PAYLOAD + 2))).unwrap().is_some());
}

#[test]
fn a_lost_frame_is_seen_at_its_header() {
    let mut reader = PacketReader::new(LIMIT);
    let mut header = BytesMut::from(&b"\x01\0\0\x01"[..]);
    assert_eq!(reader.next(&mut header), Err(WireError::OutOfOrder { expected: 0, got: 1 }));

    let mut reader = PacketReader::new(LIMIT);
    let mut stream = framed(&pattern(MAX_PAYLOAD));
    stream[HEADER + MAX_PAYLOAD + 3] = 7;
    assert_eq!(reader.next(&mut stream), Err(WireError::OutOfOrder { expected: 1, got: 7 }));
}

#[test]
fn packets_of_one_burst_come_one_by_one() {
    let mut stream = framed(b"one");
    stream.extend_from_slice(&framed(b"two"));
    stream.extend_from_slice(b"\x05\0");
    let mut reader = PacketReader::new(LIMIT);
    assert_eq!(reader.next(&mut stream).unwrap().unwrap().payload, "one");
    reader.reset_sequence();
    assert_eq!(reader.next(&mut stream).unwrap().unwrap().payload, "two");
    reader.reset_sequence();
    assert_eq!(reader.next(&mut stream), Ok(None));
    assert_eq!(stream[..], *b"\x05\0");
}
