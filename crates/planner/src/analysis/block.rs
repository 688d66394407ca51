//! A SELECT block: which shards its predicates leave of each of its references.

use serval_catalog::Sharding;
use sqlparser::ast::{Expr, TableWithJoins};

use super::collector::Collector;
use super::columns::{Column, Scope};
use super::early::{Judge, early};
use super::equality::{Equality, equal_to, equalities};
use super::predicate::Reader;
use super::within::Root;
use crate::error::PlanError;

/// A predicate and the references whose rows it restricts.
pub(super) struct Condition<'q> {
    expr: &'q Expr,
    restricts: Vec<usize>,
    /// Those of them whose rows reach it as they are, not filled up with NULLs by a join inside.
    whole: Vec<usize>,
    /// It is an outer join's, which fills these rows up with NULLs where it does not hold.
    outer: bool,
}

impl Condition<'_> {
    fn judge(&self) -> Judge<'_> {
        Judge { expr: self.expr, restricts: &self.restricts, whole: &self.whole, outer: self.outer }
    }
}

/// A block being read.
#[derive(Default)]
pub(super) struct Block<'q> {
    pub(super) conditions: Vec<Condition<'q>>,
    pub(super) equalities: Vec<Equality>,
    /// There are derived tables, whose columns are not known.
    pub(super) opaque: bool,
}

impl Collector<'_> {
    /// Reads a block: its FROM and its WHERE.
    pub(super) fn block(
        &mut self,
        from: &[TableWithJoins],
        selection: Option<&Expr>,
    ) -> Result<(), PlanError> {
        let first = self.analysis.refs.len();
        let mut block = Block::default();
        for tables in from {
            self.joined(tables, false, first, &mut block)?;
        }
        if let Some(expr) = selection {
            let restricts = (first..self.analysis.refs.len()).collect();
            block.conditions.push(self.condition(expr, restricts, false));
        }
        self.reaches(first, block);
        self.analysis.blocks += 1;
        Ok(())
    }

    /// A predicate over what has been read so far.
    pub(super) fn condition<'q>(&self, expr: &'q Expr, restricts: Vec<usize>, outer: bool) -> Condition<'q> {
        let whole = restricts.iter().copied().filter(|index| !self.filled.contains(index)).collect();
        Condition { expr, restricts, whole, outer }
    }

    /// Fills in the reach and co-location of the block's references.
    fn reaches(&mut self, first: usize, mut block: Block<'_>) {
        let scope = Scope { refs: &self.analysis.refs, first, opaque: block.opaque };
        for condition in &block.conditions {
            let filled = condition.outer.then_some(&*condition.restricts);
            equalities(condition.expr, scope, filled, &mut block.equalities);
        }
        let judges: Vec<Judge<'_>> = block.conditions.iter().map(Condition::judge).collect();
        let (early, equal) = early(&judges, scope);
        self.analysis.early.extend(early);
        self.analysis.equal.extend(equal);
        let keys = |index: usize, sharding: &Sharding| -> Vec<Column> {
            let column = |name: &str| Column { table: index, name: name.to_lowercase() };
            sharding.columns.iter().map(|known| column(&known.name)).collect()
        };
        let classes = |index: usize, sharding: &Sharding| -> Vec<Vec<Column>> {
            keys(index, sharding).into_iter().map(|key| equal_to(scope, key, &block.equalities)).collect()
        };
        let anchor = (first..scope.refs.len()).find_map(|index| {
            let found = &scope.refs[index];
            let sharding = found.table.table.sharding().filter(|_| !found.nullable)?;
            Some((index, sharding, classes(index, sharding)))
        });
        if self.analysis.blocks == 0 {
            let root = |(anchor, _, classes)| Root { end: scope.refs.len(), anchor, classes };
            self.root = anchor.clone().map(root);
        }
        let mut results = Vec::new();
        for (index, found) in scope.refs.iter().enumerate().skip(first) {
            let Some(sharding) = found.table.table.sharding() else { continue };
            let classes = classes(index, sharding);
            let reader = Reader { scope, classes: &classes, locator: self.names.locator, scan: self.scan };
            let restricting =
                block.conditions.iter().filter(|condition| condition.restricts.contains(&index));
            let reach = restricting
                .fold(crate::reach::Reach::All, |reach, condition| reach.and(reader.reach(condition.expr)));
            // A table meets its own rows, also where its definition is not known. Others meet it where all of their
            // sharding columns are equal, one by one.
            let co_located = anchor.as_ref().is_some_and(|(at, anchor, classes)| {
                let equal =
                    || classes.iter().zip(keys(index, sharding)).all(|(class, key)| class.contains(&key));
                *at == index || anchor.co_located(sharding) && equal()
            });
            results.push((index, reach, co_located));
        }
        self.opaque = block.opaque;
        for (index, reach, co_located) in results {
            self.analysis.refs[index].reach = reach;
            self.analysis.refs[index].co_located = co_located;
        }
    }
}
