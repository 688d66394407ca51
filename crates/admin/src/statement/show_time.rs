//! `show @@time.current` and `show @@time.startup`.

use std::time::{SystemTime, UNIX_EPOCH};

use serval_session::Answer;

/// A time, in milliseconds since 1970 and as UTC.
pub(super) fn rows(time: SystemTime) -> Answer {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut answer = Answer::of_text(&["TIMESTAMP", "UTC"]);
    answer.push([since.as_millis().to_string(), utc(since.as_secs())]);
    answer
}

/// Seconds since 1970 as a date and a time of day.
pub(super) fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second % 3600 / 60, second % 60)
}

/// The date so many days after 1970-01-01: Howard Hinnant's `civil_from_days`, whose years begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_right() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(utc(1_795_205_103), "2026-11-20 20:05:03");
    }
}
