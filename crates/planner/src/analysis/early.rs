//! Predicates that speak of one reference alone: its rows may be thrown away by them before they are joined.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serval_types::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr, Query, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::alternatives::pairs;
use super::columns::{Column, Scope};

/// Where a column is named: its first name and its last.
pub(crate) type Place = (Span, Span);

/// Where an expression that is a column's name stands; `None` for other expressions.
pub(crate) fn place(expr: &Expr) -> Option<Place> {
    match expr {
        Expr::Identifier(name) => Some((name.span, name.span)),
        Expr::CompoundIdentifier(parts) => Some((parts.first()?.span, parts.last()?.span)),
        _ => None,
    }
}

/// A term of a condition that needs the columns of one reference only.
#[derive(Debug, Clone)]
pub(crate) struct Early {
    /// The reference, as an index into the statement's.
    pub(crate) table: usize,
    /// The term, as it was parsed.
    pub(crate) expr: Expr,
    /// The places of the columns in it, each from its first name to its last.
    pub(crate) places: Vec<Place>,
    /// The term is another reference's, and holds for this column in the place of that one's.
    pub(crate) of: Option<String>,
    /// The column, where the term has only one.
    only: Option<Column>,
    /// No row of the result fails the term.
    certain: bool,
}

/// A condition of a block, as far as rows may be thrown away by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) expr: &'a Expr,
    /// The references that it restricts.
    pub(super) restricts: &'a [usize],
    /// Those of them whose rows reach it without having been filled up with NULLs.
    pub(super) whole: &'a [usize],
    /// It is an outer join's.
    pub(super) outer: bool,
}

/// The terms of a block's conditions that speak of one reference alone, and the columns that equal others.
pub(super) fn early(conditions: &[Judge<'_>], scope: Scope<'_>) -> (Vec<Early>, Vec<Equal>) {
    let mut found: Vec<Early> = conditions.iter().flat_map(|judge| judge.early(scope)).collect();
    let equal: Vec<Equal> = conditions.iter().flat_map(|judge| judge.equal(scope)).collect();
    // One by one, because what follows from a term may follow on.
    let mut at = 0;
    while let Some(term) = found.get(at) {
        let more = equal.iter().filter_map(|equal| equal.carry(term));
        let known = |new: &Early| {
            let same = |old: &Early| old.only == new.only && old.places == new.places;
            found.iter().any(same)
        };
        let more: Vec<Early> = more.filter(|new| !known(new)).collect();
        found.extend(more);
        at += 1;
    }
    (found, equal)
}

impl Early {
    /// Whether no row of the result fails it.
    pub(crate) fn is_certain(&self) -> bool {
        self.certain
    }
}

impl Judge<'_> {
    fn early(self, scope: Scope<'_>) -> Vec<Early> {
        let found = terms(self.expr).into_iter().filter_map(|expr| {
            let (columns, places) = columns(expr, scope)?;
            let mut tables = columns.iter().map(|column| column.table);
            let table = tables.next().filter(|table| tables.all(|other| other == *table))?;
            let only = columns.first().filter(|first| columns.iter().all(|column| column == *first)).cloned();
            let certain = !self.outer && !scope.refs[table].nullable;
            let whole = self.whole.contains(&table);
            whole.then(|| Early { table, expr: expr.clone(), places, of: None, only, certain })
        });
        found.collect()
    }

    fn equal(self, scope: Scope<'_>) -> Vec<Equal> {
        let exact = pairs(self.expr, scope)
            .into_iter()
            .filter(|(one, two)| one.table != two.table && is_exact(scope, one, two));
        let both = exact.flat_map(|(one, two)| [(one.clone(), two.clone()), (two, one)]);
        let reach = |to: usize, from: usize| match self.outer {
            false => !scope.refs[to].nullable,
            // Rows that it fills up are dropped where they equal none that stays.
            true => self.whole.contains(&to) && !self.restricts.contains(&from),
        };
        let allowed = both.filter(|(from, to)| reach(to.table, from.table));
        allowed.map(|(from, to)| Equal { from, to, certain: !self.outer }).collect()
    }
}

/// Two columns of which the second, wherever its row counts, equals the first.
#[derive(Debug)]
pub(crate) struct Equal {
    /// The column that is there.
    pub(crate) from: Column,
    /// The one whose rows count only where they equal it.
    pub(crate) to: Column,
    certain: bool,
}

impl Equal {
    /// One between a subquery and what is around it, which carries no terms.
    pub(super) fn between(from: Column, to: Column) -> Self {
        Self { from, to, certain: false }
    }

    /// What a term says of the second column.
    fn carry(&self, term: &Early) -> Option<Early> {
        let fits = term.certain && term.only.as_ref() == Some(&self.from);
        fits.then(|| Early {
            table: self.to.table,
            of: Some(self.to.name.clone()),
            only: Some(self.to.clone()),
            certain: self.certain,
            ..term.clone()
        })
    }
}

/// Whether equal values of two columns are the same value for every predicate.
pub(super) fn is_exact(scope: Scope<'_>, one: &Column, two: &Column) -> bool {
    let declared = |column: &Column| scope.column_type(column.table, &column.name);
    match (declared(one), declared(two)) {
        (Some(ColumnType::Int { .. }), Some(ColumnType::Int { .. })) => true,
        (Some(one @ (ColumnType::Decimal { .. } | ColumnType::Date)), Some(two)) => one == two,
        _ => false,
    }
}

/// What AND joins.
pub(crate) fn terms(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut found = terms(left);
            found.extend(terms(right));
            found
        }
        Expr::Nested(inner) if joins(inner) => terms(inner),
        expr => vec![expr],
    }
}

/// Whether it is several terms, in whatever parentheses.
fn joins(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => joins(inner),
        Expr::BinaryOp { op, .. } => *op == BinaryOperator::And,
        _ => false,
    }
}

/// The columns of an expression and their places, where all are certain and there is one.
pub(super) fn columns(expr: &Expr, scope: Scope<'_>) -> Option<(Vec<Column>, Vec<Place>)> {
    let mut reader = Reader { scope, columns: Vec::new(), places: BTreeSet::new() };
    if expr.visit(&mut reader).is_break() || reader.columns.is_empty() {
        return None;
    }
    Some((reader.columns, reader.places.into_iter().collect()))
}

struct Reader<'a> {
    scope: Scope<'a>,
    columns: Vec<Column>,
    places: BTreeSet<Place>,
}

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Some(place) = place(expr) else { return ControlFlow::Continue(()) };
        let Some(column) = self.scope.column(expr) else { return ControlFlow::Break(()) };
        self.columns.push(column);
        self.places.insert(place);
        ControlFlow::Continue(())
    }
}
