//! Months, for a demo that has recent events whenever it is run.

use std::fmt;

/// One month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    year: i16,
    /// 1 to 12.
    month: i8,
}

impl Month {
    /// A month by year and number, 1 to 12.
    pub fn new(year: i16, month: i8) -> Self {
        Self { year, month }
    }

    /// The month it is now, in UTC.
    pub fn now() -> Self {
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        Self::new(today.year(), today.month())
    }

    /// The month before this one.
    pub fn previous(self) -> Self {
        if self.month == 1 { Self::new(self.year - 1, 12) } else { Self::new(self.year, self.month - 1) }
    }

    /// The month after this one.
    pub fn next(self) -> Self {
        if self.month == 12 { Self::new(self.year + 1, 1) } else { Self::new(self.year, self.month + 1) }
    }

    /// January of the year before: where the demo's events may begin.
    pub fn first_of_range(self) -> Self {
        Self::new(self.year - 1, 1)
    }

    /// December of the year after.
    pub fn last_of_range(self) -> Self {
        Self::new(self.year + 1, 12)
    }

    /// A moment of this month, different for neighbouring numbers, never after the 28th.
    pub fn moment(self, n: u64) -> String {
        let (day, hour, minute) = (n * 5 % 28 + 1, n * 7 % 24, n * 13 % 60);
        format!("{self}-{day:02} {hour:02}:{minute:02}:00")
    }

    /// `202611`, as the physical tables are called.
    pub fn compact(self) -> String {
        format!("{:04}{:02}", self.year, self.month)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_wrap_at_the_year() {
        assert_eq!(Month::new(2026, 1).previous().to_string(), "2025-12");
        assert_eq!(Month::new(2026, 12).next().compact(), "202701");
    }

    #[test]
    fn moments_are_in_the_month() {
        assert_eq!(Month::new(2026, 11).moment(27), "2026-11-24 21:51:00");
    }
}
