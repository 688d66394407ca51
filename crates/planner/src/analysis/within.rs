//! `subquery_within_shard`: subqueries of WHERE, and of the values behind SET, whose rows lie where the rows around them do.
//!
//! `EXISTS (SELECT … FROM orders o WHERE o.user_id = u.id)` asks, for a row of a shard of users, for rows of the same
//! shard of orders only, because the two tables share their rule and the condition names the sharding columns of both.
//! So each shard answers it for its own rows, whatever the subquery does with what it finds: count it, group it, negate
//! it. `u.id IN (SELECT user_id FROM orders)` does the same where it stands alone: then it matters only whether it is
//! true. It may be false or NULL for other reasons on a shard than on one server, which only a NOT would show.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, Visit, Visitor};

use super::columns::{Column, Scope};
use super::tables::TableRef;
use super::together::Together;

/// The outermost block, as subqueries look at it.
#[derive(Debug)]
pub(super) struct Root {
    /// Behind its last reference.
    pub(super) end: usize,
    /// Its sharded references whose rows share a shard.
    pub(super) together: Together,
}

/// A subquery of the outermost WHERE.
#[derive(Debug)]
pub(super) struct Asked {
    /// To know it again.
    pub(super) query: *const Query,
    /// What must be among its rows, where its being true is all that counts.
    member: Option<Expr>,
}

/// The subqueries of a WHERE, without those inside them.
pub(super) fn asked(condition: &Expr) -> Vec<Asked> {
    let mut found = asked_of_value(condition);
    members(condition, &mut found);
    found
}

/// Those of a value that a row is given.
pub(super) fn asked_of_value(value: &Expr) -> Vec<Asked> {
    let mut finder = Finder { found: Vec::new(), depth: 0 };
    let _ = value.visit(&mut finder);
    finder.found
}

struct Finder {
    found: Vec<Asked>,
    depth: usize,
}

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.found.push(Asked { query, member: None });
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// Notes the operand of each IN that stands alone, or beside an AND.
fn members(condition: &Expr, found: &mut [Asked]) {
    match condition {
        Expr::Nested(inner) => members(inner, found),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            members(left, found);
            members(right, found);
        }
        Expr::InSubquery { expr, subquery, negated: false } => {
            let same = |asked: &&mut Asked| std::ptr::eq(asked.query, &raw const **subquery);
            if let Some(asked) = found.iter_mut().find(same) {
                asked.member = Some((**expr).clone());
            }
        }
        _ => {}
    }
}

/// Whether the rows of a subquery that count for a row of the root are on that row's shard. Its own references are
/// those from `first` on, and all of FROM.
pub(super) fn is_within(asked: &Asked, query: &Query, refs: &[TableRef], first: usize, root: &Root) -> bool {
    let SetExpr::Select(select) = &*query.body else { return false };
    let own = &refs[first..];
    let sharded = |found: &&TableRef| found.table.table.sharding().is_some();
    let Some(at) = own.iter().position(|found| found.table.table.sharding().is_some() && !found.nullable)
    else {
        return false;
    };
    if query.with.is_some() || !own.iter().filter(sharded).all(|found| found.co_located) {
        return false;
    }
    let Some(inner) = own[at].table.table.sharding() else { return false };
    let reader = Reader {
        inner: Scope { refs, first, opaque: false },
        outer: Scope { refs: &refs[..root.end], first: 0, opaque: false },
    };
    let mut links = select.selection.as_ref().map(|condition| reader.links(condition)).unwrap_or_default();
    links.extend(asked.member.as_ref().and_then(|member| reader.member(member, query, select)));
    let linked = |(class, name): (&Vec<Column>, &&str)| {
        let key = Column { table: first + at, name: name.to_lowercase() };
        links.iter().any(|(inner, outer)| {
            *inner == key && class.contains(outer) && reader.inner.comparable(inner, outer)
        })
    };
    inner.guides().iter().any(|(guide, names)| {
        let mut links = root.together.links_of(reader.outer, guide, inner);
        links.any(|link| link.classes.iter().zip(names).all(linked))
    })
}

struct Reader<'a> {
    inner: Scope<'a>,
    outer: Scope<'a>,
}

impl Reader<'_> {
    /// The equalities between a column of the subquery and one of the root that hold for each of its rows.
    fn links(&self, condition: &Expr) -> Vec<(Column, Column)> {
        match condition {
            Expr::Nested(inner) => self.links(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                let mut found = self.links(left);
                found.extend(self.links(right));
                found
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let pair = |one: &Expr, two: &Expr| Some((self.inner.column(one)?, self.outer_column(two)?));
                pair(left, right).or_else(|| pair(right, left)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// A column of the root, by a name that means nothing in the subquery.
    fn outer_column(&self, expr: &Expr) -> Option<Column> {
        let table = match expr {
            Expr::Nested(inner) => return self.outer_column(inner),
            Expr::Identifier(name) if self.inner.may_own(&name.value.to_lowercase()) => return None,
            Expr::Identifier(_) => return self.outer.column(expr),
            Expr::CompoundIdentifier(parts) => match &**parts {
                [table, _] | [_, table, _] => table,
                _ => return None,
            },
            _ => return None,
        };
        let hides = |found: &TableRef| found.exposed.eq_ignore_ascii_case(&table.value);
        if self.inner.refs[self.inner.first..].iter().any(hides) {
            return None;
        }
        self.outer.column(expr)
    }

    /// `member IN (SELECT column …)`, where the subquery's rows are those of its FROM and WHERE.
    fn member(&self, member: &Expr, query: &Query, select: &Select) -> Option<(Column, Column)> {
        let cut = query.limit_clause.is_some() || query.order_by.is_some() || query.fetch.is_some();
        if cut || select.qualify.is_some() {
            return None;
        }
        let [SelectItem::UnnamedExpr(column) | SelectItem::ExprWithAlias { expr: column, .. }] =
            &*select.projection
        else {
            return None;
        };
        let own = self.inner.column(column)?;
        // The rows of a group by this column are all on its shard.
        let whole = match &select.group_by {
            GroupByExpr::Expressions(keys, _) if keys.is_empty() => select.having.is_none(),
            GroupByExpr::Expressions(keys, modifiers) => {
                modifiers.is_empty() && keys.iter().any(|key| self.inner.column(key).as_ref() == Some(&own))
            }
            GroupByExpr::All(_) => false,
        };
        Some((own, self.outer.column(member)?)).filter(|_| whole)
    }
}
