//! How rows and fields are told from each other in a file, and which files are understood.

use serval_types::Value;

/// The clauses FIELDS and LINES of LOAD DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Between fields.
    pub field_end: Vec<u8>,
    /// Around fields.
    pub quote: Option<u8>,
    /// Before characters that mean something else.
    pub escape: Option<u8>,
    /// Before the fields of a row; whatever precedes it is skipped.
    pub line_start: Vec<u8>,
    /// Behind rows.
    pub line_end: Vec<u8>,
}

/// A file that only one server can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Neither a separator nor quotes: fields have fixed widths.
    #[error("fields of fixed width (FIELDS TERMINATED BY '' without ENCLOSED BY)")]
    FixedWidth,
    /// No end of a line.
    #[error("lines without an end of their own")]
    NoLines,
    /// Delimiters that may be parts of characters.
    #[error("delimiters that are not ASCII")]
    Delimiters,
    /// Characters that may have delimiters as their second byte.
    #[error("a character set whose characters may contain the delimiters")]
    Charset,
}

impl Format {
    /// Whether rows can be told from each other without knowing what a server knows.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, text: FileText) -> Result<(), FormatError> {
        if self.field_end.is_empty() && self.quote.is_none() {
            return Err(FormatError::FixedWidth);
        }
        if self.line_end.is_empty() || self.line_end == self.field_end {
            return Err(FormatError::NoLines);
        }
        if text == FileText::Unsafe {
            return Err(FormatError::Charset);
        }
        let all = [&self.field_end, &self.line_start, &self.line_end];
        let mut bytes = all.into_iter().flatten().chain(&self.quote).chain(&self.escape);
        if bytes.any(|byte| !byte.is_ascii()) { Err(FormatError::Delimiters) } else { Ok(()) }
    }

    /// Whether a number could be taken for a delimiter.
    pub(super) fn has_digits(&self) -> bool {
        let all = [&self.field_end, &self.line_start, &self.line_end];
        all.into_iter().flatten().chain(&self.quote).chain(&self.escape).any(u8::is_ascii_digit)
    }
}

/// What the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileText {
    /// UTF-8.
    Utf8,
    /// UTF-8 of at most three bytes.
    Utf8mb3,
    /// Characters of one byte, or of several that are all above ASCII: only ASCII is known.
    Ascii,
    /// Characters whose second byte may be ASCII.
    Unsafe,
}

impl FileText {
    /// Of a character set.
    #[must_use]
    pub fn of(charset: &str) -> Self {
        match &*charset.to_ascii_lowercase() {
            "utf8mb4" => Self::Utf8,
            "utf8" | "utf8mb3" => Self::Utf8mb3,
            "big5" | "gbk" | "sjis" | "cp932" | "gb18030" | "ucs2" | "utf16" | "utf16le" | "utf32" => {
                Self::Unsafe
            }
            _ => Self::Ascii,
        }
    }

    /// A field as a column takes it; `None` where the servers may make something else of it.
    pub(super) fn value(self, bytes: &[u8]) -> Option<Value> {
        let known = bytes.is_ascii()
            || match self {
                Self::Utf8 => true,
                Self::Utf8mb3 => bytes.iter().all(|byte| *byte < 0xf0),
                Self::Ascii | Self::Unsafe => false,
            };
        known.then(|| Value::Text(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_cut_is_said() {
        let format = |field: &str, line: &str, quote| Format {
            field_end: field.into(),
            quote,
            escape: None,
            line_start: Vec::new(),
            line_end: line.into(),
        };
        let check = |format: Format| format.check(FileText::Utf8);
        assert_eq!(check(format(",", "\n", None)), Ok(()));
        assert_eq!(check(format("", "\n", None)), Err(FormatError::FixedWidth));
        assert_eq!(check(format("", "\n", Some(b'"'))), Ok(()));
        assert_eq!(check(format(",", "", None)), Err(FormatError::NoLines));
        assert_eq!(check(format(",", ",", None)), Err(FormatError::NoLines));
        assert_eq!(check(format("→", "\n", None)), Err(FormatError::Delimiters));
        assert_eq!(format(",", "\n", None).check(FileText::of("GBK")), Err(FormatError::Charset));
        assert!(format("0", "\n", None).has_digits());
    }
}
