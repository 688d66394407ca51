//! A query inside of a statement, taken by itself: whether it can be evaluated for nothing, and what its columns are.

use std::ops::ControlFlow;

use serval_sql::{Edit, Span, splice, tokens};
use serval_types::ColumnType;
use sqlparser::ast::{
    GroupByExpr, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, Statement, TableFactor,
    visit_expressions,
};

use super::super::total::is_total;
use super::output::{Shape, Shapes};
use super::result::OutcomeColumn;
use crate::analysis::{Analysis, place, terms};
use crate::clauses::Clauses;
use crate::primitive::Announced;
use crate::rewrite::expression::is_aggregate;
use crate::statement::Planning;

/// A query that stands alone.
pub(super) struct Inner<'a> {
    planning: Planning<'a>,
    analysis: &'a Analysis,
    pub(super) query: &'a Query,
    pub(super) select: &'a Select,
    keys: &'a [sqlparser::ast::Expr],
}

impl<'a> Inner<'a> {
    /// The query, where its evaluation leaves no trace.
    pub(super) fn of(planning: Planning<'a>, analysis: &'a Analysis) -> Option<Self> {
        let parsed = planning.parsed;
        let Statement::Query(query) = &parsed.ast else { return None };
        let SetExpr::Select(select) = &*query.body else { return None };
        let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
        let odd = query.with.is_some() || query.fetch.is_some() || !query.locks.is_empty();
        let hinted =
            !parsed.modifiers.is_empty() || parsed.trailing_lock.is_some() || parsed.into_variables.is_some();
        let windows = !select.named_window.is_empty() || select.qualify.is_some() || !modifiers.is_empty();
        if odd || hinted || windows || analysis.blocks != 1 || !parsed.table_words.is_empty() {
            return None;
        }
        let found = Self { planning, analysis, query, select, keys };
        let known = analysis.refs.iter().all(|found| {
            let table = &found.table.table;
            table.definition.is_some()
                && table.derived.is_none()
                && table.held.is_none()
                && table.view.is_none()
        });
        let sharded = analysis.refs.iter().any(|found| found.table.table.sharding().is_some());
        (known && sharded && found.is_traceless() && found.is_worth_it()).then_some(found)
    }

