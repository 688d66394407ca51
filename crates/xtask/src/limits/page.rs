//! The page: text by hand around tables that are filled in.

use super::row::Row;

const BEGIN: &str = "<!-- from the tests: ";
const END: &str = "<!-- end -->";

/// The page with its tables.
///
/// # Errors
/// Rows of a section that the page does not have, and sections without an end.
pub(super) fn filled(page: &str, rows: &[Row]) -> Result<String, String> {
    let (mut text, mut sections) = (String::new(), Vec::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(section) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        if !lines.any(|line| line == END) {
            return Err(format!("docs/limits.md: section `{section}` has no `{END}`"));
        }
        text.push_str(&table(rows.iter().filter(|row| row.section == section)));
        text.push_str(END);
        text.push('\n');
        sections.push(section);
    }
    match rows.iter().find(|row| !sections.contains(&row.section.as_str())) {
        Some(row) => Err(format!("docs/limits.md has no section `{}` for `{}`", row.section, row.refused)),
        None => Ok(text),
    }
}

fn table<'r>(rows: impl Iterator<Item = &'r Row>) -> String {
    let rows: Vec<String> =
        rows.map(|row| format!("| {} | {} |\n", row.refused, row.instead).replace("|  |", "| |")).collect();
    match &*rows {
        [] => "Nothing.\n".to_owned(),
        rows => format!("| Refused | instead |\n|---|---|\n{}", rows.concat()),
    }
}
