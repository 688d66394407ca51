//! Where all sections report their mistakes to.

use std::ops::Range;

use super::Document;
use crate::Diagnostic;

/// The mistakes found so far.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    pub document: &'a Document<'a>,
    found: Vec<Diagnostic>,
    /// The paths that errors were about.
    reported: Vec<Vec<String>>,
}

impl<'a> Sink<'a> {
    pub fn new(document: &'a Document<'a>) -> Self {
        Self { document, found: Vec::new(), reported: Vec::new() }
    }

    /// Reports an error about the value at the path.
    pub fn error(&mut self, path: &[&str], message: impl Into<String>, fix: impl Into<String>) {
        self.reported.push(path.iter().map(|&name| name.to_owned()).collect());
        self.error_at(self.document.span(path), message, fix);
    }

    /// Reports an error about the key at the path's end.
    pub fn error_at_key(&mut self, path: &[&str], message: impl Into<String>, fix: impl Into<String>) {
        self.reported.push(path.iter().map(|&name| name.to_owned()).collect());
        self.error_at(self.document.key_span(path), message, fix);
    }

    /// Reports an error about a part of the text at the path: `within` counts bytes of its content.
    pub fn error_within(
        &mut self,
        span: Range<usize>,
        within: Range<usize>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.error_at(self.inner(span, within), message, fix);
    }

    pub fn error_at(&mut self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.push(Diagnostic::error(self.document.file, span, message).with_fix(fix));
    }

    /// Reports what works, but not as well as it could.
    pub fn warn(&mut self, path: &[&str], message: impl Into<String>, fix: impl Into<String>) {
        let span = self.document.span(path);
        self.push(Diagnostic::error(self.document.file, span, message).with_fix(fix).as_warning());
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Whether an error at the path or below it has been reported already, so that what follows from it need not be.
    pub fn reported_in(&self, path: &[&str]) -> bool {
        self.reported.iter().any(|reported| {
            reported.len() >= path.len() && reported.iter().zip(path).all(|(reported, name)| reported == name)
        })
    }

    /// Everything reported, in the order of the files.
    pub fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        let own = self.document.file.to_owned();
        self.found.sort_by(|a, b| {
            let order = |d: &Diagnostic| (d.file != own, d.file.clone(), d.span.start);
            order(a).cmp(&order(b))
        });
        self.found.dedup();
        self.found
    }

    /// The part of a quoted text, if it is written without escapes; else the whole.
    fn inner(&self, span: Range<usize>, within: Range<usize>) -> Range<usize> {
        let source = &self.document.text[span.clone()];
        let quote = usize::from(source.starts_with(['"', '\'']));
        let plain = !source.contains('\\') && !source.starts_with("\"\"\"") && !source.starts_with("'''");
        let inner = span.start + quote + within.start..span.start + quote + within.end;
        if plain && inner.end <= span.end { inner } else { span }
    }
}

/// `did you mean …?` where one of the known names is close, else the list of them.
pub(crate) fn did_you_mean<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let distance =
        |candidate: &&&str| strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase());
    let close = known.iter().min_by_key(distance).filter(|nearest| {
        let allowed = (name.chars().count().max(nearest.chars().count()) / 3).max(1);
        distance(nearest) <= allowed
    });
    match close {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there are none yet".to_owned(),
        None if known.len() > 30 => format!("there are {}, for example `{}`", known.len(), known[0]),
        None => {
            format!("known are {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
        }
    }
}
