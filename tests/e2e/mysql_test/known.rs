//! The differences that are known and explained, of `known.txt`.

use std::collections::BTreeSet;

/// A statement of a file and the reason why its answers may differ.
#[derive(Debug)]
struct Entry {
    file: String,
    statement: String,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Known {
    entries: Vec<Entry>,
    used: BTreeSet<usize>,
}

impl Known {
    /// Reads the list: a line that begins with `because ` gives the reason of the lines under it, `file: statement`.
    ///
    /// # Panics
    /// If a line has no reason or is not of that form.
    pub(super) fn read(text: &str) -> Known {
        let (mut entries, mut reason) = (Vec::new(), None);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(because) = line.strip_prefix("because ") {
                reason = Some(because);
                continue;
            }
            assert!(reason.is_some(), "{line}: known because of what?");
            let (file, statement) =
                line.split_once(": ").unwrap_or_else(|| panic!("{line}: file: statement"));
            entries.push(Entry { file: file.to_owned(), statement: statement.to_owned() });
        }
        Known { entries, used: BTreeSet::new() }
    }

    /// Whether the list names this statement of this file, or of the file that it includes and where the statement stands
    /// (`file:line`). An entry that ends in `…` names all that begin so.
    pub(super) fn explains(&mut self, file: &str, place: &str, sql: &str) -> bool {
        let included = place.split_once(':').map_or(place, |(included, _)| included);
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = self.entries.iter().position(|entry| {
            let statement = entry.statement.as_str();
            (entry.file == file || entry.file == included)
                && statement.strip_suffix('…').map_or(sql == statement, |begin| sql.starts_with(begin))
        });
        self.used.extend(found);
        found.is_some()
    }

    /// The entries of these files that explained nothing.
    pub(super) fn unused(&self, files: &[String]) -> Vec<String> {
        let entries = self.entries.iter().enumerate();
        let unused = entries.filter(|(at, entry)| !self.used.contains(at) && files.contains(&entry.file));
        unused.map(|(_, entry)| format!("{}: {}", entry.file, entry.statement)).collect()
    }
}
