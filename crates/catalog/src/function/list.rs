//! `list`: listed values, as Mycat's PartitionByFileMap.

use std::collections::HashMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serval_types::ColumnType;

use super::{Context, OptionError, ShardFunction, accepts_spelt, reading};
use crate::{Key, ShardIndex};

/// Options of `list`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Options {
    /// The values of each node, for example `{ dn0 = [10000, 10010], dn1 = ["beijing"] }`.
    pub values: IndexMap<String, Vec<Listed>>,
}

/// A listed value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Listed {
    /// A whole number.
    Number(i64),
    /// A text; for numbers beyond 9223372036854775807 too.
    Text(String),
}

impl Listed {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            // Trailing spaces tell no keys apart.
            Self::Text(text) => text.trim_end_matches(' ').to_owned(),
        }
    }
}

pub(crate) fn build(
    options: &Options,
    context: &Context<'_>,
) -> Result<Box<dyn ShardFunction>, Vec<OptionError>> {
    let mut errors = Vec::new();
    let mut shards: HashMap<String, u32> = HashMap::new();
    for (name, values) in &options.values {
        let Some(shard) = context.nodes.iter().position(|known| known == name) else {
            errors.push(error(
                format!("`values` names the node `{name}`, which is not among the rule's nodes"),
                format!("use the rule's nodes: {}", context.nodes.join(", ")),
            ));
            continue;
        };
        for value in values {
            let shard = u32::try_from(shard).expect("a rule has fewer than 2^16 nodes");
            if shards.insert(value.text(), shard).is_some() {
                let message = format!("the value `{}` is listed twice", value.text());
                errors.push(error(message, "list each value once"));
            }
        }
    }
    if shards.is_empty() && errors.is_empty() {
        errors.push(error("`values` lists nothing".to_owned(), "list the values of each node"));
    }
    if errors.is_empty() { Ok(Box::new(List { shards, nodes: context.nodes.len() })) } else { Err(errors) }
}

fn error(message: String, fix: impl Into<String>) -> OptionError {
    OptionError { about_nodes: true, ..OptionError::new("values", message, fix) }
}

#[derive(Debug)]
struct List {
    shards: HashMap<String, u32>,
    nodes: usize,
}

impl ShardFunction for List {
    fn name(&self) -> &'static str {
        "list"
    }

    fn accepts(&self, column_type: &ColumnType) -> Result<(), String> {
        accepts_spelt("list", column_type)?;
        let odd =
            |value: &&String| value.parse::<i128>().map(|number| number.to_string()) != Ok((*value).clone());
        match (column_type, self.shards.keys().filter(odd).min()) {
            (ColumnType::Text { .. }, _) | (_, None) => Ok(()),
            (_, Some(odd)) => Err(format!("the column holds numbers, and the listed `{odd}` is none")),
        }
    }

    fn shards(&self) -> usize {
        self.nodes
    }

    fn shard_of(&self, key: &Key) -> Result<ShardIndex, String> {
        let shard = self.shards.get(&*reading::text(key)?);
        shard.map(|&shard| shard as usize).ok_or_else(|| "the rule does not list it".to_owned())
    }

    fn describe(&self) -> String {
        let mut listed: Vec<(u32, &str)> =
            self.shards.iter().map(|(value, &shard)| (shard, value.as_str())).collect();
        listed.sort_unstable();
        let count = listed.len();
        let checksum = xxhash_rust::xxh64::xxh64(format!("{listed:?}").as_bytes(), 0);
        format!("{count} values over {} shards, list {checksum:016x}", self.nodes)
    }
}
