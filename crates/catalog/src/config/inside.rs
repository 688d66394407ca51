//! The second function of a rule.

use super::rules::{check_time_zone, text_match};
use super::{Sink, raw};
use crate::function::Context;
use crate::{Inside, Parts, ShardFunction};

/// More shards than this are a slip of the hand.
const MOST_SHARDS: usize = 65_536;

/// How the rule's nodes are grouped for its two functions.
#[derive(Debug, Clone, Copy)]
pub(super) enum Groups {
    /// The first function counts nodes.
    No,
    /// It counts groups of so many neighbouring nodes.
    Of { size: usize, count: usize },
}

impl Groups {
    /// `None` where they are wrong, which is reported.
    pub(super) fn of(name: &str, raw: &raw::Rule, nodes: Option<usize>, sink: &mut Sink<'_>) -> Option<Self> {
        let Some(inside) = &raw.inside else { return Some(Self::No) };
        let Some(size) = inside.nodes_per_group else { return Some(Self::No) };
        let path = ["rules", name, "inside", "nodes_per_group"];
        let size = size as usize;
        let nodes = nodes?;
        if size == 0 || !nodes.is_multiple_of(size) {
            let message = format!("{nodes} nodes cannot be grouped by {size}");
            sink.error(&path, message, "let the number of nodes be a multiple of it");
            return None;
        }
        if raw.default.is_some() {
            let message = "a default node has no place among groups of nodes";
            sink.error_at_key(&["rules", name, "default"], message, "remove it");
            return None;
        }
        Some(Self::Of { size, count: nodes / size })
    }

    /// What the first function counts, where it is not the nodes.
    pub(super) fn names(self) -> Option<Vec<String>> {
        match self {
            Self::No => None,
            Self::Of { count, .. } => Some((0..count).map(|group| group.to_string()).collect()),
        }
    }
}

/// The second function, where the rule has one; the outer `None` where it is wrong, which is reported.
pub(super) fn read(
    name: &str,
    rule: &raw::Rule,
    groups: &Groups,
    sink: &mut Sink<'_>,
) -> Option<Option<Inside>> {
    let Some(raw) = &rule.inside else { return Some(None) };
    let path = ["rules", name, "inside"];
    let key = |key| [path[0], path[1], path[2], key];
    let time_zone_is_right = check_time_zone(&key("time_zone"), raw.time_zone.as_ref(), sink);
    if rule.tables.is_some() {
        let message = "the tables inside a node are those of the rule's second function";
        sink.error_at_key(&["rules", name, "tables"], message, "write `tables` into `inside`");
        return None;
    }
    let parts = match (groups, &raw.tables) {
        (Groups::No, Some(_)) => Parts::Tables,
        (Groups::Of { size, .. }, None) => Parts::Nodes(*size),
        (Groups::Of { .. }, Some(_)) => {
            let message = "a rule's second function chooses tables or nodes, not both";
            sink.error_at_key(&key("tables"), message, "keep one of `tables` and `nodes_per_group`");
            return None;
        }
        (Groups::No, None) => {
            let fix = "add `tables`, for example \"{table}_{yyyymm}\", or `nodes_per_group`";
            sink.error(&path, "what `inside` chooses is not said", fix);
            return None;
        }
    };
    let names: Vec<String> = match parts {
        Parts::Tables => vec!["the node".to_owned()],
        Parts::Nodes(count) => (0..count).map(|node| node.to_string()).collect(),
    };
    let default = match (raw.default, parts) {
        (Some(true), Parts::Tables) => Some(0),
        (Some(true), Parts::Nodes(_)) => {
            let message = "`default` makes a table of the rest, and this function chooses nodes";
            sink.error_at_key(&key("default"), message, "remove it");
            return None;
        }
        _ => None,
    };
    let counts = raw.tables_per_node.map(|count| [count]);
    if counts == Some([0]) {
        sink.error(&key("tables_per_node"), "a node has no tables", "write a number from 1");
        return None;
    }
    let built = raw.function.build(&Context {
        nodes: &names,
        tables: raw.tables.as_deref(),
        tables_per_node: counts.as_ref().map(|counts| &counts[..]),
        default,
    });
    let function = built.map_err(|errors| {
        for error in errors {
            sink.error(&key(error.key), error.message, error.fix);
        }
    });
    let function = function.ok()?;
    time_zone_is_right.then(|| {
        Some(Inside {
            function: function.into(),
            column: raw.column.clone(),
            text_match: text_match(raw.text_match),
            time_zone: raw.time_zone.clone(),
            parts,
        })
    })
}

/// The pattern of the tables' names, whichever function makes them; `None` where there are too many, which is reported.
pub(super) fn check_size(
    name: &str,
    raw: &raw::Rule,
    function: &dyn ShardFunction,
    inside: Option<&Inside>,
    sink: &mut Sink<'_>,
) -> Option<Option<String>> {
    let Some(inside) = inside else { return Some(raw.tables.clone()) };
    let shards = function.shards().saturating_mul(inside.function.shards());
    if shards > MOST_SHARDS {
        let message = format!("the two functions make {shards} shards of each table");
        let fix = format!("make at most {MOST_SHARDS}: fewer nodes, or longer periods");
        sink.error(&["rules", name, "inside"], message, fix);
        return None;
    }
    Some(raw.inside.as_ref().and_then(|inside| inside.tables.clone()))
}
