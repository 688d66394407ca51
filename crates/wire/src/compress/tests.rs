use super::*;

const LIMIT: usize = 1 << 20;
const BOTH: [Algorithm; 2] = [Algorithm::Zlib, Algorithm::Zstd(3)];

fn framed(algorithm: Algorithm, plain: &[u8]) -> BytesMut {
    let (mut plain, mut out, mut sequence) = (BytesMut::from(plain), BytesMut::new(), 0);
    while !plain.is_empty() {
        write_frame(algorithm, &mut plain, &mut out, &mut sequence);
    }
    out
}

fn unframed(algorithm: Algorithm, input: &[u8]) -> Result<BytesMut, WireError> {
    let (mut input, mut plain, mut sequence) = (BytesMut::from(input), BytesMut::new(), 0);
    while read_frame(algorithm, &mut input, &mut plain, &mut sequence, LIMIT)? {}
    Ok(plain)
}

/// A frame that says of itself what it likes.
fn frame(length: usize, sequence: u8, plain_length: usize, payload: &[u8]) -> Vec<u8> {
    let three = |number: usize| number.to_le_bytes()[..3].to_vec();
    [three(length), vec![sequence], three(plain_length), payload.to_vec()].concat()
}

#[test]
fn short_payloads_are_not_compressed() {
    // COM_PING, as every client sends it.
    assert_eq!(&framed(Algorithm::Zlib, b"\x01\0\0\0\x0e")[..], b"\x05\0\0\0\0\0\0\x01\0\0\0\x0e");
}

#[test]
fn golden_frame() {
    // COM_QUERY of "select 'aaa…'" in the manual's "Compressed Packet", from a MySQL client.
    let golden =
        b"\x22\0\0\0\x32\0\0\x78\x9c\xd3\x63\x60\x60\x60\x2e\x4e\xcd\x49\x4d\x2e\x51\x50\x32\x30\x34\
        \x32\x36\x31\x35\x33\xb7\xb0\xc4\xcd\x52\x02\0\x0c\xd1\x0a\x6c";
    let plain = unframed(Algorithm::Zlib, golden).unwrap();
    assert_eq!(&plain[..], b"\x2e\0\0\0\x03select \"012345678901234567890123456789012345\"");
}

#[test]
fn what_is_written_is_read() {
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for algorithm in BOTH {
        for plain in [&b"x"[..], &[b'a'; 49], &[b'a'; 50], &vec![b'b'; 3 * CHUNK + 1], &noise] {
            let wire = framed(algorithm, plain);
            assert!(wire.len() <= plain.len() + HEADER * (plain.len() / CHUNK + 1));
            assert_eq!(&unframed(algorithm, &wire).unwrap()[..], plain);
        }
    }
}

#[test]
fn a_truncated_frame_is_waited_for() {
    for algorithm in BOTH {
        let wire = framed(algorithm, &[b'a'; 500]);
        for length in 0..wire.len() {
            assert_eq!(unframed(algorithm, &wire[..length]), Ok(BytesMut::new()), "{length}");
        }
    }
}

#[test]
fn a_bomb_is_an_error() {
    for algorithm in BOTH {
        let bomb = algorithm.compress(&vec![0; 64 << 20]).unwrap();
        // It announces what is allowed, or what it holds.
        let lies = unframed(algorithm, &frame(bomb.len(), 0, LIMIT, &bomb));
        assert_eq!(lies, Err(WireError::Malformed { what: WHAT }));
        let honest = unframed(algorithm, &frame(bomb.len(), 0, MAX_PAYLOAD, &bomb));
        assert_eq!(honest, Err(WireError::TooLarge { limit: LIMIT }));
    }
}

#[test]
fn a_lie_costs_no_memory() {
    for algorithm in BOTH {
        let payload = algorithm.compress(b"little").unwrap();
        let (mut input, mut plain) =
            (BytesMut::from(&frame(payload.len(), 0, LIMIT, &payload)[..]), BytesMut::new());
        assert!(read_frame(algorithm, &mut input, &mut plain, &mut 0, LIMIT).is_err());
        assert!(plain.capacity() < 10_000);
    }
}

#[test]
fn garbage_and_disorder_are_errors() {
    for algorithm in BOTH {
        assert!(unframed(algorithm, &frame(4, 0, 100, b"\xde\xad\xbe\xef")).is_err());
        assert!(unframed(algorithm, &frame(0, 0, 100, b"")).is_err());
        let late = unframed(algorithm, &frame(4, 7, 0, b"abcd"));
        assert_eq!(late, Err(WireError::OutOfOrder { expected: 0, got: 7 }));
    }
}
