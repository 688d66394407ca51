//! A rule: a shard function with its nodes, under a name that co-located tables share.

use std::sync::Arc;

use serval_types::NodeId;

use crate::{Clock, Rolling, Shard, ShardFunction, ShardIndex, ShardSet};

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
#[derive(Debug, Clone)]
pub struct Rule {
    /// The name in the config.
    pub name: String,
    /// From a key to a shard.
    pub function: Arc<dyn ShardFunction>,
    /// The sharding columns of tables that name none: none, one, or several that `function` takes together.
    pub columns: Vec<String>,
    /// The nodes in the order of the rule's list.
    pub nodes: Vec<NodeId>,
    /// What tables of this rule declare unless they say otherwise.
    pub text_match: TextMatch,
    /// The time zone that TIMESTAMP keys route in.
    pub time_zone: Option<String>,
    /// The pattern of the physical tables' names, `{table}_{yyyymm}` or `{table}_{nnnn}`, where the rule splits tables inside a node.
    pub tables: Option<String>,
    /// What divides each shard of `function` further, by a column of its own.
    pub inside: Option<Inside>,
}

/// The second function of a rule, which divides each shard of the first.
#[derive(Debug, Clone)]
pub struct Inside {
    /// From a key to the part of a shard.
    pub function: Arc<dyn ShardFunction>,
    /// Its column, of tables that name none.
    pub column: Option<String>,
    /// The spelling of text keys.
    pub text_match: TextMatch,
    /// The time zone that TIMESTAMP keys route in.
    pub time_zone: Option<String>,
    /// What the parts are.
    pub parts: Parts,
}

/// What a shard of a rule's first function is divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Tables on its node.
    Tables,
    /// So many neighbouring nodes.
    Nodes(usize),
}

impl Rule {
    /// The shards of a table of this rule, in the order of their numbers.
    #[must_use]
    pub fn shards_of_table(&self, table: &str) -> Vec<Shard> {
        let outer = (0..self.function.shards()).map(|shard| self.function.place(shard));
        let Some(inside) = &self.inside else {
            return outer.map(|place| self.shard_at(place.node, place.piece, table)).collect();
        };
        let parts = |node: usize| {
            (0..inside.function.shards()).map(move |part| {
                let place = inside.function.place(part);
                match inside.parts {
                    Parts::Tables => self.shard_at(node, place.piece, table),
                    Parts::Nodes(count) => self.shard_at(node * count + place.node, None, table),
                }
            })
        };
        outer.flat_map(|place| parts(place.node)).collect()
    }

    fn shard_at(&self, node: usize, piece: Option<crate::Piece>, table: &str) -> Shard {
        let table = match (&self.tables, piece) {
            (Some(pattern), Some(piece)) => piece.name(pattern, table),
            _ => table.to_owned(),
        };
        Shard { node: self.nodes[node], table }
    }

    /// The same rule at this time, where its window goes on with the clock and has done so.
    #[must_use]
    pub fn rolled(&self, clock: &Clock) -> Option<Self> {
        let mut rule = self.clone();
        match &mut rule.inside {
            Some(inside) => inside.function = inside.function.rolled(clock)?.into(),
            None => rule.function = rule.function.rolled(clock)?.into(),
        }
        Some(rule)
    }

    /// What of it goes on with the clock, where something does.
    #[must_use]
    pub fn rolling(&self) -> Option<Rolling> {
        self.inside.as_ref().map_or(&self.function, |inside| &inside.function).rolling()
    }

    /// Where the tables are of periods that have expired and that no proxy reads any more, of the table of this name.
    #[must_use]
    pub fn passed(&self, table: &str) -> Vec<Shard> {
        let places = self.rolling().map(|rolling| rolling.passed).unwrap_or_default();
        if self.inside.is_none() {
            return places.iter().map(|place| self.shard_at(place.node, place.piece, table)).collect();
        }
        let nodes = (0..self.function.shards()).map(|shard| self.function.place(shard).node);
        let mut nodes: Vec<usize> = nodes.collect();
        nodes.dedup();
        nodes
            .iter()
            .flat_map(|node| places.iter().map(|place| self.shard_at(*node, place.piece, table)))
            .collect()
    }

    /// How many shards each table has.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.function.shards() * self.parts()
    }

    /// How many parts each shard of the first function has.
    fn parts(&self) -> usize {
        self.inside.as_ref().map_or(1, |inside| inside.function.shards())
    }

    /// The part `part` of shard `outer` of the first function.
    pub(crate) fn shard(&self, outer: ShardIndex, part: ShardIndex) -> ShardIndex {
        outer * self.parts() + part
    }

    /// All parts of these shards of the first function.
    pub(crate) fn with_all_parts(&self, outer: &ShardSet) -> ShardSet {
        match self.parts() {
            1 => outer.clone(),
            parts => outer.scaled(parts),
        }
    }

    /// These parts of all shards of the first function.
    pub(crate) fn with_all_outer(&self, inner: &ShardSet) -> ShardSet {
        if inner.len() == self.parts() {
            return ShardSet::all(self.shards());
        }
        (0..self.function.shards())
            .flat_map(|outer| inner.iter().map(move |part| (outer, part)))
            .map(|(outer, part)| self.shard(outer, part))
            .collect()
    }

    /// The shard of rows of `shard` whose column of one level has moved to where `moved` lies.
    ///
    /// `inside` says which level's column it is.
    #[must_use]
    pub fn moved(&self, shard: ShardIndex, moved: ShardIndex, inside: bool) -> ShardIndex {
        let parts = self.parts();
        if inside {
            self.shard(shard / parts, moved % parts)
        } else {
            self.shard(moved / parts, shard % parts)
        }
    }
}
