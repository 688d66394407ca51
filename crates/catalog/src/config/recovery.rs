//! `[recovery]`.

use std::time::Duration;

use super::{Sink, raw, units};
use crate::Recovery;

/// More often would keep idle servers busy.
const SHORTEST: Duration = Duration::from_millis(100);
/// Records must outlive every connection that could still send a decision.
const SHORTEST_KEEP: Duration = Duration::from_secs(600);

pub(super) fn recovery(raw: &raw::Recovery, sink: &mut Sink<'_>) -> Recovery {
    let default = Recovery::default();
    let mut read = |key: &str, text: &Option<String>, default: Duration, least: Duration| {
        let time = text.as_deref().and_then(|text| time(key, text, least, sink));
        time.unwrap_or(default)
    };
    Recovery {
        interval: read("interval", &raw.interval, default.interval, SHORTEST),
        patience: read("patience", &raw.patience, default.patience, SHORTEST),
        keep: read("keep", &raw.keep, default.keep, SHORTEST_KEEP),
    }
}

/// A time that cannot be off, nor less than `least`.
fn time(key: &str, text: &str, least: Duration, sink: &mut Sink<'_>) -> Option<Duration> {
    match units::duration(text) {
        Ok(Some(time)) if time >= least => return Some(time),
        Ok(_) => {
            let message = format!("`{key}` cannot be less than {}", humantime::format_duration(least));
            sink.error(&["recovery", key], message, "write a longer time, or leave the key out");
        }
        Err(fix) => sink.error(&["recovery", key], format!("`{text}` is not a time"), fix),
    }
    None
}
