//! What a subquery says of the rows around it, and what these say of the subquery's.
//!
//! `EXISTS (SELECT … FROM orders o WHERE o.user_id = u.id)` needs of orders only rows whose user_id is some u.id that is
//! there, and where it has to be true, of users only rows whose id is some o.user_id. `u.id IN (SELECT user_id …)`
//! says the same. Neither needs the two to lie together: a gathered statement brings the one by the keys of the other.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, UnaryOperator, Visit, Visitor};

use super::columns::{Column, Scope};
use super::early::{Equal, Place, is_exact, place, terms};
use super::tables::TableRef;

/// A SELECT whose columns its subqueries may name.
pub(super) struct Around {
    /// Its references.
    refs: Range<usize>,
    opaque: bool,
    asked: Vec<Asked>,
}

/// A term of a WHERE that is a question about a subquery.
struct Asked {
    query: *const Query,
    expr: Expr,
    how: How,
}

#[derive(Clone)]
enum How {
    /// This is among its rows.
    Member(Box<Expr>),
    /// It has rows.
    Some,
    /// It has none.
    None,
}

/// A term of a WHERE about the rows of one reference and of a subquery, and no others.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    /// The reference.
    pub(crate) table: usize,
    /// The subquery's references.
    pub(crate) inner: Range<usize>,
    /// The term, as it was parsed.
    pub(crate) expr: Expr,
    /// The places of the columns in it.
    pub(crate) places: Vec<Place>,
}

/// What a subquery and the SELECT around it say of each other.
#[derive(Default)]
pub(super) struct Across {
    pub(super) equal: Vec<Equal>,
    pub(super) nested: Option<Nested>,
}

impl Around {
    /// A SELECT with its references.
    pub(super) fn of(select: &Select, refs: Range<usize>, opaque: bool) -> Self {
        let terms = select.selection.as_ref().map(terms).unwrap_or_default();
        Self { refs, opaque, asked: terms.into_iter().filter_map(Asked::of).collect() }
    }

    /// What a query directly inside of it says, whose references are those from `first` on.
    pub(super) fn across(&self, query: &Query, refs: &[TableRef], first: usize, opaque: bool) -> Across {
        let SetExpr::Select(select) = &*query.body else { return Across::default() };
        let inner = Scope { refs, first, opaque };
        let outer = Scope { refs: &refs[..self.refs.end], first: self.refs.start, opaque: self.opaque };
        let reader = Reader { inner, outer, query, select };
        let asked = self.asked.iter().find(|asked| std::ptr::eq(asked.query, query));
        let mut equal: Vec<Equal> = Vec::new();
        for (own, around) in reader.links() {
            equal.extend(reader.keys(&around, &own));
            // A row around that finds none is dropped.
            if asked.is_some_and(|asked| matches!(asked.how, How::Some)) && reader.has_only_rows() {
                equal.extend(reader.keys(&own, &around));
            }
        }
        if let Some((own, member)) = asked.and_then(|asked| reader.member(asked)) {
            equal.extend(reader.keys(&own, &member));
            if reader.keeps_groups(&own) {
                equal.extend(reader.keys(&member, &own));
            }
        }
        let nested = asked.and_then(|asked| reader.nested(asked));
        Across { equal, nested }
    }
}

impl Asked {
    fn of(term: &Expr) -> Option<Self> {
        let (query, how) = match term {
            Expr::Nested(inner) => return Self::of(inner).map(|asked| Self { expr: term.clone(), ..asked }),
            Expr::InSubquery { expr, subquery, negated: false } => (subquery, How::Member(expr.clone())),
            Expr::Exists { subquery, negated: false } => (subquery, How::Some),
            Expr::Exists { subquery, negated: true } => (subquery, How::None),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => match &**expr {
                Expr::Exists { subquery, negated: false } => (subquery, How::None),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { query: &raw const **query, expr: term.clone(), how })
    }
}

struct Reader<'a> {
    inner: Scope<'a>,
    outer: Scope<'a>,
    query: &'a Query,
    select: &'a Select,
}

