//! Which references of a block have their joined rows on one shard.
//!
//! Rows of two tables lie together where they agree on what says where they lie: on the sharding columns of one rule, or
//! on the key of a parent, which its children hold. So from the block's first sharded reference on, each one that is
//! joined in one of these ways with one that is known already comes to it, and brings its own keys.

use serval_catalog::{Guide, Sharding};

use super::columns::{Column, Scope};
use super::equality::{Equality, equal_to, following};

/// One of the ways in which rows of a reference say where they lie.
#[derive(Debug)]
pub(super) struct Link {
    /// The reference.
    at: usize,
    guide: Guide,
    /// What each of its columns equals.
    pub(super) classes: Vec<Vec<Column>>,
}

/// The references whose joined rows share a shard.
#[derive(Debug, Default)]
pub(super) struct Together {
    pub(super) members: Vec<usize>,
    pub(super) links: Vec<Link>,
}

impl Together {
    /// Those of the block that begins at `scope.first`.
    pub(super) fn of(scope: Scope<'_>, equalities: &[Equality]) -> Self {
        let sharding = |index: usize| scope.refs[index].table.table.sharding();
        let sharded: Vec<usize> =
            (scope.first..scope.refs.len()).filter(|index| sharding(*index).is_some()).collect();
        let Some(anchor) = sharded.iter().copied().find(|index| !scope.refs[*index].nullable) else {
            return Self::default();
        };
        let mut found = Self::default();
        found.take(scope, anchor, equalities, equal_to);
        while let Some(next) = sharded.iter().copied().find(|index| {
            !found.members.contains(index)
                && sharding(*index).is_some_and(|own| found.meets(scope, *index, own))
        }) {
            // Where this one is filled up with NULLs, nothing is known of what equals others only.
            found.take(scope, next, equalities, following);
        }
        found
    }

    fn take(
        &mut self,
        scope: Scope<'_>,
        index: usize,
        equalities: &[Equality],
        class: fn(Scope<'_>, Column, &[Equality]) -> Vec<Column>,
    ) {
        self.members.push(index);
        let Some(sharding) = scope.refs[index].table.table.sharding() else { return };
        for (guide, columns) in sharding.guides() {
            let classes = columns.into_iter().map(|name| class(scope, column(index, name), equalities));
            let classes = classes.collect();
            self.links.push(Link { at: index, guide, classes });
        }
    }

    /// Whether rows of a reference lie beside those of a member.
    fn meets(&self, scope: Scope<'_>, index: usize, own: &Sharding) -> bool {
        own.guides().iter().any(|(guide, columns)| {
            self.links_of(scope, guide, own).any(|link| {
                let mut pairs = link.classes.iter().zip(columns);
                pairs.all(|(class, name)| class.contains(&column(index, name)))
            })
        })
    }

    /// The links by which rows of another table meet these.
    pub(super) fn links_of<'l>(
        &'l self,
        scope: Scope<'l>,
        guide: &'l Guide,
        other: &'l Sharding,
    ) -> impl Iterator<Item = &'l Link> {
        self.links.iter().filter(move |link| {
            let Some(own) = scope.refs[link.at].table.table.sharding() else { return false };
            let by_rule = || own.co_located(other);
            link.guide == *guide && (*guide != Guide::Rule || by_rule())
        })
    }
}

fn column(table: usize, name: &str) -> Column {
    Column { table, name: name.to_lowercase() }
}