    fn shapes(&self) -> Shapes<'_> {
        Shapes { scope: self.analysis.root_scope(), select: self.select }
    }

    fn is_traceless(&self) -> bool {
        let (scope, shapes) = (self.analysis.root_scope(), self.shapes());
        let total = |expr| terms(expr).into_iter().all(|term| is_total(term, scope));
        let joins = self.select.from.iter().flat_map(|tables| &tables.joins);
        let conditions = joins.map(|join| match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint) => match constraint {
                JoinConstraint::On(condition) => total(condition),
                JoinConstraint::None => true,
                _ => false,
            },
            _ => false,
        });
        let plain = |factor: &TableFactor| matches!(factor, TableFactor::Table { args: None, .. });
        let tables =
            self.select.from.iter().all(|tables| {
                plain(&tables.relation) && tables.joins.iter().all(|join| plain(&join.relation))
            });
        tables
            && conditions.into_iter().all(|total| total)
            && self.select.selection.as_ref().is_none_or(total)
            && self.keys.iter().all(|key| scope.column(key).is_some())
            && self.select.having.as_ref().is_none_or(|having| shapes.having(having))
            && shapes.ends(self.query)
    }

    /// Whether it makes fewer rows of many.
    fn is_worth_it(&self) -> bool {
        self.is_one_row()
            || !self.keys.is_empty()
            || self.select.distinct.is_some()
            || self.query.limit_clause.is_some()
            || self.analysis.refs.len() > 1
    }

    /// Whether it aggregates all rows into one.
    pub(super) fn is_one_row(&self) -> bool {
        self.keys.is_empty()
            && self.select.projection.iter().any(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => is_aggregate(expr),
                _ => false,
            })
    }

    /// Whether it leaves out rows by their number.
    pub(super) fn is_cut(&self) -> bool {
        self.query.limit_clause.is_some()
    }

    pub(super) fn columns(&self) -> Option<Vec<OutcomeColumn>> {
        let (scope, shapes) = (self.analysis.root_scope(), self.shapes());
        let one = self.is_one_row();
        let column = |item: &SelectItem| {
            let (expr, name) = match item {
                SelectItem::ExprWithAlias { expr, alias } => (expr, alias.value.clone()),
                SelectItem::UnnamedExpr(expr @ sqlparser::ast::Expr::Identifier(name)) => {
                    (expr, name.value.clone())
                }
                SelectItem::UnnamedExpr(expr @ sqlparser::ast::Expr::CompoundIdentifier(parts)) => {
                    (expr, parts.last()?.value.clone())
                }
                _ => return None,
            };
            let Shape { column_type, nullable, loading, column } = shapes.of(expr)?;
            let is_key = |column: &crate::analysis::Column| {
                self.keys.iter().any(|key| scope.column(key).as_ref() == Some(column))
            };
            let grouped = |column: &crate::analysis::Column| self.keys.is_empty() || is_key(column);
            // Of other columns a group has any row's value, unless all of its rows are one.
            let follows = |column: &crate::analysis::Column| {
                let definition = scope.refs[column.table].table.table.definition.as_deref();
                let primary = definition.map_or(&[][..], |definition| &definition.primary_key);
                let own = |name: &String| crate::analysis::Column {
                    table: column.table,
                    name: name.to_lowercase(),
                };
                !primary.is_empty() && primary.iter().all(|name| is_key(&own(name)))
            };
            if column.as_ref().is_some_and(|column| one || !grouped(column) && !follows(column)) {
                return None;
            }
            let origin = match &column {
                Some(column) => {
                    let table = &scope.refs[column.table].table.table;
                    let declared = table.definition.as_deref()?.column(&column.name)?;
                    let (table, column) = (table.name.clone(), declared.name.clone());
                    Some(Announced { table, column, extreme: false })
                }
                None => shapes.extreme_of(expr).map(|table| Announced {
                    table: scope.refs[table].table.table.name.clone(),
                    column: name.clone(),
                    extreme: true,
                }),
            };
            let key = column.filter(grouped).and_then(|_| self.text_of(expr));
            Some(OutcomeColumn { name, loading, column_type, nullable, origin, key })
        };
        self.select.projection.iter().map(column).collect()
    }

    /// The query without its HAVING, with a column for each aggregate in that; and HAVING over its columns.
    pub(super) fn without_having(&self, text: &str) -> Option<(String, String)> {
        let having = self.select.having.as_ref()?;
        if self.is_cut() || self.select.distinct.is_some() {
            return None;
        }
        let sql = text.as_bytes();
        let all = tokens(sql, self.planning.options).ok()?;
        let clauses = Clauses::of(sql, &all)?;
        let word = all.iter().rposition(|token| token.is_word(sql, "HAVING"))?;
        let behind = all[word..].iter().position(|token| token.is_word(sql, "ORDER"));
        let last = behind.map_or(all.len(), |behind| word + behind).checked_sub(1)?;
        let whole = Span { start: all[word].span.start, end: all[last].span.end };
        let condition = Span { start: all.get(word + 1)?.span.start, end: whole.end };
        let mut calls = Vec::new();
        let _ = visit_expressions(having, |expr| {
            if let sqlparser::ast::Expr::Function(function) = expr
                && let Some(name) = function.name.0.first().and_then(|part| part.as_ident())
            {
                calls.push(self.planning.parsed.locator.span(name.span).start);
            }
            ControlFlow::<()>::Continue(())
        });
        let (mut items, mut edits) = (String::new(), Vec::new());
        for (number, start) in calls.into_iter().enumerate() {
            let at = all.iter().position(|token| token.span.start == start)?;
            // Its argument has no parentheses of its own.
            let close = (at..all.len()).find(|&at| all[at].is_symbol(b')'))?;
            let call = Span { start, end: all[close].span.end };
            let plain = all[at..close].iter().filter(|token| token.is_symbol(b'(')).count() == 1;
            if !plain || !condition.covers(call) {
                return None;
            }
            items.push_str(&format!(", {} AS serval_h{number}", call.text(text)));
            let here = Span { start: start - condition.start, end: call.end - condition.start };
            edits.push(Edit { at: here, text: format!("serval_h{number}") });
        }
        let over = splice(condition.of(sql), &edits);
        let edits =
            [Edit { at: Span::at(clauses.items_end), text: items }, Edit { at: whole, text: String::new() }];
        let without = splice(sql, &edits);
        Some((String::from_utf8(without).ok()?, String::from_utf8(over).ok()?))
    }

    fn text_of(&self, expr: &sqlparser::ast::Expr) -> Option<String> {
        let (first, last) = place(expr)?;
        let locator = &self.planning.parsed.locator;
        let (start, end) = (locator.span(first).start as usize, locator.span(last).end as usize);
        self.planning.readable.get(start..end).map(str::to_owned)
    }

    /// The columns that the query groups by, where none of them is NULL and all are shown.
    pub(super) fn unique(&self, columns: &[OutcomeColumn]) -> Option<Vec<String>> {
        let (scope, shapes) = (self.analysis.root_scope(), self.shapes());
        if self.keys.is_empty() {
            return None;
        }
        let shown = |key: &sqlparser::ast::Expr| {
            let wanted = scope.column(key)?;
            let items = self.select.projection.iter().zip(columns);
            let mut found = items.filter_map(|(item, column)| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    (shapes.of(expr)?.column.as_ref() == Some(&wanted)).then_some(column)
                }
                _ => None,
            });
            let exact = |column: &&OutcomeColumn| {
                !column.nullable
                    && matches!(
                        column.column_type,
                        ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Date
                    )
            };
            found.find(exact).map(|column| column.name.clone())
        };
        self.keys.iter().map(shown).collect()
    }
}
