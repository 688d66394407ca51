//! Reads the digits of dates and times.

use std::ops::RangeInclusive;

/// A text read from front to back; nothing is taken off it by a read that fails.
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Steps over this byte.
    pub fn byte(&mut self, expected: u8) -> Option<&mut Self> {
        self.rest = self.rest.strip_prefix(&[expected])?;
        Some(self)
    }

    /// The number of exactly so many digits.
    pub fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number: u32, byte| {
            let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        })?;
        self.rest = rest;
        Some(number)
    }

    /// The number of all digits that follow, if they are so many.
    pub fn run_of_digits(&mut self, counts: RangeInclusive<usize>) -> Option<u32> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if counts.contains(&count) { self.digits(count) } else { None }
    }

    /// The number of two digits, if it is not above `most`.
    pub fn two_digits(&mut self, most: u8) -> Option<u8> {
        let number = self.digits(2)?;
        u8::try_from(number).ok().filter(|number| *number <= most)
    }

    /// The microseconds after a point; 0 where no point follows.
    pub fn fraction(&mut self) -> Option<u32> {
        if self.byte(b'.').is_none() {
            return Some(0);
        }
        let before = self.rest.len();
        let number = self.run_of_digits(1..=6)?;
        let digits = before - self.rest.len();
        Some((digits..6).fold(number, |number, _| number * 10))
    }
}
