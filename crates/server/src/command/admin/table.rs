//! An answer as text.

use comfy_table::{Table, presets};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// With lines around the cells, for people.
    Table,
    /// A header and rows with tabs, for programs.
    Tabs,
}

/// The answer as text; a statement without columns was only done.
pub fn render(header: &[String], rows: &[Vec<String>], shape: Shape) -> String {
    if header.is_empty() {
        return "ok".to_owned();
    }
    match shape {
        Shape::Tabs => {
            let line = |cells: &[String]| cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join("\t");
            std::iter::once(line(header))
                .chain(rows.iter().map(|row| line(row)))
                .collect::<Vec<_>>()
                .join("\n")
        }
        Shape::Table => {
            let mut table = Table::new();
            table.load_preset(presets::ASCII_MARKDOWN).set_header(header);
            table.add_rows(rows);
            let plural = if rows.len() == 1 { "row" } else { "rows" };
            format!("{table}\n{} {plural}", rows.len())
        }
    }
}

/// A cell that stays one, as MySQL's client writes it in batch mode.
fn plain(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_and_line_ends_stay_in_their_cells() {
        let text = render(&["A".into(), "B".into()], &[vec!["x\ty".into(), "1\n2".into()]], Shape::Tabs);
        assert_eq!(text, "A\tB\nx\\ty\t1\\n2");
    }

    #[test]
    fn people_see_how_many_rows_there_are() {
        let text = render(&["A".into()], &[vec!["x".into()]], Shape::Table);
        assert_eq!(text, "| A |\n|---|\n| x |\n1 row");
    }
}
