//! Durations and sizes as people write them.

use std::time::Duration;

/// `500ms`, `30s`, `1h 30m`; `off` is `None`.
pub(crate) fn duration(text: &str) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    humantime::parse_duration(text)
        .map(Some)
        .map_err(|_| "write a time as \"500ms\", \"30s\" or \"8h\"".to_owned())
}

/// `64MB`, `512KB`, `1GB`, or a number of bytes. The units are powers of 1024, as in MySQL's own variables.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let wrong = || "write a size as \"64MB\", \"512KB\" or a number of bytes".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let shift = match text[digits..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => return Err(wrong()),
    };
    let number: usize = text[..digits].parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).filter(|size| *size > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("64MB"), Ok(64 << 20));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!(size("4096"), Ok(4096));
        for wrong in ["", "MB", "64XB", "-1", "0", "99999999999999999GB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Some(Duration::from_millis(500))));
        assert_eq!(duration("off"), Ok(None));
        assert!(duration("5 parsecs").is_err());
    }
}
