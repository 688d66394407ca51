//! `Destination`: where a statement goes, as far as the plan knows it, and exactly once values are bound.

use serval_catalog::{Catalog, Placement, ShardSet, Sharding};
use serval_types::NodeId;
use smallvec::SmallVec;
use std::sync::Arc;

use crate::analysis::TableRef;
use crate::error::PlanError;
use crate::hint::Place;
use crate::operand::Values;
use crate::reach::Reach;

/// The shard that each reference of a statement uses on one target; `None` for tables that are not sharded.
pub(crate) type Shards = SmallVec<[Option<usize>; 2]>;

/// Where a statement goes.
#[derive(Debug)]
pub(crate) struct Destination {
    /// The sharded references.
    sharded: Vec<ShardedRef>,
    /// How many references there are in all.
    refs: usize,
    /// The nodes that have every table that is not sharded; `None` where all tables are sharded.
    common: Option<Vec<NodeId>>,
    /// Why several shards cannot be one statement's; `None` where they can.
    apart: Option<String>,
}

#[derive(Debug)]
struct ShardedRef {
    index: usize,
    sharding: Arc<Sharding>,
    reach: Reach,
    /// Rows of this reference decide which shards are asked; rows that only fill up an outer join do not.
    decides: bool,
}

/// Where a statement goes, with values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// One node holds all that is needed.
    One {
        /// The node.
        node: NodeId,
        /// The shard of each reference.
        shards: Shards,
    },
    /// Several shards of tables that share their rule.
    Many(ShardSet),
}

impl Destination {
    /// The destination of a statement with these references.
    ///
    /// # Errors
    /// A refusal where tables that are not sharded have no node in common.
    pub(crate) fn of(refs: &[TableRef], home: NodeId) -> Result<Self, PlanError> {
        let mut common: Option<Vec<NodeId>> = None;
        let mut sharded = Vec::new();
        for (index, found) in refs.iter().enumerate() {
            let nodes = match &found.table.table.placement {
                Placement::Node(node) => std::slice::from_ref(node),
                Placement::Global(nodes) => nodes,
                Placement::Sharded(sharding) => {
                    let decides = !found.nullable && found.block == 0;
                    let (sharding, reach) = (Arc::clone(sharding), found.reach.clone());
                    sharded.push(ShardedRef { index, sharding, reach, decides });
                    continue;
                }
            };
            let both = match common {
                None => nodes.to_vec(),
                Some(before) => before.into_iter().filter(|node| nodes.contains(node)).collect(),
            };
            if both.is_empty() {
                return Err(PlanError::refused(format!(
                    "No data node holds all of these tables ({}); make one of them global, read them by themselves, or let a \
                     [scratch] server join them",
                    names(refs)
                )));
            }
            common = Some(both);
        }
        if refs.is_empty() {
            common = Some(vec![home]);
        }
        let apart = apart(refs);
        Ok(Self { sharded, refs: refs.len(), common, apart })
    }

    /// One node, for a statement without tables of the catalog.
    pub(crate) fn on(node: NodeId) -> Self {
        Self { sharded: Vec::new(), refs: 0, common: Some(vec![node]), apart: None }
    }

    /// Why the statement cannot be one over several shards, where it cannot.
    pub(crate) fn apart(&self) -> Option<&str> {
        self.apart.as_deref()
    }

    /// The sharding that decides, where a table is sharded.
    pub(crate) fn sharding(&self) -> Option<&Arc<Sharding>> {
        self.sharded.iter().find(|found| found.decides).or(self.sharded.first()).map(|found| &found.sharding)
    }

    /// Whether the statement's instant decides where it goes.
    pub(crate) fn looks_at_clock(&self) -> bool {
        self.sharded.iter().any(|found| found.reach.looks_at_clock())
    }

    /// The nodes that have every table that is not sharded.
    pub(crate) fn common(&self) -> Option<&[NodeId]> {
        self.common.as_deref()
    }

    /// The nodes of which each can answer: copies of all tables, where each is a global one or beside one.
    pub(crate) fn copies(&self) -> Option<&[NodeId]> {
        let is_free = self.sharded.is_empty() && self.refs > 0;
        self.common.as_deref().filter(|common| is_free && common.len() > 1)
    }

