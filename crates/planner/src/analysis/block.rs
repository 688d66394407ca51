//! A SELECT block: which shards its predicates leave of each of its references.

use serval_catalog::Sharding;
use sqlparser::ast::{Expr, TableWithJoins};

use super::collector::Collector;
use super::columns::{Column, Scope};
use super::early::{Judge, early};
use super::equality::{Equality, equal_to, equalities};
use super::predicate::Reader;
use super::together::Together;
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
        let alternatives: Vec<_> = judges.iter().flat_map(|judge| judge.alternatives(scope)).collect();
        self.analysis.alternatives.extend(alternatives);
        self.analysis.early.extend(early);
        self.analysis.equal.extend(equal);
        let classes = |index: usize, sharding: &Sharding| -> Vec<Vec<Column>> {
            let column = |name: &str| Column { table: index, name: name.to_lowercase() };
            let keys = sharding.columns.iter().map(|known| column(&known.name));
            keys.map(|key| equal_to(scope, key, &block.equalities)).collect()
        };
        let together = Together::of(scope, &block.equalities);
        let mut results = Vec::new();
        for (index, found) in scope.refs.iter().enumerate().skip(first) {
            let Some(sharding) = found.table.table.sharding() else { continue };
            let classes = classes(index, sharding);
            let reader = Reader { scope, classes: &classes, locator: self.names.locator, scan: self.scan };
            let restricting =
                block.conditions.iter().filter(|condition| condition.restricts.contains(&index));
            let reach = restricting
                .fold(crate::reach::Reach::All, |reach, condition| reach.and(reader.reach(condition.expr)));
            let co_located = together.members.contains(&index);
            results.push((index, reach, co_located));
        }
        if self.analysis.blocks == 0 {
            self.root = Some(Root { end: scope.refs.len(), together });
            self.analysis.opaque = block.opaque;
        }
        self.opaque = block.opaque;
        for (index, reach, co_located) in results {
            self.analysis.refs[index].reach = reach;
            self.analysis.refs[index].co_located = co_located;
        }
    }
}