impl Reader<'_> {
    /// The columns of the subquery that equal one around it wherever its WHERE holds.
    fn links(&self) -> Vec<(Column, Column)> {
        let terms = self.select.selection.as_ref().map(terms).unwrap_or_default();
        let pair = |one: &Expr, two: &Expr| Some((self.inner.column(one)?, self.around(two)?));
        let links = terms.into_iter().filter_map(|term| match term {
            Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::Eq, right } => {
                pair(left, right).or_else(|| pair(right, left))
            }
            _ => None,
        });
        links.collect()
    }

    /// A column around, by a name that means nothing in the subquery.
    fn around(&self, expr: &Expr) -> Option<Column> {
        let own = &self.inner.refs[self.inner.first..];
        match expr {
            Expr::Nested(inner) => return self.around(inner),
            Expr::Identifier(name) if !self.inner.opaque => {
                if self.inner.may_own(&name.value.to_lowercase()) {
                    return None;
                }
            }
            Expr::CompoundIdentifier(parts) => {
                let ([table, _] | [_, table, _]) = &**parts else { return None };
                if self.inner.opaque
                    || own.iter().any(|found| found.exposed.eq_ignore_ascii_case(&table.value))
                {
                    return None;
                }
            }
            _ => return None,
        }
        self.outer.column(expr)
    }

    /// The rows of `to` count only where they have a key of `from`.
    fn keys(&self, from: &Column, to: &Column) -> Option<Equal> {
        let exact = is_exact(self.inner, from, to) && !self.inner.refs[to.table].nullable;
        exact.then(|| Equal::between(from.clone(), to.clone()))
    }

    /// Whether the rows of the subquery are those of its FROM and WHERE, so that it is empty where these are.
    fn has_only_rows(&self) -> bool {
        let plain = |item: &SelectItem| match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                matches!(expr, Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            }
            SelectItem::ExprWithAliases { .. } => false,
        };
        !self.is_grouped() && !self.is_cut() && self.select.projection.iter().all(plain)
    }

    fn is_grouped(&self) -> bool {
        let keys = matches!(&self.select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        !keys || self.select.having.is_some() || self.select.qualify.is_some()
    }

    fn is_cut(&self) -> bool {
        self.query.limit_clause.is_some() || self.query.fetch.is_some() || self.query.with.is_some()
    }

    /// `member IN (SELECT own …)`.
    fn member(&self, asked: &Asked) -> Option<(Column, Column)> {
        let How::Member(member) = &asked.how else { return None };
        let [SelectItem::UnnamedExpr(own) | SelectItem::ExprWithAlias { expr: own, .. }] =
            &*self.select.projection
        else {
            return None;
        };
        Some((self.inner.column(own)?, self.outer.column(member)?))
    }

    /// Whether leaving out all rows with some values of `own` leaves the others' groups as they are.
    fn keeps_groups(&self, own: &Column) -> bool {
        let by_own = match &self.select.group_by {
            GroupByExpr::Expressions(keys, modifiers) => {
                modifiers.is_empty() && keys.iter().any(|key| self.inner.column(key).as_ref() == Some(own))
            }
            GroupByExpr::All(_) => false,
        };
        let windows = !self.select.named_window.is_empty() || self.select.qualify.is_some();
        !self.is_cut() && !windows && (by_own || self.has_only_rows())
    }

    /// The term, where it speaks of one reference around only.
    fn nested(&self, asked: &Asked) -> Option<Nested> {
        let whole =
            self.inner.refs[self.inner.first..].iter().all(|found| found.table.table.definition.is_some());
        if !whole || self.inner.opaque || self.is_cut() || self.query.order_by.is_some() {
            return None;
        }
        let mut names = Names { reader: self, depth: 0, around: BTreeSet::new(), places: BTreeSet::new() };
        if self.query.visit(&mut names).is_break() {
            return None;
        }
        if let How::Member(member) = &asked.how {
            names.around.insert(self.outer.column(member)?.table);
        }
        let Names { around, places, .. } = names;
        let table = around.first().copied().filter(|_| around.len() == 1)?;
        let inner = self.inner.first..self.inner.refs.len();
        let places = places.into_iter().collect();
        (!self.inner.refs[table].nullable).then(|| Nested { table, inner, expr: asked.expr.clone(), places })
    }
}

/// All columns of a subquery that has no subqueries itself.
struct Names<'r, 'a> {
    reader: &'r Reader<'a>,
    depth: usize,
    /// The references around whose columns it names.
    around: BTreeSet<usize>,
    places: BTreeSet<Place>,
}

impl Visitor for Names<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        if self.depth > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Some(place) = place(expr) else { return ControlFlow::Continue(()) };
        if self.reader.inner.column(expr).is_none() {
            let Some(column) = self.reader.around(expr) else { return ControlFlow::Break(()) };
            self.around.insert(column.table);
        }
        self.places.insert(place);
        ControlFlow::Continue(())
    }
}
