//! In which order tables are brought, and which of them only by keys that others have brought.

use std::cmp::Reverse;

use serval_types::ColumnType;

use super::Gathering;
use super::columns::Named;
use super::temporary::quoted;
use crate::analysis::{Column, Equal};
use crate::error::PlanError;
use crate::primitive::{GatherSource, Primitive, Reduction};

/// More lists of keys than this say little more of one table.
const MOST: usize = 3;

impl Gathering<'_> {
    /// The order of loading: first what predicates have made small, then what its keys reach.
    ///
    /// # Errors
    /// As [`Gathering::source`].
    pub(super) fn reduce(
        &self,
        named: &Named,
        sources: &mut [GatherSource],
    ) -> Result<Vec<usize>, PlanError> {
        let mut order: Vec<usize> = Vec::with_capacity(sources.len());
        let (copies, mut left): (Vec<usize>, Vec<usize>) =
            (0..sources.len()).partition(|&index| sources[index].copy_of.is_some());
        while let Some(at) = self.next(sources, &order, &left) {
            let index = left.remove(at);
            let reductions = self.reductions(sources, &order, index);
            if !reductions.is_empty() {
                let found = &self.analysis.refs[index];
                sources[index] = self.source(index, found, named, reductions)?;
            }
            order.push(index);
        }
        order.extend(copies);
        Ok(order)
    }

    /// Which of `left` comes next, as an index into it.
    fn next(&self, sources: &[GatherSource], order: &[usize], left: &[usize]) -> Option<usize> {
        let worth = |index: usize| {
            let source = &sources[index];
            let held = matches!(&*source.rows, Primitive::Held(_));
            let single = matches!(&*source.rows, Primitive::Route(route) if route.targets.len() == 1);
            let filtered = source.is_filtered();
            // What the first tables reach is mostly less than what later ones do.
            let reached =
                self.reductions(sources, order, index).first().map(|first| place(order, first.from));
            (held, single && filtered, reached.is_some(), Reverse(reached), filtered, single)
        };
        // Of equals the first in the text.
        (0..left.len()).rev().max_by_key(|&at| worth(left[at]))
    }

    /// The keys by which a source can be brought, where it is brought after those in `order`, best first.
    fn reductions(&self, sources: &[GatherSource], order: &[usize], index: usize) -> Vec<Reduction> {
        // What is copied elsewhere is needed there whole.
        let held = matches!(&*sources[index].rows, Primitive::Held(_));
        if held
            || sources[index].in_utf8
            || sources[index].first.is_some()
            || sources.iter().any(|source| source.copy_of == Some(index))
        {
            return Vec::new();
        }
        let reaching = self.reaching(index).filter_map(|equal| {
            let from = sources[equal.from.table].copy_of.unwrap_or(equal.from.table);
            let name = quoted(&equal.from.name);
            let column = sources[from].names.iter().position(|other| other.to_lowercase() == name)?;
            let exposed = &self.analysis.refs[index].exposed;
            let key = match self.outcome_of(index) {
                Some(outcome) => outcome.column(&equal.to.name)?.key.clone()?,
                None => format!("{}.{}", quoted(exposed), quoted(&equal.to.name)),
            };
            let marker =
                format!("({key} IS NOT NULL AND 'keys of {}' IS NOT NULL)", self.temporary_name(from));
            order.contains(&from).then_some(Reduction { from, column, key, marker })
        });
        let mut found: Vec<Reduction> = reaching.collect();
        // The smallest are first in the order.
        found.sort_by_key(|reduction| place(order, reduction.from));
        found.dedup();
        found.truncate(MOST);
        found
    }

    /// The columns whose values the rows of a source must have, as far as they are numbers.
    fn reaching(&self, index: usize) -> impl Iterator<Item = &Equal> {
        let is_number = |column: &Column| {
            let definition = self.analysis.refs[column.table].table.table.definition.as_ref();
            let declared = definition.and_then(|definition| definition.column(&column.name));
            declared.is_some_and(|column| matches!(column.column_type, ColumnType::Int { .. }))
        };
        let all = self.analysis.equal.iter().chain(&self.analysis.across);
        all.filter(move |equal| equal.to.table == index && is_number(&equal.to) && is_number(&equal.from))
    }

    /// Whether a source may be brought by the keys of one that predicates have made small.
    pub(super) fn is_reachable(&self, sources: &[GatherSource], index: usize) -> bool {
        self.reaching(index).any(|equal| {
            let from = &sources[equal.from.table];
            from.is_filtered() || matches!(&*from.rows, Primitive::Held(_))
        })
    }
}

fn place(order: &[usize], source: usize) -> Option<usize> {
    order.iter().position(|at| *at == source)
}
