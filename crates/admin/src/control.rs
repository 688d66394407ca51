//! What the console can make the process do.

use std::future::Future;

/// Something that a DBA asks for and that only the process as a whole can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Read the config's files again and put them into effect.
    Reload {
        /// Even where rows would then lie where nobody looks for them.
        force: bool,
    },
    /// Put an older version into effect, and into the config's file.
    Rollback {
        /// Which; `None` is the one before the running one.
        to: Option<u64>,
        /// As in [`Wish::Reload`].
        force: bool,
    },
    /// The versions that are kept.
    Versions,
    /// The text of a version, without its secrets; `None` is the running one.
    Version(Option<u64>),
    /// What is different between two versions; `None` is the running one.
    Compare(u64, Option<u64>),
    /// What a reload would do: its diff, what stands in its way, and which statements it would send elsewhere.
    DryRun {
        /// A version to try; `None` tries the config's files.
        version: Option<u64>,
    },
    /// Look for rows that lie where their rule would not put them.
    CheckRows(Scope),
}

/// Which rows are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Of this schema only.
    pub schema: Option<String>,
    /// Of this table only.
    pub table: Option<String>,
    /// So many of each physical table; `None` takes what is usual.
    pub rows: Option<u64>,
}

/// What came of a wish: a table of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The columns.
    pub header: Vec<&'static str>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Outcome {
    /// One column of lines.
    #[must_use]
    pub fn lines(header: &'static str, lines: Vec<String>) -> Self {
        Self { header: vec![header], rows: lines.into_iter().map(|line| vec![line]).collect() }
    }
}

/// What the console can make the process do.
pub trait Control: Send + Sync + 'static {
    /// Does what `by`, a user of the console, asks for.
    ///
    /// # Errors
    /// What is wrong, a line each; then nothing has changed.
    fn carry_out(&self, wish: Wish, by: &str) -> impl Future<Output = Result<Outcome, Vec<String>>> + Send;
}
