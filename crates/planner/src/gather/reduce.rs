//! In which order tables are brought, and which of them only by keys that others have brought.

use serval_types::ColumnType;

use super::columns::Named;
use super::temporary::quoted;
use super::{Gathering, temporary_name};
use crate::analysis::{Column, Equal};
use crate::error::PlanError;
use crate::primitive::{GatherSource, Primitive, Reduction};

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
            if let Some(reduction) = self.reduction(sources, &order, index) {
                let found = &self.analysis.refs[index];
                sources[index] = self.source(index, found, named, Some(reduction))?;
            }
            order.push(index);
        }
        order.extend(copies);
        Ok(order)
    }

    /// Which of `left` comes next, as an index into it.
    fn next(&self, sources: &[GatherSource], order: &[usize], left: &[usize]) -> Option<usize> {
        let worth = |index: usize| {
            let rows = &*sources[index].rows;
            let held = matches!(rows, Primitive::Held(_));
            let single = matches!(rows, Primitive::Route(route) if route.targets.len() == 1);
            (held, sources[index].filters > 0, self.reduction(sources, order, index).is_some(), single)
        };
        // Of equals the first in the text.
        (0..left.len()).rev().max_by_key(|&at| worth(left[at]))
    }

    /// The keys by which a source can be brought, where it is brought after those in `order`.
    fn reduction(&self, sources: &[GatherSource], order: &[usize], index: usize) -> Option<Reduction> {
        // What is copied elsewhere is needed there whole.
        let held = matches!(&*sources[index].rows, Primitive::Held(_));
        if held || sources[index].in_utf8 || sources.iter().any(|source| source.copy_of == Some(index)) {
            return None;
        }
        let is_number = |column: &Column| {
            let definition = self.analysis.refs[column.table].table.table.definition.as_ref();
            let declared = definition.and_then(|definition| definition.column(&column.name));
            declared.is_some_and(|column| matches!(column.column_type, ColumnType::Int { .. }))
        };
        let own = |equal: &&Equal| equal.to.table == index && is_number(&equal.to) && is_number(&equal.from);
        let reaching = self.analysis.equal.iter().filter(own);
        let mut found: Vec<Reduction> = reaching
            .filter_map(|equal| {
                let from = sources[equal.from.table].copy_of.unwrap_or(equal.from.table);
                let name = quoted(&equal.from.name);
                let column = sources[from].names.iter().position(|other| other.to_lowercase() == name)?;
                let exposed = &self.analysis.refs[index].exposed;
                let key = format!("{}.{}", quoted(exposed), quoted(&equal.to.name));
                let marker = format!("({key} IS NOT NULL AND 'keys of {}' <> '')", temporary_name(from));
                order.contains(&from).then_some(Reduction { from, column, key, marker })
            })
            .collect();
        // The smallest are first in the order.
        found.sort_by_key(|reduction| order.iter().position(|at| *at == reduction.from));
        found.into_iter().next()
    }
}
