//! Ranges in names: `dn[0-3]` is four names.

use std::ops::Range;

/// How many names one range may make.
const MOST_NAMES: usize = 65_536;

/// A text with ranges in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    /// How many names it makes; ranges in one text count in step. `None` without a range.
    pub count: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `width` digits at least, filled with zeros: `[00-15]`.
    Counter {
        first: usize,
        width: usize,
    },
}

/// What is wrong with a range, and which bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RangeError {
    pub within: Range<usize>,
    pub message: String,
    pub fix: String,
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let mut parts = Vec::new();
        let mut count: Option<usize> = None;
        let mut at = 0;
        while let Some(open) = text[at..].find('[').map(|offset| at + offset) {
            let close = text[open..].find(']').map(|offset| open + offset).ok_or_else(|| {
                error(open..text.len(), "the range is not closed", "write `]` after it, as in `dn[0-3]`")
            })?;
            let inside = open..close + 1;
            let (first, last, width) = parse_range(&text[open + 1..close], inside.clone())?;
            let length = last - first + 1;
            if count.is_some_and(|count| count != length) {
                let message = "the ranges in this name differ in length";
                return Err(error(
                    inside,
                    message,
                    "ranges in one name count in step; let them be equally long",
                ));
            }
            parts.push(Part::Literal(text[at..open].to_owned()));
            parts.push(Part::Counter { first, width });
            count = Some(length);
            at = close + 1;
        }
        if let Some(stray) = text[at..].find(']').map(|offset| at + offset) {
            return Err(error(stray..stray + 1, "`]` has no `[` before it", "write ranges as `dn[0-3]`"));
        }
        parts.push(Part::Literal(text[at..].to_owned()));
        Ok(Self { parts, count })
    }

    /// The name number `index` of the range, counted from 0. Without a range every name is the text itself.
    pub fn name(&self, index: usize) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => name.push_str(text),
                Part::Counter { first, width } => name.push_str(&format!("{:0width$}", first + index)),
            }
        }
        name
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        (0..self.count.unwrap_or(1)).map(|index| self.name(index)).collect()
    }
}

fn parse_range(inside: &str, span: Range<usize>) -> Result<(usize, usize, usize), RangeError> {
    let malformed =
        || error(span.clone(), format!("`[{inside}]` is not a range"), "write two numbers, as in `dn[0-3]`");
    let (first_text, last_text) = inside.split_once('-').ok_or_else(malformed)?;
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten();
    let (first, last) = (number(first_text).ok_or_else(malformed)?, number(last_text).ok_or_else(malformed)?);
    if first > last {
        let fix = format!("write the smaller number first: `[{last_text}-{first_text}]`");
        return Err(error(span, format!("the range `[{inside}]` runs backwards"), fix));
    }
    if last - first >= MOST_NAMES {
        return Err(error(
            span,
            format!("`[{inside}]` makes more than {MOST_NAMES} names"),
            "use a smaller range",
        ));
    }
    let padded = first_text.len() > 1 && first_text.starts_with('0');
    if padded && last_text.len() != first_text.len() {
        let message = format!("the ends of `[{inside}]` differ in width");
        return Err(error(span, message, "write both with the same number of digits, as in `[00-15]`"));
    }
    Ok((first, last, if padded { first_text.len() } else { 0 }))
}

fn error(within: Range<usize>, message: impl Into<String>, fix: impl Into<String>) -> RangeError {
    RangeError { within, message: message.into(), fix: fix.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        Pattern::parse(text).expect("a pattern").names()
    }

    #[test]
    fn ranges_expand() {
        assert_eq!(names("dn0"), ["dn0"]);
        assert_eq!(names("dn[0-2]"), ["dn0", "dn1", "dn2"]);
        assert_eq!(names("t[08-10]"), ["t08", "t09", "t10"]);
        assert_eq!(names("t[8-10]"), ["t8", "t9", "t10"]);
        assert_eq!(names("a[0-1]_b[2-3]"), ["a0_b2", "a1_b3"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, within) in [
            ("dn[3-1]", 2..7),
            ("dn[0-3", 2..6),
            ("dn0]", 3..4),
            ("dn[a-b]", 2..7),
            ("dn[00-5]", 2..8),
            ("a[0-1]b[0-2]", 7..12),
            ("dn[-1]", 2..6),
        ] {
            assert_eq!(Pattern::parse(text).map_err(|error| error.within), Err(within), "{text}");
        }
    }
}
