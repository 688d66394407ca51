//! FROM: its tables, what joins them, and what a join fills up with NULLs.

use sqlparser::ast::{
    Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, TableFactor, TableWithJoins,
};

use super::block::Block;
use super::collector::Collector;
use super::columns::{Column, Scope};
use super::equality::Equality;
use crate::error::PlanError;

impl Collector<'_> {
    /// Reads one element of FROM; returns the references in it.
    pub(super) fn joined<'q>(
        &mut self,
        tables: &'q TableWithJoins,
        nullable: bool,
        first: usize,
        block: &mut Block<'q>,
    ) -> Result<Vec<usize>, PlanError> {
        let mut inside = self.factor(&tables.relation, nullable, first, block)?;
        for join in &tables.joins {
            let (side, constraint) = side(&join.join_operator)?;
            let right = self.factor(&join.relation, nullable || side == Side::Left, first, block)?;
            if side == Side::Right {
                inside.iter().for_each(|&index| self.analysis.refs[index].nullable = true);
            }
            let restricts = match side {
                Side::Inner => inside.iter().chain(&right).copied().collect(),
                Side::Left => right.clone(),
                Side::Right => inside.clone(),
            };
            match constraint {
                JoinConstraint::On(expr) => {
                    block.conditions.push(self.condition(expr, restricts, side != Side::Inner));
                }
                JoinConstraint::Using(columns) => {
                    let filled = (side != Side::Inner).then_some(&*restricts);
                    self.using(columns, (&inside, &right), filled, block);
                }
                JoinConstraint::Natural => {
                    let filled = (side != Side::Inner).then_some(&*restricts);
                    let columns = if block.opaque { Vec::new() } else { self.common(&inside, &right) };
                    self.using(&columns, (&inside, &right), filled, block);
                }
                JoinConstraint::None => {}
            }
            match side {
                Side::Inner => {}
                Side::Left => self.filled.extend(&right),
                Side::Right => self.filled.extend(&inside),
            }
            inside.extend(right);
        }
        Ok(inside)
    }

    /// A predicate over what has been read so far.
    fn factor<'q>(
        &mut self,
        factor: &'q TableFactor,
        nullable: bool,
        first: usize,
        block: &mut Block<'q>,
    ) -> Result<Vec<usize>, PlanError> {
        match factor {
            TableFactor::Table { name, args: None, alias, .. } => {
                if self.ctes.iter().any(|with| with.names(name)) {
                    block.opaque = true;
                    return Ok(Vec::new());
                }
                if is_dual(name) {
                    return Ok(Vec::new());
                }
                let mut found = self.names.resolve(name, alias.as_ref(), self.analysis.blocks)?;
                found.nullable = nullable;
                self.analysis.refs.push(found);
                Ok(vec![self.analysis.refs.len() - 1])
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.joined(table_with_joins, nullable, first, block)
            }
            // Its rows come from what it is given; columns among that are found by the walk over expressions.
            TableFactor::Derived { .. } | TableFactor::JsonTable { .. } => {
                if let TableFactor::Derived { subquery, .. } = factor {
                    self.derived.push(&raw const **subquery);
                }
                block.opaque = true;
                Ok(Vec::new())
            }
            other => Err(PlanError::refused(format!("FROM {other} is not supported"))),
        }
    }

    /// The columns that a NATURAL join compares: all that both operands have and show. None where the right operand is
    /// no single table, or one that is not known.
    fn common(&self, left: &[usize], right: &[usize]) -> Vec<ObjectName> {
        let definition = |table: usize| self.analysis.refs[table].table.table.definition.as_deref();
        let &[only] = right else { return Vec::new() };
        let Some(known) = definition(only).filter(|_| left.iter().all(|&table| definition(table).is_some()))
        else {
            return Vec::new();
        };
        let shown = |table: usize, name: &str| {
            let column = definition(table).and_then(|definition| definition.column(name));
            column.is_some_and(|column| !column.invisible)
        };
        let columns = known.columns.iter().filter(|column| !column.invisible);
        let common = columns.filter(|column| left.iter().any(|&table| shown(table, &column.name)));
        common.map(|column| ObjectName::from(vec![Ident::new(column.name.clone())])).collect()
    }

    /// `USING (c)` compares the right operand's c with that of the left one, which is a coalesced column where several
    /// tables of the left have it: the value of the first that is never filled up with NULLs.
    fn using(
        &self,
        columns: &[ObjectName],
        (left, right): (&[usize], &[usize]),
        filled: Option<&[usize]>,
        block: &mut Block<'_>,
    ) {
        let scope = Scope { refs: &self.analysis.refs, first: 0, opaque: false };
        for name in columns.iter().filter_map(|name| name.0.last()?.as_ident()) {
            let name = name.value.to_lowercase();
            let owner = match left {
                &[only] => Some(only),
                _ if left.iter().any(|&table| scope.refs[table].table.table.definition.is_none()) => None,
                _ => left.iter().copied().find(|&table| {
                    scope.has(table, &name) && (filled == Some(left) || !scope.refs[table].nullable)
                }),
            };
            if let (Some(one), &[two]) = (owner, right) {
                let column = |table| Column { table, name: name.clone() };
                let (one, two) = (column(one), column(two));
                block.equalities.extend(match filled {
                    None => Some(Equality::always(one, two)),
                    Some(filled) => Equality::of_outer(one, two, filled),
                });
            }
        }
    }
}

/// DUAL without quotes is no table: it stands where none is.
fn is_dual(name: &ObjectName) -> bool {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => {
            name.quote_style.is_none() && name.value.eq_ignore_ascii_case("dual")
        }
        _ => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inner,
    /// The right operand is filled up with NULLs.
    Left,
    /// The left operand is.
    Right,
}

/// What joins a join's operands.
pub(crate) fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    side(operator).ok().map(|(_, constraint)| constraint)
}

fn side(operator: &JoinOperator) -> Result<(Side, &JoinConstraint), PlanError> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::StraightJoin(constraint) => Ok((Side::Inner, constraint)),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => Ok((Side::Left, constraint)),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            Ok((Side::Right, constraint))
        }
        _ => Err(PlanError::refused("This kind of join is not MySQL's")),
    }
}
