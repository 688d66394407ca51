//! Rows of the page, as comments beside refusals.

use super::source::{Block, Kind, Source};

/// One row of a table.
pub(super) struct Row {
    /// Which table.
    pub(super) section: String,
    pub(super) refused: String,
    pub(super) instead: String,
}

/// What a comment says.
enum Remark {
    Row(Row),
    /// Words of a row that stands elsewhere.
    See(String),
}

/// The rows of all files, in their order.
///
/// # Errors
/// Refusals without a row, rows without a refusal, and words that no row has.
pub(super) fn all(sources: &[Source]) -> Result<Vec<Row>, String> {
    let (mut rows, mut seen, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources {
        for block in source.blocks() {
            let place = format!("{}:{}", source.name, block.line);
            let remarks = remarks(&block).map_err(|reason| format!("{place}: {reason}"))?;
            if remarks.is_empty() && source.refuses(&block) {
                wrong.push(format!("{place}: says not which row of docs/limits.md it pins"));
            }
            if !remarks.is_empty() && source.kind != Kind::Code && !source.fails(&block) {
                wrong.push(format!("{place}: has a row of docs/limits.md, and refuses nothing"));
            }
            for remark in remarks {
                match remark {
                    Remark::Row(row) => rows.push(row),
                    Remark::See(words) => seen.push((place.clone(), words)),
                }
            }
        }
    }
    let known = |words: &str| rows.iter().any(|row: &Row| row.refused.contains(words));
    wrong.extend(
        seen.iter()
            .filter(|(_, words)| !known(words))
            .map(|(place, words)| format!("{place}: no row has `{words}`")),
    );
    if wrong.is_empty() { Ok(rows) } else { Err(wrong.join("\n")) }
}

fn remarks(block: &Block<'_>) -> Result<Vec<Remark>, String> {
    let comments = block.lines.iter().filter_map(|line| {
        let line = line.trim_start();
        ["# ", "// "].iter().find_map(|mark| line.strip_prefix(mark)?.strip_prefix("limits"))
    });
    comments.filter(|text| text.starts_with([':', '['])).map(remark).collect()
}

fn remark(text: &str) -> Result<Remark, String> {
    if let Some(words) = text.strip_prefix(": see ") {
        return Ok(Remark::See(words.trim().to_owned()));
    }
    let row = || {
        let (section, rest) = text.strip_prefix('[')?.split_once("]: ")?;
        let (refused, instead) = rest.rsplit_once('|')?;
        let owned = |text: &str| text.trim().to_owned();
        Some(Row { section: owned(section), refused: owned(refused), instead: owned(instead) })
    };
    row().map(Remark::Row).ok_or_else(|| {
        format!("`limits{text}` is neither `limits[section]: refused | instead` nor `limits: see words`")
    })
}
