//! The files that pin refusals, and the blocks of scripts in them.

use std::fs;
use std::path::Path;

/// A file with tests.
pub(super) struct Source {
    /// From the project's root.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// How a file says that something is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Statements under directives.
    Slt,
    /// Statements with their plans or errors.
    Golden,
    /// Anything else, which is not looked into.
    Code,
}

/// Where tests are.
const FOLDERS: [(&str, Kind); 6] = [
    ("crates/planner/tests/unsupported", Kind::Golden),
    ("tests/slt", Kind::Slt),
    ("crates/session/tests", Kind::Code),
    ("crates/executor/tests", Kind::Code),
    ("crates/sql/tests", Kind::Code),
    ("tests/e2e", Kind::Code),
];

/// Every file with tests, in the order of the folders and of the names.
pub(super) fn all(root: &Path) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    for (folder, kind) in FOLDERS {
        read(root, Path::new(folder), kind, &mut found)?;
    }
    Ok(found)
}

fn read(root: &Path, folder: &Path, kind: Kind, found: &mut Vec<Source>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(root.join(folder)).map_err(failed)?;
    let mut names =
        entries.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    names.sort();
    for name in names {
        let path = folder.join(name);
        if root.join(&path).is_dir() {
            read(root, &path, kind, found)?;
        } else if let Ok(text) = fs::read_to_string(root.join(&path)) {
            found.push(Source { name: path.display().to_string(), text, kind });
        }
    }
    Ok(())
}

/// Lines without an empty one between them, with the number of the first.
pub(super) struct Block<'s> {
    pub(super) line: usize,
    pub(super) lines: Vec<&'s str>,
}

impl Source {
    /// The file's blocks. In a golden the input and its answers are one.
    pub(super) fn blocks(&self) -> Vec<Block<'_>> {
        let mut found = vec![Block { line: 1, lines: Vec::new() }];
        for (line, text) in (1..).zip(self.text.lines()) {
            match found.last_mut() {
                Some(block) if !text.is_empty() => block.lines.push(text),
                _ => found.push(Block { line: line + 1, lines: Vec::new() }),
            }
        }
        found
    }

    /// Whether a block has something refused.
    pub(super) fn refuses(&self, block: &Block<'_>) -> bool {
        let mut lines = block.lines.iter();
        match self.kind {
            Kind::Slt => lines.any(|line| line.starts_with("refused")),
            Kind::Golden => lines.any(|line| line.starts_with("    1235 (")),
            Kind::Code => false,
        }
    }

    /// Whether a block has an error of any number.
    pub(super) fn fails(&self, block: &Block<'_>) -> bool {
        let mut lines = block.lines.iter();
        match self.kind {
            Kind::Slt => lines.any(|line| line.starts_with("refused") || line.contains(" error ")),
            Kind::Golden => lines.any(|line| line.starts_with("    1")),
            Kind::Code => true,
        }
    }
}
