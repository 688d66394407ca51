//! Which of several tables inside a node, and what it is called there.

use crate::Moment;

/// One of the tables that a rule splits a table into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Counts from 0: over all nodes, or over the periods of a window.
    pub number: usize,
    /// The first moment of the table's period, where tables follow the calendar.
    pub start: Option<Moment>,
}

impl Piece {
    /// The physical table's name: `{table}`, the number (`{n}`, `{nnnn}` with zeros in front), and the parts of the
    /// date, `{yyyy}`, `{yy}`, `{mm}`, `{dd}`, `{hh}`, `{ww}` (of ISO 8601), alone or joined as in `{yyyymmdd}`.
    ///
    /// ```
    /// use serval_catalog::{Moment, Piece};
    /// let start = Moment::parse_text("2026-11-20 13:00:00").map(|(moment, _)| moment);
    /// assert_eq!(Piece { number: 7, start }.name("{table}_{yyyymmdd}_{hh}", "orders"), "orders_20261120_13");
    /// assert_eq!(Piece { number: 7, start: None }.name("{table}_{nnnn}", "orders"), "orders_0007");
    /// ```
    #[must_use]
    pub fn name(self, pattern: &str, table: &str) -> String {
        let iso_year = pattern.contains("ww}");
        self.expand(pattern, table, iso_year).0
    }

    /// The first placeholder in the pattern that this piece has nothing for.
    pub(super) fn unknown_in(self, pattern: &str) -> Option<String> {
        self.expand(pattern, "t", false).1
    }

    fn expand(self, pattern: &str, table: &str, iso_year: bool) -> (String, Option<String>) {
        let (mut name, mut unknown) = (String::with_capacity(pattern.len() + table.len()), None);
        let mut rest = pattern;
        while let Some(open) = rest.find('{') {
            name.push_str(&rest[..open]);
            let Some(length) = rest[open..].find('}') else {
                unknown = unknown.or_else(|| Some(rest[open..].to_owned()));
                return (name, unknown);
            };
            let token = &rest[open + 1..open + length];
            match self.token(token, table, iso_year) {
                Some(text) => name.push_str(&text),
                None => unknown = unknown.or_else(|| Some(format!("{{{token}}}"))),
            }
            rest = &rest[open + length + 1..];
        }
        name.push_str(rest);
        (name, unknown)
    }

    fn token(self, token: &str, table: &str, iso_year: bool) -> Option<String> {
        if token == "table" {
            return Some(table.to_owned());
        }
        if !token.is_empty() && token.len() <= 9 && token.bytes().all(|b| b == b'n') {
            return Some(format!("{:0width$}", self.number, width = token.len()));
        }
        let start = self.start?;
        let (week_year, week) = start.iso_week()?;
        let year = if iso_year { week_year } else { start.year };
        let (mut text, mut rest) = (String::new(), token);
        while !rest.is_empty() {
            let (part, length) = match rest {
                _ if rest.starts_with("yyyy") => (format!("{year:04}"), 4),
                _ if rest.starts_with("yy") => (format!("{:02}", year % 100), 2),
                _ if rest.starts_with("mm") => (format!("{:02}", start.month), 2),
                _ if rest.starts_with("dd") => (format!("{:02}", start.day), 2),
                _ if rest.starts_with("hh") => (format!("{:02}", start.hour), 2),
                _ if rest.starts_with("ww") => (format!("{week:02}"), 2),
                _ => return None,
            };
            text.push_str(&part);
            rest = &rest[length..];
        }
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Piece {
        Piece { number: 3, start: Moment::parse_text(text).map(|(moment, _)| moment) }
    }

    #[test]
    fn names() {
        assert_eq!(at("2026-11-20").name("{table}_{yyyy}_{mm}", "t"), "t_2026_11");
        assert_eq!(at("2026-11-20").name("{yy}{mm}_{table}", "t"), "2611_t");
        assert_eq!(at("2024-12-30").name("{table}_{yyyyww}", "t"), "t_202501");
        assert_eq!(at("2024-12-30").name("{table}_{yyyy}w{ww}", "t"), "t_2025w01");
        assert_eq!(at("2026-11-20").name("{table}_{nn}", "{n}"), "{n}_03");
    }

    #[test]
    fn what_is_unknown_is_named() {
        assert_eq!(at("2026-11-20").unknown_in("{table}_{quarter}"), Some("{quarter}".to_owned()));
        assert_eq!(at("2026-11-20").unknown_in("{table}_{yyyy"), Some("{yyyy".to_owned()));
        assert_eq!(Piece { number: 0, start: None }.unknown_in("{table}_{yyyy}"), Some("{yyyy}".to_owned()));
        assert_eq!(at("2026-11-20").unknown_in("{table}_{yyyymmddhh}_{}"), Some("{}".to_owned()));
    }
}
