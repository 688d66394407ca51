//! What all functions share: several tables on each node, and the node that takes what no shard takes.

use std::collections::HashSet;
use std::ops::Bound;

use serval_types::ColumnType;

use super::{Context, OptionError, Piece, Place, ShardFunction};
use crate::{Key, ShardIndex, ShardSet};

type Built = Result<Box<dyn ShardFunction>, Vec<OptionError>>;

/// More tables than this are a slip of the hand.
pub(super) const MOST_TABLES: usize = 65_536;

/// A function of the key's value, whose shards are the nodes, or numbered tables on them.
pub(super) fn numbered(context: &Context<'_>, build: &dyn Fn(&Context<'_>) -> Built) -> Built {
    let function = match (context.tables, context.tables_per_node) {
        (None, None) => build(context)?,
        (Some(pattern), Some(counts)) => {
            let homes = homes(counts)?;
            let names: Vec<String> = (0..homes.len()).map(|number| number.to_string()).collect();
            check_pattern(pattern, "number", "{nnnn}", (0..homes.len()).map(numbered_piece))?;
            let inner = build(&Context { nodes: &names, ..*context })?;
            Box::new(Numbered { inner, homes }) as Box<dyn ShardFunction>
        }
        (Some(_), None) => {
            return Err(vec![OptionError::new(
                "tables",
                "`tables` names several tables on each node, but not how many",
                "add `tables_per_node`, for example 4",
            )]);
        }
        (None, Some(_)) => {
            return Err(vec![OptionError::new(
                "tables_per_node",
                "`tables_per_node` needs the names of the tables",
                "add `tables`, for example \"{table}_{nnnn}\"",
            )]);
        }
    };
    Ok(with_default(function, context))
}

/// A function of the calendar, whose tables are named by their periods.
pub(super) fn periodic(context: &Context<'_>, build: &dyn Fn(&Context<'_>) -> Built) -> Built {
    if context.tables_per_node.is_some() {
        return Err(vec![OptionError::new(
            "tables_per_node",
            "`tables_per_node` means nothing for a function of the calendar",
            "remove it: `tables` makes a table of each period",
        )]);
    }
    Ok(with_default(build(context)?, context))
}

/// The node of each table.
fn homes(counts: &[u32]) -> Result<Vec<usize>, Vec<OptionError>> {
    let total: usize = counts.iter().map(|&count| count as usize).sum();
    if total > MOST_TABLES {
        return Err(vec![OptionError::new(
            "tables_per_node",
            format!("that makes {total} tables"),
            format!("make at most {MOST_TABLES}"),
        )]);
    }
    let runs = counts.iter().enumerate().map(|(node, &count)| std::iter::repeat_n(node, count as usize));
    Ok(runs.flatten().collect())
}

fn numbered_piece(number: usize) -> Piece {
    Piece { number, start: None }
}

/// Whether the pattern names every piece, and each differently.
pub(super) fn check_pattern(
    pattern: &str,
    noun: &str,
    placeholder: &str,
    pieces: impl Iterator<Item = Piece>,
) -> Result<(), Vec<OptionError>> {
    let example = format!("use `{{table}}` and `{placeholder}`, for example \"{{table}}_{placeholder}\"");
    let mut names = HashSet::new();
    for piece in pieces {
        if let Some(unknown) = piece.unknown_in(pattern) {
            let message = format!("`{unknown}` in the pattern `{pattern}` stands for nothing");
            return Err(vec![OptionError::new("tables", message, example)]);
        }
        let fresh = names.insert(piece.name(pattern, "t").to_lowercase());
        if !fresh || !pattern.contains("{table}") {
            let message = format!("the pattern `{pattern}` does not name each {noun}'s table differently");
            return Err(vec![OptionError::new("tables", message, example)]);
        }
    }
    if pattern.contains("{table}") {
        return Ok(());
    }
    Err(vec![OptionError::new("tables", format!("the pattern `{pattern}` does not name the table"), example)])
}

/// A function whose shards are tables, several on each node.
#[derive(Debug)]
struct Numbered {
    inner: Box<dyn ShardFunction>,
    homes: Vec<usize>,
}

impl ShardFunction for Numbered {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        self.inner.accepts(column_type)
    }

    fn shards(&self) -> usize {
        self.homes.len()
    }

    fn place(&self, shard: ShardIndex) -> Place {
        Place { node: self.homes[shard], piece: Some(numbered_piece(shard)) }
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        self.inner.shard_of(key)
    }

    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        self.inner.shards_of_range(low, high)
    }

    fn takes_several_columns(&self) -> bool {
        self.inner.takes_several_columns()
    }

    fn describe(&self) -> String {
        let nodes = self.homes.last().map_or(0, |last| last + 1);
        let counts: Vec<usize> =
            (0..nodes).map(|node| self.homes.iter().filter(|&&home| home == node).count()).collect();
        format!("{}, tables per node {counts:?}", self.inner.describe())
    }
}

fn with_default(inner: Box<dyn ShardFunction>, context: &Context<'_>) -> Box<dyn ShardFunction> {
    let Some(node) = context.default else { return inner };
    let name = context.nodes[node].clone();
    // Where shards are tables, the default is one more: the table of the client's own name.
    let split = context.tables.is_some();
    let shard = if split { inner.shards() } else { node };
    Box::new(WithDefault { inner, node, name, shard, split })
}

/// A function with a node for everything it has no shard for.
#[derive(Debug)]
struct WithDefault {
    inner: Box<dyn ShardFunction>,
    node: usize,
    name: String,
    shard: ShardIndex,
    split: bool,
}

impl ShardFunction for WithDefault {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        self.inner.accepts(column_type)
    }

    fn shards(&self) -> usize {
        self.inner.shards() + usize::from(self.split)
    }

    fn place(&self, shard: ShardIndex) -> Place {
        if self.split && shard == self.shard {
            return Place { node: self.node, piece: None };
        }
        self.inner.place(shard)
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        Ok(self.inner.shard_of(key).unwrap_or(self.shard))
    }

    fn shards_of_range(&self, low: Bound<&Key>, high: Bound<&Key>) -> ShardSet {
        self.inner.shards_of_range(low, high).union(&ShardSet::one(self.shard))
    }

    fn default_shard(&self) -> Option<ShardIndex> {
        Some(self.shard)
    }

    fn keeps_days_together(&self) -> bool {
        self.inner.keeps_days_together()
    }

    fn takes_several_columns(&self) -> bool {
        self.inner.takes_several_columns()
    }

    fn describe(&self) -> String {
        format!("{}, the rest on {}", self.inner.describe(), self.name)
    }
}
