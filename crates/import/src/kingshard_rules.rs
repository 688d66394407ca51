//! The rules that kingshard and Gaea share.

use crate::draft::{Rule, ranges};
use crate::windows::{self, Period};

/// What both write about a table's rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    pub kind: String,
    /// The data nodes, in the order of the rule.
    pub nodes: Vec<String>,
    /// How many tables each node has.
    pub locations: Vec<u32>,
    pub row_limit: i64,
    pub date_range: Vec<String>,
    /// Keys below zero were never taken for numbers.
    pub signs_are_text: bool,
}

/// More tables than this are a slip of the hand.
const MOST_TABLES: u64 = 65_536;

/// The rule, or why there is none.
pub(crate) fn rule(spec: &Spec) -> Result<Rule, String> {
    if let Some(period) = Period::of_type(&spec.kind) {
        return windows::rule(period, &spec.nodes, &spec.date_range);
    }
    if spec.locations.len() != spec.nodes.len() {
        return Err(format!("locations has {} numbers for {} nodes", spec.locations.len(), spec.nodes.len()));
    }
    let tables: u64 = spec.locations.iter().map(|&count| u64::from(count)).sum();
    if tables == 0 || tables > MOST_TABLES {
        return Err(format!("locations make {tables} tables"));
    }
    let rule = match spec.kind.as_str() {
        "hash" if spec.signs_are_text => {
            Rule::new("crc32_mod", &spec.nodes).with("negative", "\"text\"".to_owned()).note(
                "hash: Gaea placed a negative key by the CRC32 of its text, in quotes, and gave it no table without them.",
            )
        }
        "hash" => Rule::new("crc32_mod", &spec.nodes).note(
            "hash: kingshard placed a negative key by its 64 bits where the statement wrote it without quotes, and by the \
             CRC32 of its text in quotes. The rule has the first; add `negative = \"text\"` if the application used quotes.",
        ),
        "mod" => Rule::new("mod", &spec.nodes),
        "range" => Rule::new("range", &spec.nodes).with("ranges", row_ranges(tables, spec.row_limit)?),
        other => return Err(format!("the type `{other}` is not known")),
    };
    let counts: Vec<String> = spec.locations.iter().map(u32::to_string).collect();
    let rule = rule
        .with_text("tables", "{table}_{nnnn}")
        .with("tables_per_node", format!("[{}]", counts.join(", ")));
    windows::check(&rule)?;
    Ok(rule)
}

/// Table i holds the numbers from `i * limit` to before `(i + 1) * limit`.
fn row_ranges(tables: u64, limit: i64) -> Result<String, String> {
    let wrong = || format!("table_row_limit {limit} makes no ranges");
    let count = i64::try_from(tables).map_err(|_| wrong())?;
    if limit <= 0 || limit.checked_mul(count).is_none() {
        return Err(wrong());
    }
    let range = |table: i64| (table.to_string(), format!("{}-{}", table * limit, (table + 1) * limit - 1));
    Ok(ranges((0..count).map(range)))
}
