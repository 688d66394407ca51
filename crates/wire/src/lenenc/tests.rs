use super::*;

fn reader(payload: &[u8]) -> Reader<'_> {
    Reader::new(payload, "test")
}

#[test]
fn integers_take_their_shortest_form() {
    let cases: [(u64, &[u8]); 9] = [
        (0, &[0]),
        (0xfa, &[0xfa]),
        (0xfb, &[0xfc, 0xfb, 0]),
        (0xff, &[0xfc, 0xff, 0]),
        (0xffff, &[0xfc, 0xff, 0xff]),
        (0x1_0000, &[0xfd, 0, 0, 1]),
        (0xff_ffff, &[0xfd, 0xff, 0xff, 0xff]),
        (0x100_0000, &[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]),
        (u64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ];
    for (value, bytes) in cases {
        let mut out = Vec::new();
        write_int(&mut out, value);
        assert_eq!(out, bytes);
        assert_eq!(reader(bytes).int(), Ok(value));
        for length in 0..bytes.len() {
            assert_eq!(reader(&bytes[..length]).int(), Err(WireError::Truncated { what: "test" }));
        }
    }
}

#[test]
fn null_and_0xff_are_no_integers() {
    assert_eq!(reader(&[0xfb]).int(), Err(WireError::Malformed { what: "test" }));
    assert_eq!(reader(&[0xff]).int(), Err(WireError::Malformed { what: "test" }));
}

#[test]
fn lengths_beyond_the_payload_are_not_believed() {
    assert_eq!(reader(&[5, b'a']).string(), Err(WireError::Truncated { what: "test" }));
    let longest = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'a'];
    assert_eq!(reader(&longest).string(), Err(WireError::Truncated { what: "test" }));
}

#[test]
fn null_is_not_empty() {
    let mut cells = reader(&[0xfb, 0, 1, b'a']);
    assert_eq!(cells.nullable(), Ok(None));
    assert_eq!(cells.nullable(), Ok(Some(&b""[..])));
    assert_eq!(cells.nullable(), Ok(Some(&b"a"[..])));
    assert!(cells.is_empty());
}

#[test]
fn terminated_strings_need_their_nul() {
    let mut strings = reader(b"ab\0c");
    assert_eq!(strings.null_terminated(), Ok(&b"ab"[..]));
    assert_eq!(strings.null_terminated(), Err(WireError::Truncated { what: "test" }));
    assert_eq!(strings.take_rest(), b"c");
    let mut out = Vec::new();
    write_null_terminated(&mut out, b"ab\0c");
    assert_eq!(out, b"ab\0");
}

#[test]
fn fixed_integers_are_little_endian() {
    let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(reader(&bytes).u8(), Ok(1));
    assert_eq!(reader(&bytes).u16(), Ok(0x0201));
    assert_eq!(reader(&bytes).u24(), Ok(0x03_0201));
    assert_eq!(reader(&bytes).u32(), Ok(0x0403_0201));
    assert_eq!(reader(&bytes).u64(), Ok(0x0807_0605_0403_0201));
    assert!(reader(&bytes[..7]).u64().is_err());
}
