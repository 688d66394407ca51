//! `subquery_at_source`: terms that ask a subquery about one table, where its rows lie with that table's.
//!
//! What [within](crate::analysis) says of whole statements holds for the SELECT that reads one table of a gathered one, too:
//! its shards answer the term each for its own rows. The statement still has the term, and finds it true.

use sqlparser::ast::{Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, TableFactor, UnaryOperator};

use super::Gathering;
use super::total::Total;
use crate::analysis::{Nested, Scope};
use crate::bound::Note;

impl Gathering<'_> {
    /// Terms with subqueries by which the nodes can leave out rows of a reference, each to be proven by planning it.
    pub(super) fn nested(&self, table: usize) -> Vec<(String, Note)> {
        // Names without a schema have to mean the same there.
        let schema = &self.analysis.refs[table].table.schema;
        if self.has_locks() || self.planning.schema != Some(schema) {
            return Vec::new();
        }
        let own = self.analysis.nested.iter().filter(|nested| nested.table == table);
        own.filter_map(|nested| self.of_nested(nested)).collect()
    }

    fn of_nested(&self, nested: &Nested) -> Option<(String, Note)> {
        let text = self.text_of(&nested.expr, &nested.places)?;
        let refs = &self.analysis.refs;
        let total = Total {
            scope: Scope { refs: &refs[..nested.inner.end], first: nested.inner.start, opaque: false },
            around: Some(Scope { refs: &refs[..=nested.table], first: nested.table, opaque: false }),
        };
        if !total.question(&self.parse(&text)?) {
            return None;
        }
        let reason = format!(
            "the subquery about {} finds its rows on the shard of the row that asks",
            refs[nested.table].exposed
        );
        Some((format!("({text})"), Note { rewrite: "subquery_at_source", reason }))
    }
}

impl Total<'_> {
    /// Whether a term that asks a subquery has an answer for every row, without an error and without a warning.
    fn question(&self, term: &Expr) -> bool {
        match term {
            Expr::Nested(inner) => self.question(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.question(expr),
            Expr::Exists { subquery, .. } => self.select(subquery).is_some_and(|select| {
                let known = |expr: &Expr| matches!(expr, Expr::Value(_)) || self.is_column(expr);
                select.having.is_none() && items(select).all(|item| item.is_none_or(known))
            }),
            Expr::InSubquery { expr, subquery, .. } => self.select(subquery).is_some_and(|select| {
                let having = select.having.as_ref();
                let compared = |item: Option<&Expr>| item.is_some_and(|item| self.compare(expr, item));
                items(select).all(compared) && having.is_none_or(|having| self.having(having))
            }),
            _ => false,
        }
    }

    /// The SELECT of a subquery of one table, where its WHERE and its groups can be told.
    fn select<'q>(&self, query: &'q Query) -> Option<&'q Select> {
        let SetExpr::Select(select) = &*query.body else { return None };
        let [from] = &*select.from else { return None };
        let plain = from.joins.is_empty() && matches!(from.relation, TableFactor::Table { args: None, .. });
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
        let grouped = modifiers.is_empty() && keys.iter().all(|key| self.is_column(key));
        let selection = select.selection.as_ref().is_none_or(|selection| self.predicate(selection));
        let rest = select.named_window.is_empty() && select.qualify.is_none() && query.with.is_none();
        (plain && grouped && selection && rest).then_some(select)
    }

    /// Sums and the like of exact numbers, compared with numbers.
    fn having(&self, having: &Expr) -> bool {
        match having {
            Expr::Nested(inner) => self.having(inner),
            Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::And, right } => {
                self.having(left) && self.having(right)
            }
            Expr::BinaryOp { left, op, right } => {
                use sqlparser::ast::BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
                let ordered = matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq);
                ordered && self.is_aggregate(left) && self.is_number(right)
            }
            _ => false,
        }
    }
}

/// What a SELECT gives; `None` for `*`.
fn items(select: &Select) -> impl Iterator<Item = Option<&Expr>> {
    select.projection.iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    })
}
