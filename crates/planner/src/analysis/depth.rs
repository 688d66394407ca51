//! A walk over expressions that knows how many queries it is in.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, Visit, Visitor};

/// Calls `each` with every expression of `node`, from the outside in, and with the number of queries of `node` around it.
pub(crate) fn expressions_at_depth(
    node: &impl Visit,
    each: impl FnMut(&Expr, usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    node.visit(&mut AtDepth { depth: 0, each })
}

struct AtDepth<F> {
    depth: usize,
    each: F,
}

impl<F: FnMut(&Expr, usize) -> ControlFlow<()>> Visitor for AtDepth<F> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        (self.each)(expr, self.depth)
    }
}