    /// A node that has all the tables, and a shard of each there, whatever their values.
    ///
    /// # Errors
    /// A refusal where there is no such node.
    pub(crate) fn any(&self) -> Result<(NodeId, Shards), PlanError> {
        let mut shards: Shards = SmallVec::from_elem(None, self.refs);
        let Some(first) = self.sharded.first() else {
            let node = self.common.as_deref().and_then(|nodes| nodes.first().copied()).unwrap_or(NodeId(0));
            return Ok((node, shards));
        };
        let node = first.sharding.shards[self.usable_shard()?].node;
        for found in &self.sharded {
            let on_node = found.sharding.shards.iter().position(|shard| shard.node == node);
            shards[found.index] = Some(on_node.ok_or_else(|| self.not_on_node())?);
        }
        Ok((node, shards))
    }

    /// Where the statement goes with these values.
    ///
    /// # Errors
    /// A refusal where it needs several nodes and cannot be split over them.
    pub(crate) fn resolve(
        &self,
        values: &Values<'_>,
        catalog: &Catalog,
        place: Option<&Place>,
    ) -> Result<Resolved, PlanError> {
        if self.sharded.is_empty() {
            let common = self.common.as_deref().unwrap_or_default();
            let node = match place {
                Some(place) if self.refs > 0 => place.among(common)?,
                Some(Place::Node { id, .. }) => *id,
                _ => {
                    let chosen = values.copy.filter(|node| common.contains(node));
                    chosen.or(common.first().copied()).unwrap_or(NodeId(0))
                }
            };
            return Ok(Resolved::One { node, shards: SmallVec::from_elem(None, self.refs) });
        }
        let mut sets: SmallVec<[ShardSet; 2]> =
            self.sharded.iter().map(|found| found.reach.shards(&found.sharding, values)).collect();
        if let Some(place) = place
            && let Some(empty) = self.narrowed(place, &mut sets)?
        {
            return Ok(empty);
        }
        match &self.apart {
            None => self.together(&sets),
            Some(reason) => self.separately(&sets, reason, catalog),
        }
    }

    /// Leaves of each set what a hint does; where the statement's own predicates leave nothing of that, the answer is
    /// that of a node without such rows.
    fn narrowed(&self, place: &Place, sets: &mut [ShardSet]) -> Result<Option<Resolved>, PlanError> {
        let mut first = None;
        let mut shards: Shards = SmallVec::from_elem(None, self.refs);
        for (found, set) in self.sharded.iter().zip(sets.iter_mut()) {
            let left = place.shards(&found.sharding)?;
            let any = left.first().unwrap_or_default();
            let node = found.sharding.shards[any].node;
            if first.is_some_and(|first| first != node) {
                return Err(PlanError::Hint(format!(
                    "The hint for {} leads the tables of this statement to several data nodes",
                    place.text()
                )));
            }
            first = Some(node);
            shards[found.index] = Some(any);
            *set = set.intersection(&left);
        }
        if self.common.as_deref().is_some_and(|common| first.is_some_and(|node| !common.contains(&node))) {
            return Err(PlanError::Hint(format!(
                "The hint for {} leads to a data node that does not hold all of these tables",
                place.text()
            )));
        }
        let is_empty = sets.iter().all(ShardSet::is_empty);
        let deciding = || self.sharded.iter().zip(sets.iter()).filter(|(found, _)| found.decides);
        let none = self.apart.is_none() && deciding().any(|(_, set)| set.is_empty());
        Ok(first.filter(|_| is_empty || none).map(|node| Resolved::One { node, shards }))
    }

    /// All sharded tables share their rule and are joined on it, so shard n of one meets only shard n of another.
    fn together(&self, sets: &[ShardSet]) -> Result<Resolved, PlanError> {
        let deciding = self.sharded.iter().zip(sets).filter(|(found, _)| found.decides);
        let shards = deciding.map(|(_, set)| set.clone()).reduce(|one, two| one.intersection(&two));
        let shards = shards.unwrap_or_else(ShardSet::none);
        let sharding = &self.sharded[0].sharding;
        match (shards.len(), shards.first()) {
            // No row can match, so any shard gives the right empty answer, with its columns.
            (0, _) | (_, None) => self.one(sharding, self.usable_shard()?),
            (1, Some(shard)) => self.one(sharding, shard),
            _ => Ok(Resolved::Many(shards)),
        }
    }

