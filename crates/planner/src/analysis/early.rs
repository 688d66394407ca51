//! Predicates that speak of one reference alone: its rows may be thrown away by them before they are joined.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Ident, Query, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::columns::Scope;

/// A term of a condition that needs the columns of one reference only.
#[derive(Debug)]
pub(crate) struct Early {
    /// The reference, as an index into the statement's.
    pub(crate) table: usize,
    /// The term, as it was parsed.
    pub(crate) expr: Expr,
    /// The place of the first column in it.
    pub(crate) place: Span,
}

/// The terms of `condition` that speak of one of the references `whole` alone, which are those whose rows reach the
/// condition without having been filled up with NULLs.
pub(super) fn early(condition: &Expr, scope: Scope<'_>, whole: &[usize]) -> Vec<Early> {
    let mut terms = Vec::new();
    split(condition, &mut terms);
    let found = terms.into_iter().filter_map(|expr| {
        let (table, place) = only_table(expr, scope)?;
        whole.contains(&table).then(|| Early { table, expr: expr.clone(), place })
    });
    found.collect()
}

fn split<'e>(expr: &'e Expr, terms: &mut Vec<&'e Expr>) {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            split(left, terms);
            split(right, terms);
        }
        expr => terms.push(expr),
    }
}

/// The reference that all columns of an expression belong to, where that is certain, and where the first one stands.
fn only_table(expr: &Expr, scope: Scope<'_>) -> Option<(usize, Span)> {
    let mut reader = Reader { scope, tables: BTreeSet::new(), place: None };
    if expr.visit(&mut reader).is_break() || reader.tables.len() != 1 {
        return None;
    }
    Some((reader.tables.pop_first()?, reader.place?))
}

struct Reader<'a> {
    scope: Scope<'a>,
    tables: BTreeSet<usize>,
    place: Option<Span>,
}

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let first: &Ident = match expr {
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(parts) => match parts.first() {
                Some(first) => first,
                None => return ControlFlow::Break(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        let Some(column) = self.scope.column(expr) else { return ControlFlow::Break(()) };
        self.tables.insert(column.table);
        self.place.get_or_insert(first.span);
        ControlFlow::Continue(())
    }
}
