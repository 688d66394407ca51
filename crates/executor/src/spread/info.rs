//! The text for people in an OK packet: `Rows matched: 3  Changed: 2  Warnings: 0`.

use std::fmt;

/// Labels with numbers, in the server's order and wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Info {
    fields: Vec<(String, u64)>,
}

impl Info {
    /// What a text says; `None` where it is empty or says something else.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let fields = text.trim().split("  ").map(|field| {
            let (label, number) = field.split_once(": ")?;
            Some((label.to_owned(), number.parse().ok()?))
        });
        Some(Self { fields: fields.collect::<Option<_>>()? })
    }

    /// What a server says of an INSERT of several rows.
    pub(super) fn of_insert(records: u64, duplicates: u64, warnings: u64) -> Self {
        let fields = [("Records", records), ("Duplicates", duplicates), ("Warnings", warnings)];
        Self { fields: fields.map(|(label, number)| (label.to_owned(), number)).to_vec() }
    }

    /// The sum; `None` where the labels differ.
    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        if self.fields.len() != other.fields.len() {
            return None;
        }
        let fields = self.fields.iter().zip(&other.fields).map(|((label, one), (other_label, two))| {
            (label == other_label).then(|| (label.clone(), one.saturating_add(*two)))
        });
        Some(Self { fields: fields.collect::<Option<_>>()? })
    }
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (label, number)) in self.fields.iter().enumerate() {
            let space = if index == 0 { "" } else { "  " };
            write!(f, "{space}{label}: {number}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_numbers_is_nothing() {
        assert_eq!(Info::parse(b""), None);
        assert_eq!(Info::parse(b"Done"), None);
        assert_eq!(Info::parse(b"Rows matched: many"), None);
        let info = Info::parse(b"Rows matched: 1  Changed: 1  Warnings: 0").unwrap();
        assert_eq!(info.plus(&Info::of_insert(1, 0, 0)), None);
    }
}
