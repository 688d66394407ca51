//! A date and time of the calendar, without a time zone, as MySQL reads it from text and numbers.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, ISOWeekDate, Weekday};

/// A civil date and time. Orders as time does.
///
/// MySQL's zero dates (`0000-00-00`, `2026-00-10`) are not among them: they name no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999999.
    pub micros: u32,
}

/// What an interval counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    /// Twelve months.
    Years,
    /// Three months.
    Quarters,
    /// Months, of whatever length.
    Months,
    /// Seven days.
    Weeks,
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
    /// Seconds.
    Seconds,
}

/// The form in every hash: `2026-11-20 10:11:12.000000`, always 26 bytes.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, micros } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}")
    }
}

impl Moment {
    /// The moment that a string names, in every form MySQL takes for a date: `2026-11-20`, `2026/11/20 10:11:12.5`,
    /// `20261120`, `20261120101112`, two-digit years, `T` between date and time. The flag says that the fraction has
    /// more digits than six, of which only six are kept. `None` for zero dates and whatever else is no date.
    ///
    /// ```
    /// use serval_catalog::Moment;
    /// let (moment, _) = Moment::parse_text("26/1/5 10:11").unwrap();
    /// assert_eq!(moment.to_string(), "2026-01-05 10:11:00.000000");
    /// assert_eq!(Moment::parse_text("2026-02-30"), None);
    /// // Servers read the year 5.
    /// assert_eq!(Moment::parse_text("5-1-5"), None);
    /// ```
    #[must_use]
    pub fn parse_text(text: &str) -> Option<(Self, bool)> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (compact, fraction) = match text.as_bytes().get(digits) {
            None => (true, ""),
            Some(b'.') if digits >= 12 => (true, &text[digits + 1..]),
            Some(_) => (false, ""),
        };
        if compact {
            return Self::from_compact(&text[..digits], fraction);
        }
        Self::from_delimited(text)
    }

    /// The moment that a whole number names: `YYYYMMDD`, `YYYYMMDDhhmmss` and the same with two-digit years.
    #[must_use]
    pub fn parse_number(number: u64) -> Option<Self> {
        let text = number.to_string();
        // Leading zeros are lost in a number: 50101 is the year 2005.
        let width = match text.len() {
            ..=4 => return None,
            5..=6 => 6,
            8 => 8,
            11..=12 => 12,
            14 => 14,
            _ => return None,
        };
        Self::from_compact(&format!("{text:0>width$}"), "").map(|(moment, _)| moment)
    }

    /// The same moment with `digits` of the fraction, the others cut off.
    #[must_use]
    pub fn cut(self, digits: u8) -> Self {
        let unit = micros_unit(digits);
        Self { micros: self.micros / unit * unit, ..self }
    }

    /// The same moment rounded to `digits` of the fraction; `None` past the year 9999.
    #[must_use]
    pub fn rounded(self, digits: u8) -> Option<Self> {
        let unit = micros_unit(digits);
        let micros = (self.micros + unit / 2) / unit * unit;
        if micros < 1_000_000 {
            return Some(Self { micros, ..self });
        }
        Self { micros: 0, ..self }.shifted(1.seconds())
    }

    /// The same day at 00:00:00.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self { hour: 0, minute: 0, second: 0, micros: 0, ..self }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn day_number(&self) -> i64 {
        let civil = self.civil().map(DateTime::date);
        civil.map_or(0, |date| i64::from((date - Date::constant(1970, 1, 1)).get_days()))
    }

    /// Midnight of the day so many days after 1970-01-01; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn of_day_number(days: i64) -> Option<Self> {
        let span = jiff::Span::new().try_days(days).ok()?;
        Self::at_midnight(Date::constant(1970, 1, 1).checked_add(span).ok()?)
    }

    /// The year and week of ISO 8601.
    #[must_use]
    pub fn iso_week(self) -> Option<(u16, u8)> {
        let week = self.civil()?.date().iso_week_date();
        Some((u16::try_from(week.year()).ok()?, week.week().cast_unsigned()))
    }

    /// Midnight of the Monday that an ISO 8601 week begins with.
    #[must_use]
    pub fn of_iso_week(year: u16, week: u8) -> Option<Self> {
        let (year, week) = (i16::try_from(year).ok()?, i8::try_from(week).ok()?);
        Self::at_midnight(ISOWeekDate::new(year, week, Weekday::Monday).ok()?.date())
    }

    fn at_midnight(date: Date) -> Option<Self> {
        Some(Self {
            year: u16::try_from(date.year()).ok()?,
            month: date.month().cast_unsigned(),
            day: date.day().cast_unsigned(),
            ..Self::default()
        })
    }

    pub(crate) fn of_civil(civil: DateTime, micros: u32) -> Option<Self> {
        Some(Self {
            hour: civil.hour().cast_unsigned(),
            minute: civil.minute().cast_unsigned(),
            second: civil.second().cast_unsigned(),
            micros,
            ..Self::at_midnight(civil.date())?
        })
    }

    /// So many hours later, or earlier if negative; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn plus_hours(self, hours: i32) -> Option<Self> {
        self.shifted(hours.hours())
    }

    /// So many units later, or earlier if negative, as `+ INTERVAL` counts: a month ends where it has no such day. `None`
    /// outside the years 0 to 9999.
    ///
    /// ```
    /// use serval_catalog::{CalendarUnit, Moment};
    /// let (moment, _) = Moment::parse_text("2026-03-31").unwrap();
    /// assert_eq!(moment.plus(-1, CalendarUnit::Months).unwrap().to_string(), "2026-02-28 00:00:00.000000");
    /// ```
    #[must_use]
    pub fn plus(self, amount: i64, unit: CalendarUnit) -> Option<Self> {
        let span = jiff::Span::new();
        let span = match unit {
            CalendarUnit::Years => span.try_years(amount),
            CalendarUnit::Quarters => span.try_months(amount.checked_mul(3)?),
            CalendarUnit::Months => span.try_months(amount),
            CalendarUnit::Weeks => span.try_days(amount.checked_mul(7)?),
            CalendarUnit::Days => span.try_days(amount),
            CalendarUnit::Hours => span.try_hours(amount),
            CalendarUnit::Minutes => span.try_minutes(amount),
            CalendarUnit::Seconds => span.try_seconds(amount),
        };
        self.shifted(span.ok()?)
    }

    fn shifted(self, span: jiff::Span) -> Option<Self> {
        let shifted = self.civil()?.checked_add(span).ok()?;
        Some(Self {
            year: u16::try_from(shifted.year()).ok()?,
            month: shifted.month().cast_unsigned(),
            day: shifted.day().cast_unsigned(),
            hour: shifted.hour().cast_unsigned(),
            minute: shifted.minute().cast_unsigned(),
            second: shifted.second().cast_unsigned(),
            micros: self.micros,
        })
    }

    /// The calendar's own date; `None` where there is no such day.
    pub(crate) fn civil(self) -> Option<DateTime> {
        let signed = |part: u8| i8::try_from(part).ok();
        DateTime::new(
            i16::try_from(self.year).ok()?,
            signed(self.month)?,
            signed(self.day)?,
            signed(self.hour)?,
            signed(self.minute)?,
            signed(self.second)?,
            0,
        )
        .ok()
    }

    /// Digits without delimiters; their number says which form it is.
    fn from_compact(digits: &str, fraction: &str) -> Option<(Self, bool)> {
        let year_digits = match digits.len() {
            6 | 12 => 2,
            8 | 14 => 4,
            _ => return None,
        };
        let (year, rest) = digits.split_at(year_digits);
        let mut parts = [0_u16; 6];
        parts[0] = full_year(year)?;
        for (part, at) in parts[1..].iter_mut().zip((0..rest.len()).step_by(2)) {
            *part = rest[at..at + 2].parse().ok()?;
        }
        Self::checked(parts, fraction)
    }

    /// `year-month-day[ hour[:minute[:second[.fraction]]]]`, any punctuation between the parts.
    fn from_delimited(text: &str) -> Option<(Self, bool)> {
        let mut rest = text;
        let mut parts = [0_u16; 6];
        let mut count = 0;
        while count < 6 {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let widest = if count == 0 { 4 } else { 2 };
            if digits == 0 || digits > widest {
                return None;
            }
            parts[count] =
                if count == 0 { full_year(&rest[..digits])? } else { rest[..digits].parse().ok()? };
            rest = &rest[digits..];
            count += 1;
            if rest.is_empty() || count == 6 {
                break;
            }
            rest = after_delimiter(rest, count)?;
        }
        let fraction = match rest.strip_prefix('.') {
            Some(fraction) if count == 6 => fraction,
            None if rest.is_empty() && count >= 3 => "",
            _ => return None,
        };
        Self::checked(parts, fraction)
    }

    fn checked(parts: [u16; 6], fraction: &str) -> Option<(Self, bool)> {
        if !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let small = |part: u16| u8::try_from(part).ok();
        let (kept, excess) = fraction.split_at(fraction.len().min(6));
        let moment = Self {
            year: parts[0],
            month: small(parts[1])?,
            day: small(parts[2])?,
            hour: small(parts[3])?,
            minute: small(parts[4])?,
            second: small(parts[5])?,
            micros: format!("{kept:0<6}").parse().ok()?,
        };
        // Zero dates and days that no calendar has are not moments.
        moment.civil()?;
        Some((moment, excess.bytes().any(|b| b != b'0')))
    }
}

/// Two digits are 1970 to 2069; one or three are no year that servers agree on.
fn full_year(digits: &str) -> Option<u16> {
    let year: u16 = digits.parse().ok()?;
    match digits.len() {
        2 if year < 70 => Some(2000 + year),
        2 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}

/// What follows the delimiter after the part number `count`: one sign, or white space or a `T` between date and time.
fn after_delimiter(rest: &str, count: usize) -> Option<&str> {
    if count == 3 {
        if let Some(rest) = rest.strip_prefix('T') {
            return Some(rest);
        }
        let trimmed = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        return (trimmed.len() < rest.len()).then_some(trimmed);
    }
    rest.strip_prefix(|c: char| c.is_ascii_punctuation())
}

fn micros_unit(digits: u8) -> u32 {
    10_u32.pow(u32::from(6_u8.saturating_sub(digits)))
}
