//! A collation by name, and the two questions routing and merging ask of it.

use std::fmt;

/// Whether a comparison ignores trailing spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pad {
    /// `'a' = 'a  '`: shorter strings compare as if padded with spaces.
    Space,
    /// Trailing spaces count.
    None,
}

/// A collation's name, for example `utf8mb4_general_ci`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collation(Box<str>);

impl Collation {
    /// The collation of this name; names compare without case.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_ascii_lowercase().into())
    }

    /// The name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The character set a collation belongs to: the name up to the first `_`. MariaDB's `uca1400_…` names
    /// carry none and are `utf8mb4` here.
    #[must_use]
    pub fn charset(&self) -> &str {
        match self.0.split('_').next() {
            Some(prefix) if prefix.starts_with("uca") => "utf8mb4",
            Some(prefix) => prefix,
            None => &self.0,
        }
    }

    /// Whether trailing spaces count: `binary`, MySQL's `_0900_` and MariaDB's `_nopad_` collations say they do.
    #[must_use]
    pub fn pad(&self) -> Pad {
        let no_pad = self.name() == "binary" || self.0.contains("_0900_") || self.0.contains("nopad");
        if no_pad { Pad::None } else { Pad::Space }
    }

    /// Whether two strings are equal only if their code points are: `binary` and the `_bin` collations
    /// (a PAD SPACE one still ignores trailing spaces).
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.name() == "binary" || self.0.ends_with("_bin")
    }
}

impl fmt::Display for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_follows_the_name() {
        assert_eq!(Collation::new("utf8mb4_0900_ai_ci").pad(), Pad::None);
        assert_eq!(Collation::new("utf8mb4_general_nopad_ci").pad(), Pad::None);
        assert_eq!(Collation::new("binary").pad(), Pad::None);
        assert_eq!(Collation::new("latin1_swedish_ci").pad(), Pad::Space);
    }

    #[test]
    fn charset_is_the_prefix() {
        assert_eq!(Collation::new("latin1_swedish_ci").charset(), "latin1");
        assert_eq!(Collation::new("uca1400_ai_ci").charset(), "utf8mb4");
    }
}
