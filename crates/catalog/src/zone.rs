//! Time zones: what a clock shows at an instant, and which instants a clock's time can mean.

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::Moment;

/// A time zone by its offset, or by its name in the IANA database of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone that MySQL's `time_zone` means by this text; `None` for `SYSTEM`, and for names that are not known here.
    ///
    /// ```
    /// use serval_catalog::Zone;
    /// assert!(Zone::parse("+05:30").is_some() && Zone::parse("UTC").is_some());
    /// assert!(Zone::parse("SYSTEM").is_none() && Zone::parse("+25:00").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'+' => (1, &text[1..]),
            b'-' => (-1, &text[1..]),
            _ => return Self::named(text),
        };
        let (hours, minutes) = rest.split_once(':')?;
        let number = |text: &str, most: i32| {
            let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i32>().ok().filter(|number| digits && *number <= most)
        };
        let seconds = number(hours, 14)? * 3600 + number(minutes, 59)? * 60;
        Some(Self(TimeZone::fixed(Offset::from_seconds(sign * seconds).ok()?)))
    }

    fn named(name: &str) -> Option<Self> {
        // Its abbreviations are other zones in other places.
        let known = name.contains('/') || ["UTC", "GMT"].iter().any(|plain| name.eq_ignore_ascii_case(plain));
        known.then(|| TimeZone::get(name).ok()).flatten().map(Self)
    }

    /// Seconds since 1970 of two instants of this year: one in the northern winter and one in its summer.
    #[must_use]
    pub fn seasons() -> [i64; 2] {
        let year = Timestamp::now().to_zoned(TimeZone::UTC).year();
        [1, 7].map(|month| {
            let middle = jiff::civil::Date::new(year, month, 15).unwrap_or_default();
            middle.to_zoned(TimeZone::UTC).map_or(0, |at| at.timestamp().as_second())
        })
    }

    /// Whether its clocks show now what those of a server show, of whose zone only this is known: what it is called, how
    /// many seconds it is ahead of UTC, and how many it is at other instants. Zones of one name differ in summer time.
    #[must_use]
    pub fn agrees_with(&self, abbreviation: &str, seconds: i32, seasons: &[(i64, i32)]) -> bool {
        let info = self.0.to_offset_info(Timestamp::now());
        let ahead = |&(instant, ahead): &(i64, i32)| {
            Timestamp::from_second(instant).is_ok_and(|at| self.0.to_offset(at).seconds() == ahead)
        };
        info.offset().seconds() == seconds && info.abbreviation() == abbreviation && seasons.iter().all(ahead)
    }

    /// What a clock of this zone shows at the first and at the last instant that one of `other` shows `moment` at. They
    /// differ where summer time begins or ends. `None` beyond the years that can be told.
    pub(crate) fn seen_from(&self, other: &Self, moment: Moment) -> Option<(Moment, Moment)> {
        let civil = moment.civil()?;
        let ambiguous = other.0.to_ambiguous_timestamp(civil);
        let (one, two) = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, offset),
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                (before, after)
            }
        };
        let show = |offset: Offset| {
            let at = offset.to_timestamp(civil).ok()?;
            Moment::of_civil(self.0.to_datetime(at), moment.micros)
        };
        let (one, two) = (show(one)?, show(two)?);
        Some((one.min(two), one.max(two)))
    }

    /// Whether its clocks show a time twice, or jump over it.
    pub(crate) fn is_ambiguous(&self, moment: Moment) -> bool {
        moment.civil().is_none_or(|civil| self.0.to_ambiguous_timestamp(civil).is_ambiguous())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(from: &str, text: &str, to: &str) -> (String, String) {
        let zone = |text: &str| Zone::parse(text).expect("a zone");
        let (moment, _) = Moment::parse_text(text).expect("a date");
        let (one, two) = zone(to).seen_from(&zone(from), moment).expect("in range");
        (one.to_string(), two.to_string())
    }

    #[test]
    fn clocks_show_the_same_instant() {
        let same = |text: &str| (text.to_owned(), text.to_owned());
        assert_eq!(seen("+05:30", "2026-01-01 03:00:00.25", "+00:00"), same("2025-12-31 21:30:00.250000"));
        assert_eq!(seen("UTC", "2026-07-01", "Europe/Berlin"), same("2026-07-01 02:00:00.000000"));
        assert_eq!(
            seen("America/New_York", "2026-12-31 20:00:00", "Asia/Shanghai"),
            same("2027-01-01 09:00:00.000000")
        );
    }

    #[test]
    fn a_time_that_comes_twice_or_never_is_two_instants() {
        let (one, two) = seen("Europe/Berlin", "2026-10-25 02:30:00", "UTC");
        assert_eq!((&*one, &*two), ("2026-10-25 00:30:00.000000", "2026-10-25 01:30:00.000000"));
        let (one, two) = seen("Europe/Berlin", "2026-03-29 02:30:00", "UTC");
        assert_eq!((&*one, &*two), ("2026-03-29 00:30:00.000000", "2026-03-29 01:30:00.000000"));
    }
}
