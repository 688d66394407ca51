//! Tables whose rows lie beside those of another, whose key they hold.
//!
//! A row of `order_items` with `order_id = 7` lies where the row of `orders` with `id = 7` lies, although `orders` is
//! sharded by `user_id`. The rule is the parent's; the value of `order_id` alone does not tell a shard.

use std::sync::Arc;

use super::Sharding;
use crate::{Rule, Unroutable};

/// The column of a table that its children hold.
#[derive(Debug, Clone)]
pub struct ParentKey {
    /// The schema's name.
    pub schema: String,
    /// The table's name.
    pub table: String,
    /// The column, whose values are unique in the table.
    pub column: String,
}

/// A table whose rows lie beside those of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// What its rows hold.
    pub key: ParentKey,
    /// The name, in the schema of the other.
    pub table: String,
    /// The column that holds it.
    pub column: String,
}

/// What says on which shard a row lies: rows of two tables that have the same guide lie together where they are equal in
/// the columns of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guide {
    /// The rule, by the sharding columns.
    Rule,
    /// The row of a table with this key.
    Key(ParentKey),
}

// Names compare without case.
impl PartialEq for ParentKey {
    fn eq(&self, other: &Self) -> bool {
        self.schema.eq_ignore_ascii_case(&other.schema)
            && self.table.eq_ignore_ascii_case(&other.table)
            && self.column.eq_ignore_ascii_case(&other.column)
    }
}

impl Eq for ParentKey {}

impl std::fmt::Display for ParentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

impl Sharding {
    /// What says where rows lie, each with the columns that it takes: the rule or the parent's row, and the keys that
    /// children hold.
    #[must_use]
    pub fn guides(&self) -> Vec<(Guide, Vec<&str>)> {
        let own = self.columns.iter().map(|column| column.name.as_str()).collect();
        let mut guides = vec![(self.parent.clone().map_or(Guide::Rule, Guide::Key), own)];
        for child in &self.children {
            let guide = Guide::Key(child.key.clone());
            if guides.iter().all(|(known, _)| *known != guide) {
                guides.push((guide, vec![child.key.column.as_str()]));
            }
        }
        guides
    }

    /// Whether it has a parent or children.
    #[must_use]
    pub fn has_family(&self) -> bool {
        self.parent.is_some() || !self.children.is_empty()
    }

    /// The columns whose values children hold.
    pub fn led_columns(&self) -> impl Iterator<Item = &str> {
        let keys = self.children.iter().map(|child| child.key.column.as_str());
        let first = |at: usize, name: &str| {
            self.children[..at].iter().all(|child| !child.key.column.eq_ignore_ascii_case(name))
        };
        keys.enumerate().filter(move |(at, name)| first(*at, name)).map(|(_, name)| name)
    }

    /// The same sharding under a rule of the same name, whose shards are others.
    pub(crate) fn under(&self, rule: Arc<Rule>, table: &str) -> Self {
        let (parent, children) = (self.parent.clone(), self.children.clone());
        Self { parent, children, ..Self::new(rule, table, self.columns.clone()) }
    }

    pub(super) fn refuse_following(&self) -> Result<(), Unroutable> {
        match (&self.parent, self.columns.first()) {
            (Some(parent), Some(column)) => {
                Err(Unroutable::Follows { column: column.name.clone(), parent: parent.to_string() })
            }
            _ => Ok(()),
        }
    }
}
