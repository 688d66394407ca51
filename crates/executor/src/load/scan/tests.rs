use super::*;

fn format(field: &str, quote: Option<u8>, escape: Option<u8>, start: &str, end: &str) -> Format {
    Format { field_end: field.into(), quote, escape, line_start: start.into(), line_end: end.into() }
}

fn tabs() -> Format {
    format("\t", None, Some(b'\\'), "", "\n")
}

fn csv() -> Format {
    format(",", Some(b'"'), Some(b'\\'), "", "\r\n")
}

/// All rows as text, fields joined by `|`; read from every split of the bytes in two, which must not matter.
fn rows(format: &Format, columns: usize, text: &str) -> Vec<String> {
    let whole = read(format, columns, text.as_bytes(), text.len());
    for first in 0..text.len() {
        assert_eq!(read(format, columns, text.as_bytes(), first), whole, "split at {first}");
    }
    whole
}

fn read(format: &Format, columns: usize, bytes: &[u8], first: usize) -> Vec<String> {
    let wanted: Vec<usize> = (0..columns).collect();
    let (mut from, mut seen, mut rows) = (0, first, Vec::new());
    loop {
        match line(format, columns, &wanted, &bytes[from..seen], seen == bytes.len()) {
            Err(More) => {
                assert_ne!(seen, bytes.len(), "at the end nothing is open");
                seen = bytes.len();
            }
            Ok(None) => {
                assert_eq!(seen, bytes.len());
                return rows;
            }
            Ok(Some(line)) => {
                assert!(line.length > 0);
                let text = |field: &Option<Field>| match field {
                    None => "-".to_owned(),
                    Some(Field { value: None, .. }) => "NULL".to_owned(),
                    Some(Field { value: Some(value), .. }) => String::from_utf8_lossy(value).into_owned(),
                };
                rows.push(line.fields.iter().map(text).collect::<Vec<_>>().join("|"));
                from += line.length;
                if from == seen && seen < bytes.len() {
                    seen = bytes.len();
                }
            }
        }
    }
}

#[test]
fn the_default_format() {
    assert_eq!(rows(&tabs(), 2, "1\ta\n2\tb\n"), ["1|a", "2|b"]);
    assert_eq!(rows(&tabs(), 2, "1\ta\n2\tb"), ["1|a", "2|b"], "the last line needs no end");
    assert_eq!(rows(&tabs(), 2, "1\t\\N\n2\tN\n"), ["1|NULL", "2|N"]);
    assert_eq!(rows(&tabs(), 2, "1\ta\\tb\\\nc\\\\\n"), ["1|a\tb\nc\\"]);
    assert_eq!(rows(&tabs(), 2, "1\n2\tx\ty\tz\n3\t\n"), ["1|-", "2|x", "3|"]);
    assert_eq!(rows(&tabs(), 2, "\n1\ta\n\n"), ["|-", "1|a", "|-"], "empty lines are rows");
    assert_eq!(rows(&tabs(), 2, ""), [""; 0]);
}

#[test]
fn quotes() {
    assert_eq!(rows(&csv(), 2, "1,\"a,\"\"b\r\nc\"\r\n"), ["1|a,\"b\r\nc"]);
    assert_eq!(rows(&csv(), 2, "\"1\",NULL\r\n2,\"NULL\"\r\n3,\\N\r\n"), ["1|NULL", "2|NULL", "3|NULL"]);
    let values = |text: &str| {
        let line = line(&csv(), 2, &[1], text.as_bytes(), true).unwrap().unwrap();
        line.fields[0].clone().unwrap().value
    };
    assert_eq!(values("1,NULL\r\n"), None);
    assert_eq!(values("1,\"NULL\"\r\n"), Some(b"NULL".to_vec()), "the word in quotes is a text");
    assert_eq!(rows(&csv(), 2, "1,\"a\"b\"\r\n2,x"), ["1|a\"b", "2|x"], "a quote in the middle");
    assert_eq!(rows(&csv(), 2, "1,\"open\r\n2,x"), ["1|\"open\r\n2,x"], "one that never ends");
    assert_eq!(rows(&csv(), 2, "1,a\"b\r\n"), ["1|a\"b"]);
    assert_eq!(rows(&csv(), 2, "1,a\rb\r\n"), ["1|a\rb"], "half an end of a line");
    let doubled = format(",", Some(b'"'), Some(b'"'), "", "\n");
    assert_eq!(rows(&doubled, 2, "\"fie\"\"ld1\",\"n\n\"\n2,x\n"), ["fie\"ld1|n\n", "2|x"]);
}

#[test]
fn what_is_behind_the_last_column_is_skipped_as_servers_skip() {
    assert_eq!(rows(&csv(), 1, "1,\"a\r\n2,b\"\r\n3\r\n"), ["1", "2", "3"]);
    assert_eq!(rows(&tabs(), 1, "1\ta\\\nb\n2\n"), ["1", "2"]);
}

#[test]
fn starts_of_lines() {
    let format = format(",", None, Some(b'\\'), "xxx", "\n");
    assert_eq!(rows(&format, 2, "xxx1,a\njunk xxxx2,b\nno row\n"), ["1|a", "x2|b"]);
    let line = line(&format, 2, &[0], b"ab xxx1,2\n", true).unwrap().unwrap();
    assert_eq!((line.start, line.length, line.fields[0].clone().unwrap().raw), (6, 10, 6..7));
}

#[test]
fn raw_places_include_quotes() {
    let line = line(&csv(), 2, &[0, 1], b"\"7\",\"\"\r\n", true).unwrap().unwrap();
    let raw: Vec<_> = line.fields.iter().map(|field| field.clone().unwrap().raw).collect();
    assert_eq!(raw, [0..3, 4..6]);
}

#[test]
fn ignored_lines_are_ended_by_any_end() {
    assert_eq!(ignored(&csv(), b"\"a\r\nb\"\r\n", false), Ok(Some(4)));
    assert_eq!(ignored(&tabs(), b"a\\\nb\nc", false), Ok(Some(5)));
    assert_eq!(ignored(&tabs(), b"abc", false), Err(More));
    assert_eq!(ignored(&tabs(), b"abc", true), Ok(Some(3)));
    assert_eq!(ignored(&tabs(), b"", true), Ok(None));
}
