//! `top_at_source`: of a table whose order decides which rows a LIMIT leaves, only the first ones.
//!
//! `FROM t LEFT JOIN u ON … WHERE t.a > 1 ORDER BY t.b LIMIT 10` drops no row of t but by WHERE, since a left join gives at
//! least one row for each. So the first ten rows of the result are made of the first ten of t by this order that WHERE
//! leaves, if WHERE speaks of t alone and the nodes can judge it. How many rows each of them is joined with does not
//! matter: more than one only makes fewer of them needed. Among rows that the order calls equal one server takes
//! any, too.

use std::ops::ControlFlow;

use serval_types::{ColumnType, Value};
use sqlparser::ast::{
    Expr, Function, GroupByExpr, JoinOperator, LimitClause, OrderByKind, OrderBySort, Query, Select,
    SelectItem, SetExpr, Statement, TableFactor, visit_expressions,
};

use super::Gathering;
use super::temporary::quoted;
use crate::analysis::{Column, Scope, expressions_at_depth, terms};
use crate::operand::Operand;
use crate::rewrite::expression::is_aggregate;

/// Servers sort only the beginning of longer texts.
const SORTED: u32 = 250;
/// More rows than these are not worth sorting them.
const MOST: u64 = 100_000;

/// The rows of a table that can count.
pub(super) struct Top {
    /// How many.
    pub(super) rows: u64,
    /// ORDER BY and LIMIT of what reads them.
    pub(super) clauses: String,
}

impl Gathering<'_> {
    /// The first rows of a reference, where others cannot count.
    pub(super) fn top(&self, index: usize) -> Option<Top> {
        let Statement::Query(query) = &self.planning.parsed.ast else { return None };
        let SetExpr::Select(select) = &*query.body else { return None };
        let traces = self.has_locks() || self.sets_variables() || !self.planning.parsed.modifiers.is_empty();
        if traces || query.with.is_some() || query.fetch.is_some() {
            return None;
        }
        let scope = self.only(select, index)?;
        if !keeps_rows(select, scope) {
            return None;
        }
        let own = |term: &Expr| {
            let early = self.analysis.early.iter();
            let mut same =
                early.filter(|early| early.table == index && early.of.is_none() && early.expr == *term);
            same.any(|early| self.filter(early).is_some())
        };
        let judged = select.selection.as_ref().is_none_or(|selection| terms(selection).into_iter().all(own));
        let rows = self.rows(query).filter(|rows| judged && *rows <= MOST)?;
        let order = self.order(query, select, index, scope)?;
        Some(Top { rows, clauses: format!(" ORDER BY {order} LIMIT {rows}") })
    }

    /// How columns are looked up, where the reference is what all others are joined to from the left.
    fn only(&self, select: &Select, index: usize) -> Option<Scope<'_>> {
        let [from] = &*select.from else { return None };
        let left = from
            .joins
            .iter()
            .all(|join| matches!(join.join_operator, JoinOperator::Left(_) | JoinOperator::LeftOuter(_)));
        let TableFactor::Table { name, args: None, .. } = &from.relation else { return None };
        let start = self.planning.parsed.locator.span(name.0.first()?.as_ident()?.span).start;
        let found =
            self.analysis.refs.get(index).filter(|found| found.name.start == start && found.block == 0)?;
        let end = self.analysis.refs.iter().position(|found| found.block != 0);
        let refs = &self.analysis.refs[..end.unwrap_or(self.analysis.refs.len())];
        let opaque = from.joins.len() + 1 != refs.len();
        (left && !found.nullable).then_some(Scope { refs, first: 0, opaque })
    }

    /// How many rows LIMIT and OFFSET reach to.
    fn rows(&self, query: &Query) -> Option<u64> {
        let number = |expr: &Expr| {
            let operand = Operand::of(expr, &self.planning.parsed.locator, self.planning.scan)?;
            match operand.value(self.values) {
                Value::Int(rows) => u64::try_from(rows).ok(),
                Value::UInt(rows) => Some(rows),
                _ => None,
            }
        };
        let (limit, offset) = match query.limit_clause.as_ref()? {
            LimitClause::LimitOffset { limit: Some(limit), offset, .. } => {
                (limit, offset.as_ref().map(|offset| &offset.value))
            }
            LimitClause::LimitOffset { limit: None, .. } => return None,
            LimitClause::OffsetCommaLimit { offset, limit } => (limit, Some(offset)),
        };
        number(limit)?.checked_add(offset.map_or(Some(0), number)?)
    }

    /// ORDER BY, where it is by columns of the reference.
    fn order(&self, query: &Query, select: &Select, index: usize, scope: Scope<'_>) -> Option<String> {
        let Some(OrderByKind::Expressions(items)) = query.order_by.as_ref().map(|order| &order.kind) else {
            return None;
        };
        let mut keys = Vec::new();
        for item in items {
            let column = scope.column(&item.expr).filter(|column| column.table == index)?;
            if !is_sorted_whole(scope.column_type(index, &column.name)?)
                || hides(select, &item.expr, &column, scope)
            {
                return None;
            }
            let down = if matches!(item.options.sort, Some(OrderBySort::Desc)) { " DESC" } else { "" };
            keys.push(format!(
                "{}.{}{down}",
                quoted(&self.analysis.refs[index].exposed),
                quoted(&column.name)
            ));
        }
        (!keys.is_empty()).then(|| keys.join(", "))
    }
}

/// Whether each row of FROM and WHERE is one of the result, by itself.
fn keeps_rows(select: &Select, scope: Scope<'_>) -> bool {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let rest = select.having.is_some() || select.distinct.is_some() || select.qualify.is_some();
    let looks =
        expressions_at_depth(&select.projection, |expr, depth| match makes_one_row(expr, depth, scope) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
    !grouped && !rest && select.named_window.is_empty() && looks.is_continue()
}

/// Whether an expression makes one row of many. An aggregate in a subquery is the SELECT's own where it is one of its columns.
fn makes_one_row(expr: &Expr, depth: usize, scope: Scope<'_>) -> bool {
    let Expr::Function(function) = expr else { return false };
    let is_own = depth == 0;
    let over = function.over.is_some() && is_own;
    over || is_aggregate(expr) && (is_own || names_own(function, scope))
}

fn names_own(function: &Function, scope: Scope<'_>) -> bool {
    let looks = visit_expressions(&function.args, |expr| match scope.column(expr) {
        Some(_) => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    });
    looks.is_break()
}

/// Whether a name in ORDER BY is another column's alias.
fn hides(select: &Select, expr: &Expr, column: &Column, scope: Scope<'_>) -> bool {
    let Expr::Identifier(name) = expr else { return false };
    select.projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            alias.value.eq_ignore_ascii_case(&name.value) && scope.column(expr).as_ref() != Some(column)
        }
        _ => false,
    })
}

/// Whether servers sort by all of a value.
fn is_sorted_whole(declared: &ColumnType) -> bool {
    match declared {
        ColumnType::Text { length, .. } | ColumnType::Binary { length, .. } => {
            length.is_some_and(|length| length <= SORTED)
        }
        ColumnType::Json | ColumnType::Other(_) => false,
        _ => true,
    }
}
