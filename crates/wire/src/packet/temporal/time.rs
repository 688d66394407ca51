//! TIME.

use std::fmt;

use super::text::Scanner;
use crate::WireError;
use crate::lenenc::Reader;

/// The most hours that a TIME column holds.
const MOST_HOURS: u32 = 838;

/// A TIME by its parts: a time of day, or a span of up to 35 days in either direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Time {
    /// Whether it is below zero.
    pub negative: bool,
    /// Whole days.
    pub days: u32,
    /// 0 to 23.
    pub hours: u8,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
    /// 0 to 999,999.
    pub microseconds: u32,
}

impl Time {
    /// Decodes a value without the length before it. What its 0, 8 or 12 bytes do not have is zero.
    ///
    /// # Errors
    /// [`WireError::Malformed`] for any other length.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes, "time");
        let mut value = Self::default();
        match bytes.len() {
            0 => return Ok(value),
            8 | 12 => (value.negative, value.days) = (reader.u8()? != 0, reader.u32()?),
            _ => return Err(reader.malformed()),
        }
        (value.hours, value.minutes, value.seconds) = (reader.u8()?, reader.u8()?, reader.u8()?);
        if !reader.is_empty() {
            value.microseconds = reader.u32()?;
        }
        Ok(value)
    }

    /// Encodes the value with its length, in the shortest form, as servers do.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.total_microseconds() == 0 {
            out.push(0);
            return;
        }
        out.push(if self.microseconds == 0 { 8 } else { 12 });
        out.push(u8::from(self.negative));
        out.extend_from_slice(&self.days.to_le_bytes());
        out.extend_from_slice(&[self.hours, self.minutes, self.seconds]);
        if self.microseconds != 0 {
            out.extend_from_slice(&self.microseconds.to_le_bytes());
        }
    }

    /// Parses `12:34:56` or `-838:59:59`, with up to six digits more, as servers print them.
    ///
    /// # Errors
    /// [`WireError::Malformed`] for any other text, and beyond 838 hours.
    pub fn parse(text: &[u8]) -> Result<Self, WireError> {
        Self::scan(Scanner::new(text)).ok_or(WireError::Malformed { what: "text of a time" })
    }

    /// The whole in microseconds, by which times compare.
    #[must_use]
    pub fn total_microseconds(&self) -> i128 {
        let minutes = self.total_hours() * 60 + u64::from(self.minutes);
        let seconds = i128::from(minutes) * 60 + i128::from(self.seconds);
        let total = seconds * 1_000_000 + i128::from(self.microseconds);
        if self.negative { -total } else { total }
    }

    fn total_hours(&self) -> u64 {
        u64::from(self.days) * 24 + u64::from(self.hours)
    }

    fn scan(mut text: Scanner<'_>) -> Option<Self> {
        let negative = text.byte(b'-').is_some();
        let hours = text.run_of_digits(2..=3).filter(|hours| *hours <= MOST_HOURS)?;
        let minutes = text.byte(b':')?.two_digits(59)?;
        let seconds = text.byte(b':')?.two_digits(59)?;
        let microseconds = text.fraction()?;
        let (days, hours) = (hours / 24, u8::try_from(hours % 24).ok()?);
        text.is_empty().then_some(Self { negative, days, hours, minutes, seconds, microseconds })
    }
}

/// `12:34:56` with as many digits of hours as needed, and six digits of a fraction where they are not zero.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{:02}:{:02}:{:02}", self.total_hours(), self.minutes, self.seconds)?;
        if self.microseconds == 0 { Ok(()) } else { write!(f, ".{:06}", self.microseconds) }
    }
}
