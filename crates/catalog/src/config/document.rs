//! The parsed text, and where in it everything stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Diagnostic;

/// A config's text as a tree with positions.
///
/// Everything in it has a path of keys: `["groups", "g0", "primary"]`, with the number of an array's element as
/// text.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub root: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    /// Parses TOML.
    ///
    /// # Errors
    /// Every mistake of syntax that the parser can recover from to find the next.
    pub fn parse(text: &'a str, file: &'a str) -> Result<Self, Vec<Diagnostic>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Self { file, text, root });
        }
        Err(syntax_errors(file, text, &errors))
    }

    /// The bytes of the value at the path, or of the nearest thing around it that exists.
    pub fn span(&self, path: &[&str]) -> Range<usize> {
        self.find(path).value
    }

    /// The bytes of the key at the path's end, or of the nearest thing around it that exists.
    pub fn key_span(&self, path: &[&str]) -> Range<usize> {
        self.find(path).key
    }

    /// Whether the path exists.
    pub fn has(&self, path: &[&str]) -> bool {
        self.find(path).depth == path.len()
    }

    fn find(&self, path: &[&str]) -> Found {
        let mut found = Found { key: self.root.span(), value: self.root.span(), depth: 0 };
        let mut table = Some(self.root.get_ref());
        let mut array = None;
        for name in path {
            let next = match (table, array) {
                (Some(table), _) => table.get_key_value(*name).map(|(key, value)| (key.span(), value)),
                (None, Some(array)) => element(array, name).map(|value| (value.span(), value)),
                (None, None) => None,
            };
            let Some((key, value)) = next else { return found };
            found = Found { key, value: value.span(), depth: found.depth + 1 };
            (table, array) = match value.get_ref() {
                DeValue::Table(table) => (Some(table), None),
                DeValue::Array(array) => (None, Some(array)),
                _ => (None, None),
            };
        }
        found
    }
}

struct Found {
    key: Range<usize>,
    value: Range<usize>,
    depth: usize,
}

fn element<'t, 'a>(array: &'t toml::de::DeArray<'a>, index: &str) -> Option<&'t Spanned<DeValue<'a>>> {
    array.get(index.parse::<usize>().ok()?)
}

/// One error per line, up to the first that leaves brackets open: what comes after that one follows from it.
fn syntax_errors(file: &str, text: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = errors.iter().map(|error| syntax_error(file, text, error)).collect();
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found.dedup_by_key(|diagnostic| diagnostic.line(text));
    let cascades = |diagnostic: &Diagnostic| {
        ["missing comma", "unclosed", "unexpected"].iter().any(|word| diagnostic.message.contains(word))
    };
    if let Some(first) = found.iter().position(cascades) {
        found.truncate(first + 1);
        found[first].fix = Some("see whether a bracket or quote before this place is not closed".to_owned());
    }
    found
}

fn syntax_error(file: &str, text: &str, error: &toml::de::Error) -> Diagnostic {
    let mut span = error.span().unwrap_or(text.len()..text.len());
    // An empty span would underline nothing.
    if span.is_empty() && span.start < text.len() {
        span.end = span.start + text[span.start..].chars().next().map_or(0, char::len_utf8);
    }
    Diagnostic::error(file, span, format!("this is not TOML: {}", error.message().trim()))
}
