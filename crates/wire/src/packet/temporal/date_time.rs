//! DATE, DATETIME and TIMESTAMP.

use std::fmt;

use super::text::Scanner;
use crate::WireError;
use crate::lenenc::Reader;

/// A DATE, DATETIME or TIMESTAMP by its parts, zero dates included. A DATE has no time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12, or 0 in zero dates.
    pub month: u8,
    /// 1 to 31, or 0 in zero dates.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
}

impl DateTime {
    /// Decodes a value without the length before it. What its 0, 4, 7 or 11 bytes do not have is zero.
    ///
    /// # Errors
    /// [`WireError::Malformed`] for any other length.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes, "date");
        let mut value = Self::default();
        if !matches!(bytes.len(), 0 | 4 | 7 | 11) {
            return Err(reader.malformed());
        }
        if bytes.len() >= 4 {
            (value.year, value.month, value.day) = (reader.u16()?, reader.u8()?, reader.u8()?);
        }
        if bytes.len() >= 7 {
            (value.hour, value.minute, value.second) = (reader.u8()?, reader.u8()?, reader.u8()?);
        }
        if bytes.len() == 11 {
            value.microsecond = reader.u32()?;
        }
        Ok(value)
    }

    /// Encodes the value with its length, in the shortest form, as servers do.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let length = match self {
            Self { microsecond: 1.., .. } => 11,
            Self { hour: 0, minute: 0, second: 0, .. }
                if self.year == 0 && self.month == 0 && self.day == 0 =>
            {
                0
            }
            Self { hour: 0, minute: 0, second: 0, .. } => 4,
            _ => 7,
        };
        let [low, high] = self.year.to_le_bytes();
        let [a, b, c, d] = self.microsecond.to_le_bytes();
        let longest = [low, high, self.month, self.day, self.hour, self.minute, self.second, a, b, c, d];
        out.push(length);
        out.extend(longest.iter().take(usize::from(length)));
    }

    /// Parses `2024-02-29`, `2024-02-29 12:34:56` or that with up to six digits more, as servers print them.
    ///
    /// # Errors
    /// [`WireError::Malformed`] for any other text.
    pub fn parse(text: &[u8]) -> Result<Self, WireError> {
        Self::scan(Scanner::new(text)).ok_or(WireError::Malformed { what: "text of a date" })
    }

    /// Whether there is a time of day other than midnight.
    #[must_use]
    pub const fn has_time(&self) -> bool {
        self.hour != 0 || self.minute != 0 || self.second != 0 || self.microsecond != 0
    }

    /// The text of the date alone: `2024-02-29`.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    fn scan(mut text: Scanner<'_>) -> Option<Self> {
        let mut value = Self { year: u16::try_from(text.digits(4)?).ok()?, ..Self::default() };
        value.month = text.byte(b'-')?.two_digits(12)?;
        value.day = text.byte(b'-')?.two_digits(31)?;
        if !text.is_empty() {
            value.hour = text.byte(b' ')?.two_digits(23)?;
            value.minute = text.byte(b':')?.two_digits(59)?;
            value.second = text.byte(b':')?.two_digits(59)?;
            value.microsecond = text.fraction()?;
        }
        text.is_empty().then_some(value)
    }
}

/// `2024-02-29 12:34:56`, with six digits more where they are not zero.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}:{:02}", self.date(), self.hour, self.minute, self.second)?;
        if self.microsecond == 0 { Ok(()) } else { write!(f, ".{:06}", self.microsecond) }
    }
}
