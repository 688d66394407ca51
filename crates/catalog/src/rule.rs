//! A rule: a shard function with its nodes, under a name that co-located tables share.

use serval_types::NodeId;

use crate::{Shard, ShardFunction};

/// How the application spells text keys whose collation ignores case or accents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextMatch {
    /// Rows lie where their exact spelling puts them. Equality on a `_ci` column then reaches every shard, because
    /// another spelling may be equal too.
    #[default]
    Raw,
    /// Keys are printable ASCII and fold to lower case before they route, so equality on a `_ci` column reaches
    /// one shard. Other keys are refused.
    AsciiFold,
}

/// A shard function with its nodes.
#[derive(Debug)]
pub struct Rule {
    /// The name in the config.
    pub name: String,
    /// From a key to a shard.
    pub function: Box<dyn ShardFunction>,
    /// The sharding column of tables that name none.
    pub column: Option<String>,
    /// The nodes in the order of the rule's list.
    pub nodes: Vec<NodeId>,
    /// What tables of this rule declare unless they say otherwise.
    pub text_match: TextMatch,
    /// The time zone that TIMESTAMP keys route in.
    pub time_zone: Option<String>,
    /// The pattern of the physical tables' names, `{table}_{yyyymm}` or `{table}_{nnnn}`, where the rule splits tables inside a node.
    pub tables: Option<String>,
}

impl Rule {
    /// The shards of a table of this rule, in the order that [`ShardFunction::shard_of`] counts them.
    #[must_use]
    pub fn shards_of_table(&self, table: &str) -> Vec<Shard> {
        (0..self.function.shards())
            .map(|shard| {
                let place = self.function.place(shard);
                let table = match (&self.tables, place.piece) {
                    (Some(pattern), Some(piece)) => piece.name(pattern, table),
                    _ => table.to_owned(),
                };
                Shard { node: self.nodes[place.node], table }
            })
            .collect()
    }
}