    /// A shard on a node that has the tables which are not sharded, too.
    fn usable_shard(&self) -> Result<usize, PlanError> {
        let usable = |node: NodeId| self.common.as_deref().is_none_or(|common| common.contains(&node));
        let shards = &self.sharded[0].sharding.shards;
        shards.iter().position(|shard| usable(shard.node)).ok_or_else(|| self.not_on_node())
    }

    fn one(&self, sharding: &Sharding, shard: usize) -> Result<Resolved, PlanError> {
        let node = sharding.shards[shard].node;
        if self.common.as_deref().is_some_and(|common| !common.contains(&node)) {
            return Err(self.not_on_node());
        }
        let mut shards: Shards = SmallVec::from_elem(None, self.refs);
        self.sharded.iter().for_each(|found| shards[found.index] = Some(shard));
        Ok(Resolved::One { node, shards })
    }

    /// Each sharded table stands for itself, so each must come down to one shard, and all of them to one node.
    fn separately(&self, sets: &[ShardSet], reason: &str, catalog: &Catalog) -> Result<Resolved, PlanError> {
        let mut shards: Shards = SmallVec::from_elem(None, self.refs);
        let mut node = None;
        for (found, set) in self.sharded.iter().zip(sets).filter(|(_, set)| !set.is_empty()) {
            let Some(shard) = set.single() else { return Err(PlanError::refused(reason)) };
            let own = found.sharding.shards[shard].node;
            if node.is_some_and(|node| node != own) {
                return Err(PlanError::refused(reason));
            }
            node = Some(own);
            shards[found.index] = Some(shard);
        }
        let node = node.unwrap_or(self.sharded[0].sharding.shards[0].node);
        for found in &self.sharded {
            let on_node = || found.sharding.shards.iter().position(|shard| shard.node == node);
            if shards[found.index].is_none() {
                shards[found.index] = Some(on_node().ok_or_else(|| PlanError::refused(reason))?);
            }
        }
        if self.common.as_deref().is_some_and(|common| !common.contains(&node)) {
            return Err(PlanError::refused(format!(
                "{reason} (the key leads to {}, which does not hold all of the other tables)",
                catalog.node(node).name
            )));
        }
        Ok(Resolved::One { node, shards })
    }

    fn not_on_node(&self) -> PlanError {
        PlanError::refused(
            "A sharded table is joined with one that is not on all of its nodes; make that table global, \
             or read the two by themselves",
        )
    }
}

/// Why the sharded references cannot be treated as one, or `None` where shard n of one meets only shard n of all.
fn apart(refs: &[TableRef]) -> Option<String> {
    let sharded = || refs.iter().filter(|found| found.table.table.sharding().is_some());
    let first = sharded().next()?;
    if sharded().any(|found| found.block != 0 && !found.within)
        || refs.iter().any(|found| found.block != 0) && first.block != 0
    {
        return Some(format!(
            "A subquery, derived table or UNION over sharded tables ({}) needs rows of several data nodes in one \
             place; give each of them the same value of the sharding column, split the statement, or let a [scratch] server \
             finish it",
            names(refs)
        ));
    }
    if let Some(found) = sharded().find(|found| !found.co_located) {
        return Some(format!(
            "Tables {} are not joined on their sharding columns, and rows of {} may lie on other data nodes; join them \
             on the sharding columns or fix these to one value",
            names(refs),
            found.exposed
        ));
    }
    let pinned = refs.iter().find(|found| matches!(found.table.table.placement, Placement::Node(_)))?;
    Some(format!(
        "Table {} is on one data node only, but the sharded tables of this statement are needed on several; make it \
         global, or read the two by themselves",
        pinned.exposed
    ))
}

fn names(refs: &[TableRef]) -> String {
    refs.iter().map(|found| &*found.exposed).collect::<Vec<_>>().join(", ")
}
