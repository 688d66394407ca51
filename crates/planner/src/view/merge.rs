//! A view that selects rows and columns of a table or a join and does nothing more with them is merged into the SELECT that
//! reads it: its FROM stands in its place, its condition beside the SELECT's own, its expressions in the place of its columns.
//! Then the SELECT is planned as if the view were not there, so that a key leads to one shard.
//!
//! What is not surely the same stays a derived table: joins that compare columns by their names, names that could mean
//! something else with the tables' own columns in sight, views that an outer join fills up with NULLs.

mod names;

use serval_sql::{Edit, Span, Token, tokens};
use sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, Statement, TableFactor, TableWithJoins,
};

use self::names::Names;
use super::Mentions;
use super::body::Body;
use super::order::Keys;
use super::query::quoted;
use crate::analysis::TableRef;
use crate::clauses::Clauses;

/// The edits that merge a view into the outermost SELECT; `None` where it cannot be.
pub(super) fn edits(mentions: &Mentions<'_>, at: usize) -> Option<Vec<Edit>> {
    let view = &mentions.analysis.refs[at];
    let Statement::Query(query) = &mentions.parsed.ast else { return None };
    let SetExpr::Select(select) = &*query.body else { return None };
    // Its text was read in the usual mode, and would be read in this one.
    if mentions.request.options.no_backslash_escapes && has_backslash(view) {
        return None;
    }
    let body = Body::of(mentions.catalog, view)?;
    let merge = Merge { mentions, at, view, body: &body, query, select };
    merge.fits().then(|| merge.edits()).flatten()
}

/// Whether a backslash in a view's query would mean something else in another mode.
pub(super) fn has_backslash(found: &TableRef) -> bool {
    found.table.table.view.as_ref().is_some_and(|view| view.query.contains('\\'))
}

struct Merge<'a> {
    mentions: &'a Mentions<'a>,
    at: usize,
    view: &'a TableRef,
    body: &'a Body,
    query: &'a Query,
    select: &'a Select,
}

