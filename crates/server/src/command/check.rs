//! `serval check`: whether a config is right, and with `--online` whether the servers agree with it.

use serval_catalog::{Catalog, Placement, Schema};

use crate::cli::CheckArgs;
use crate::config_files::ConfigFiles;
use crate::failure::Failure;
use crate::online;
use crate::output::{complain, say};

/// Prints a summary, or every mistake.
pub fn run(args: &CheckArgs) -> Result<(), Failure> {
    let files = ConfigFiles::read(&args.config)?;
    let (catalog, warnings) = files.load()?;
    if !warnings.is_empty() {
        complain(files.render(&warnings));
    }
    say(summary(&files, &catalog));
    let online = if args.online { online::check(&catalog) } else { Ok(()) };
    online.and(args.rows.map_or(Ok(()), |rows| online::check_rows(&catalog, rows)))
}

/// What the config amounts to, in a few lines.
fn summary(files: &ConfigFiles, catalog: &Catalog) -> String {
    let mut lines = vec![format!("ok: {}", files.path.display())];
    for group in &catalog.groups {
        let databases: Vec<&str> = catalog
            .nodes
            .iter()
            .filter(|node| node.group == group.id)
            .map(|node| node.database.as_str())
            .collect();
        let replicas = count(group.servers.len().saturating_sub(1), "replica");
        lines.push(format!("  group {}: a primary and {replicas}; {}", group.name, databases.join(", ")));
    }
    lines.extend(catalog.schemas.values().map(|schema| format!("  schema {}", tables(schema))));
    lines.push(format!("  {}", count(catalog.users.len(), "user")));
    lines.join("\n")
}

fn tables(schema: &Schema) -> String {
    let of = |wanted: fn(&Placement) -> bool| {
        schema.tables.values().filter(|table| wanted(&table.placement)).count()
    };
    let sharded = of(|placement| matches!(placement, Placement::Sharded(_)));
    let global = of(|placement| matches!(placement, Placement::Global(_)));
    let single = of(|placement| matches!(placement, Placement::Node(_)));
    let known = schema.tables.values().filter(|table| table.definition.is_some()).count();
    format!(
        "{}: {} ({sharded} sharded, {global} global, {single} on one node; the definitions of {known} are known)",
        schema.name,
        count(schema.tables.len(), "table"),
    )
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_plural() {
        assert_eq!(count(1, "table"), "1 table");
        assert_eq!(count(0, "table"), "0 tables");
    }
}
