//! Cells as literals that store the same value again, under the state that rows are loaded in.

use serval_planner::primitive::Loading;

/// Appends a cell's literal.
pub(super) fn write(loading: Loading, cell: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(text) = cell else {
        out.extend_from_slice(b"NULL");
        return;
    };
    match loading {
        Loading::Number => out.extend_from_slice(text),
        Loading::Bytes => quoted(text, out),
        Loading::Json => {
            out.extend_from_slice(b"_utf8mb4");
            quoted(text, out);
        }
        Loading::Ascii => {
            out.extend_from_slice(b"_latin1");
            quoted(text, out);
        }
        // The epoch itself is no TIMESTAMP: this is what the zero date is as seconds.
        Loading::Timestamp if text.iter().all(|byte| matches!(byte, b'0' | b'.')) => {
            out.extend_from_slice(b"'0000-00-00 00:00:00'");
        }
        Loading::Timestamp => {
            out.extend_from_slice(b"FROM_UNIXTIME(");
            out.extend_from_slice(text);
            out.push(b')');
        }
    }
}

fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    for &byte in text {
        match byte {
            0 => out.extend_from_slice(b"\\0"),
            b'\'' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(loading: Loading, cell: Option<&[u8]>) -> String {
        let mut out = Vec::new();
        write(loading, cell, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn each_kind_has_its_form() {
        assert_eq!(literal(Loading::Bytes, None), "NULL");
        assert_eq!(literal(Loading::Number, Some(b"-1.50")), "-1.50");
        assert_eq!(literal(Loading::Bytes, Some(b"a'b\\c\0")), "'a\\'b\\\\c\\0'");
        assert_eq!(literal(Loading::Json, Some(b"{}")), "_utf8mb4'{}'");
        assert_eq!(literal(Loading::Timestamp, Some(b"0.000000")), "'0000-00-00 00:00:00'");
        assert_eq!(literal(Loading::Timestamp, Some(b"1.5")), "FROM_UNIXTIME(1.5)");
    }
}
