use super::*;
use crate::WireError;

/// The value without its length, and the length.
fn encoded(encode: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out);
    assert_eq!(usize::from(out[0]), out.len() - 1);
    out.split_off(1)
}

#[test]
fn dates_take_their_shortest_form() {
    let cases: [(&str, &[u8]); 6] = [
        ("0000-00-00 00:00:00", b""),
        ("2024-02-29 00:00:00", b"\xe8\x07\x02\x1d"),
        ("2024-02-29 12:34:56", b"\xe8\x07\x02\x1d\x0c\x22\x38"),
        ("2024-02-29 12:34:56.000007", b"\xe8\x07\x02\x1d\x0c\x22\x38\x07\0\0\0"),
        ("2024-02-29 00:00:00.789000", b"\xe8\x07\x02\x1d\0\0\0\x08\x0a\x0c\0"),
        ("9999-12-31 23:59:59.999999", b"\x0f\x27\x0c\x1f\x17\x3b\x3b\x3f\x42\x0f\0"),
    ];
    for (text, bytes) in cases {
        let value = DateTime::parse(text.as_bytes()).unwrap();
        assert_eq!(DateTime::decode(bytes), Ok(value));
        assert_eq!(encoded(|out| value.encode(out)), bytes);
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn times_take_their_shortest_form() {
    let cases: [(&str, &[u8]); 5] = [
        ("00:00:00", b""),
        ("-00:00:01", b"\x01\0\0\0\0\0\0\x01"),
        ("34:00:01", b"\0\x01\0\0\0\x0a\0\x01"),
        ("-838:59:59", b"\x01\x22\0\0\0\x16\x3b\x3b"),
        ("26:03:04.000007", b"\0\x01\0\0\0\x02\x03\x04\x07\0\0\0"),
    ];
    for (text, bytes) in cases {
        let value = Time::parse(text.as_bytes()).unwrap();
        assert_eq!(Time::decode(bytes), Ok(value));
        assert_eq!(encoded(|out| value.encode(out)), bytes);
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn other_lengths_are_refused() {
    for length in 0..=20 {
        let bytes = vec![1; length];
        assert_eq!(DateTime::decode(&bytes).is_ok(), [0, 4, 7, 11].contains(&length), "{length} bytes");
        assert_eq!(Time::decode(&bytes).is_ok(), [0, 8, 12].contains(&length), "{length} bytes");
    }
}

#[test]
fn extreme_bytes_have_a_text() {
    assert_eq!(Time::decode(&[0xff; 12]).unwrap().to_string(), "-103079215335:255:255.4294967295");
    assert_eq!(DateTime::decode(&[0xff; 11]).unwrap().to_string(), "65535-255-255 255:255:255.4294967295");
}

#[test]
fn dates_that_servers_do_not_print_are_refused() {
    let texts = [
        "",
        "2024",
        "2024-02",
        "2024-02-2",
        "2024-02-29 ",
        "2024-02-29 12:34",
        "2024-02-29T12:34:56",
        "24-02-29",
        "2024-13-01",
        "2024-01-32",
        "2024-02-29 24:00:00",
        "2024-02-29 12:60:00",
        "2024-02-29 12:34:60",
        "2024-02-29 12:34:56.",
        "2024-02-29 12:34:56.1234567",
        "2024-02-29 12:34:56x",
        "+024-02-29",
    ];
    for text in texts {
        let error = DateTime::parse(text.as_bytes());
        assert_eq!(error, Err(WireError::Malformed { what: "text of a date" }), "{text}");
    }
}

#[test]
fn times_that_servers_do_not_print_are_refused() {
    for text in [
        "",
        "-",
        "1:00:00",
        "839:00:00",
        "0001:00:00",
        "12:34",
        "12:34:5",
        "12:60:00",
        "12:34:56.",
        "--1:00:00",
    ] {
        let error = Time::parse(text.as_bytes());
        assert_eq!(error, Err(WireError::Malformed { what: "text of a time" }), "{text}");
    }
}

#[test]
fn fractions_may_be_short() {
    assert_eq!(Time::parse(b"00:00:00.5").unwrap().microseconds, 500_000);
    assert_eq!(DateTime::parse(b"2024-02-29 00:00:00.789").unwrap().microsecond, 789_000);
}

#[test]
fn times_compare_by_their_sum() {
    let total = |text: &[u8]| Time::parse(text).unwrap().total_microseconds();
    assert!(total(b"-34:00:00") < total(b"-00:00:00.000001"));
    assert!(total(b"24:00:00") > total(b"23:59:59.999999"));
}
