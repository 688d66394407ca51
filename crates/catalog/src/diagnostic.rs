//! A mistake in a config: where, what, and how to mend it.

use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The config works, but not as well as it could.
    Warning,
    /// The config is refused.
    Error,
}

/// One mistake in a config or a schema snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the config is refused for it.
    pub severity: Severity,
    /// The file's name as the caller gave it.
    pub file: String,
    /// The bytes of the file to underline.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// An error without a place of its own, to be given one by its caller.
    #[must_use]
    pub fn error(file: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, file: file.to_owned(), span, message: message.into(), fix: None }
    }

    /// The same, with what to do instead.
    #[must_use]
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// The same as a warning.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The line of `source`, the file's text, that the diagnostic is about; the first is 1.
    #[must_use]
    pub fn line(&self, source: &str) -> usize {
        let before = source.as_bytes().get(..self.span.start.min(source.len())).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The diagnostic for a terminal, without colour: message, file and line, the text underlined, the mending.
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        self.render_with(source, GraphicalTheme::unicode_nocolor())
    }

    /// The same with ANSI colours.
    #[must_use]
    pub fn render_coloured(&self, source: &str) -> String {
        self.render_with(source, GraphicalTheme::unicode())
    }

    fn render_with(&self, source: &str, theme: GraphicalTheme) -> String {
        let end = self.span.end.min(source.len());
        let report = Report {
            diagnostic: self,
            source: NamedSource::new(&self.file, source.to_owned()),
            span: self.span.start.min(end)..end,
        };
        let mut text = String::new();
        let handler =
            GraphicalReportHandler::new_themed(theme).with_width(110).with_context_lines(1).with_links(false);
        match handler.render_report(&mut text, &report) {
            Ok(()) => text,
            Err(fmt::Error) => self.to_string(),
        }
    }
}

/// One line: `shop.toml: error: …; …`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{}: {severity}: {}", self.file, self.message)?;
        self.fix.iter().try_for_each(|fix| write!(f, "; {fix}"))
    }
}

/// A diagnostic beside its source, as the renderer wants it.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: NamedSource<String>,
    span: Range<usize>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.fix.as_ref().map(|fix| Box::new(fix) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span.clone()))))
    }
}