impl Merge<'_> {
    /// Whether the SELECT says nothing that the tables' own names would change.
    fn fits(&self) -> bool {
        let refs = &self.mentions.analysis.refs;
        let in_block =
            self.view.block == 0 && self.query.with.is_none() && !self.mentions.request.sql.is_empty();
        let filled = self.view.nullable && !self.body.is_bare();
        let others = || refs.iter().enumerate().filter(|(at, _)| *at != self.at);
        let taken = |name: &str| others().any(|(_, other)| other.exposed.eq_ignore_ascii_case(name));
        let derived = has_derived(&self.select.from);
        let known = self.body.is_known() && others().all(|(_, other)| is_known(other));
        in_block
            && !filled
            // A join's tables have other names than the view.
            && (self.body.takes_name() || self.query.locks.iter().all(|lock| lock.of.is_none()))
            && !derived
            && known
            && !by_names(&self.select.from)
            && !self.body.exposed(&self.view.exposed).iter().any(|name| taken(name))
            && !taken(&self.view.exposed)
            // HAVING only knows what is selected, by its name.
            && (self.select.having.is_none() || self.body.keeps_names())
            && self.order_is_kept()
    }

    /// Whether the name is that of a table of the view, which nobody sees who reads the view.
    fn is_hidden(&self, table: &Ident) -> bool {
        let same = |name: &&str| table.value.eq_ignore_ascii_case(name);
        !same(&&*self.view.exposed) && self.body.exposed(&self.view.exposed).iter().any(same)
    }

    /// Whether the select list has something else under this name, which ORDER BY, GROUP BY and HAVING may mean.
    fn is_alias(&self, name: &str) -> bool {
        let same = |expr: &Expr| match expr {
            Expr::Identifier(column) => column.value.eq_ignore_ascii_case(name),
            Expr::CompoundIdentifier(parts) => {
                parts.last().is_some_and(|column| column.value.eq_ignore_ascii_case(name))
            }
            _ => false,
        };
        self.select.projection.iter().any(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                alias.value.eq_ignore_ascii_case(name) && !same(expr)
            }
            _ => false,
        })
    }

    /// The view's own order is the SELECT's where that has none; elsewhere it says nothing.
    fn order_is_kept(&self) -> bool {
        !matches!(self.body.order, Keys::Unknown) || self.query.order_by.is_some()
    }

    fn edits(&self) -> Option<Vec<Edit>> {
        let sql = self.mentions.request.sql;
        let mut all = tokens(sql, self.mentions.request.options).ok()?;
        all.retain(|token| !token.kind.is_comment());
        while all.pop_if(|token| token.is_symbol(b';')).is_some() {}
        let clauses = Clauses::of(sql, &all)?;
        if clauses.items.len() != self.select.projection.len() {
            return None;
        }
        let mut edits = vec![Edit { at: self.place(&all)?, text: self.body.from(&self.view.exposed) }];
        if let Some(condition) = self.body.condition(&self.view.exposed) {
            match clauses.selection {
                Some(own) => {
                    let behind = own.start + "WHERE".len() as u32;
                    edits.push(Edit { at: Span::at(behind), text: format!(" ({condition}) AND (") });
                    edits.push(Edit { at: Span::at(own.end), text: ")".to_owned() });
                }
                None => {
                    let text = format!(" WHERE {condition}");
                    edits.push(Edit { at: Span::at(clauses.from?.end), text });
                }
            }
        }
        self.stars(&clauses, &mut edits)?;
        edits.append(&mut Names::edits(self, &clauses)?);
        self.order(&clauses, &mut edits);
        Some(edits)
    }

    /// The view's name and its alias.
    fn place(&self, all: &[Token]) -> Option<Span> {
        let sql = self.mentions.request.sql;
        let name = self.view.name;
        if !self.view.aliased {
            return Some(name);
        }
        let mut behind = all.iter().skip_while(|token| token.span.start < name.end);
        let mut alias = behind.next()?;
        if alias.is_word(sql, "AS") {
            alias = behind.next()?;
        }
        Some(Span { start: name.start, end: alias.span.end })
    }

    /// The columns that a star stands for.
    fn stars(&self, clauses: &Clauses, edits: &mut Vec<Edit>) -> Option<()> {
        let into = self.mentions.parsed.into_variables.is_some();
        if into && !self.select.projection.iter().all(|item| matches!(item, SelectItem::UnnamedExpr(_))) {
            return None;
        }
        for (item, span) in self.select.projection.iter().zip(&clauses.items) {
            match item {
                SelectItem::Wildcard(_) => {
                    let refs = self.mentions.analysis.refs.iter().enumerate();
                    let own = refs.filter(|(_, found)| found.block == 0);
                    let lists: Vec<String> = own
                        .map(|(at, found)| match at == self.at {
                            true => self.body.list(&self.view.exposed),
                            false => format!("{}.*", quoted(&found.exposed)),
                        })
                        .collect();
                    edits.push(Edit { at: *span, text: lists.join(", ") });
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let table = name.0.last()?.as_ident()?;
                    if self.is_hidden(table) {
                        return None;
                    }
                    if table.value.eq_ignore_ascii_case(&self.view.exposed) {
                        edits.push(Edit { at: *span, text: self.body.list(&self.view.exposed) });
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn order(&self, clauses: &Clauses, edits: &mut Vec<Edit>) {
        let Keys::By(keys) = &self.body.order else { return };
        if !super::order::takes_over(self.query, self.select) {
            return;
        }
        let keys: Vec<String> = keys
            .iter()
            .filter_map(|(name, descends)| {
                let text = self.body.source(name)?.text(&self.view.exposed);
                Some(if *descends { format!("{text} DESC") } else { text })
            })
            .collect();
        let text = format!(" ORDER BY {}", keys.join(", "));
        edits.push(Edit { at: Span::at(clauses.order_place), text });
    }
}

/// Whether all that a reference's names could mean is known.
fn is_known(found: &TableRef) -> bool {
    found.table.table.definition.is_some() || found.table.table.view.is_some() || found.block != 0
}

/// Whether a join compares columns by their names.
fn by_names(from: &[TableWithJoins]) -> bool {
    from.iter().any(|tables| {
        let inside = |factor: &TableFactor| match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => {
                by_names(std::slice::from_ref(table_with_joins))
            }
            _ => false,
        };
        inside(&tables.relation)
            || tables.joins.iter().any(|join| inside(&join.relation) || compares_names(&join.join_operator))
    })
}

fn compares_names(operator: &JoinOperator) -> bool {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::StraightJoin(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint) => {
            matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
        }
        _ => true,
    }
}

/// Whether FROM has anything but tables.
fn has_derived(from: &[TableWithJoins]) -> bool {
    let is = |factor: &TableFactor| match factor {
        TableFactor::Table { args: None, .. } => false,
        TableFactor::NestedJoin { table_with_joins, .. } => {
            has_derived(std::slice::from_ref(table_with_joins))
        }
        _ => true,
    };
    from.iter().any(|tables| is(&tables.relation) || tables.joins.iter().any(|join| is(&join.relation)))
}
