//! `push_into_derived`: predicates about the columns of a derived table, applied to the rows that it is made of.
//!
//! `FROM (SELECT a, b FROM t WHERE …) d WHERE d.a = 5` keeps of d only rows whose a is 5. Where a is a column of t as it
//! stands, these are made of rows of t whose a is 5, so that the derived table may have the predicate, too, and the
//! statement keeps it. It may not, where one of its rows depends on rows that the predicate leaves out: under LIMIT,
//! window functions, aggregates without GROUP BY, or groups by something else. Groups and DISTINCT are by values that are
//! equal, not the same (`'a' = 'A'`), so behind them only columns count whose equal values are the same value. Of a set
//! operation each part gets the predicate, if all of them have the column in the same type.
//!
//! The predicate must have a value for every row, without an error and without a warning, because it is then evaluated for
//! rows for which the statement itself may not evaluate it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serval_sql::{Edit, Span};
use serval_types::ColumnType;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Query, Select, SetExpr, Statement, TableAlias, Visit, Visitor,
    visit_expressions,
};

use super::super::Gathering;
use super::super::total::is_total;
use super::tree::{Leaf, Source, Tree};
use crate::analysis::{Place, place, terms};
use crate::bound::Note;
use crate::clauses::Clauses;
use crate::rewrite::expression::is_aggregate;

/// A column in a predicate: where it stands, and which of a query's columns it is.
type Wanted = (Place, String);

/// One SELECT that a predicate comes to.
struct Landing {
    /// Where its SELECT stands.
    select: u32,
    /// The predicate.
    condition: String,
    /// The types of the columns in it.
    types: Vec<ColumnType>,
}

impl Gathering<'_> {
    /// The next predicate that a derived table can have, and has not yet.
    pub(super) fn push(&self) -> Option<(Vec<Edit>, Note)> {
        let Statement::Query(query) = &self.planning.parsed.ast else { return None };
        let mut pusher = Pusher { gathering: self, found: None };
        let _ = query.visit(&mut pusher);
        pusher.found
    }

    fn of_body(&self, body: &SetExpr) -> Option<(Vec<Edit>, Note)> {
        match body {
            SetExpr::Select(select) => self.of_select(select),
            SetExpr::SetOperation { left, right, .. } => self.of_body(left).or_else(|| self.of_body(right)),
            // A query of its own, which is visited by itself.
            _ => None,
        }
    }

    fn of_select(&self, select: &Select) -> Option<(Vec<Edit>, Note)> {
        let tree = self.tree(select);
        if !tree.leaves.iter().any(|leaf| matches!(leaf, Leaf::Derived { .. })) {
            return None;
        }
        let all = tree
            .conditions
            .iter()
            .flat_map(|(condition, whole)| terms(condition).into_iter().map(move |term| (term, whole)));
        all.into_iter().find_map(|(term, whole)| self.of_term(&tree, term, whole))
    }

    fn of_term(&self, tree: &Tree<'_>, term: &Expr, whole: &[usize]) -> Option<(Vec<Edit>, Note)> {
        let mut reader = Columns { gathering: self, tree, leaf: None, wanted: BTreeSet::new() };
        if term.visit(&mut reader).is_break() {
            return None;
        }
        let leaf = reader.leaf.filter(|leaf| whole.contains(leaf))?;
        let wanted: Vec<Wanted> = reader.wanted.into_iter().collect();
        let Leaf::Derived { query, alias } = tree.leaves.get(leaf)? else { return None };
        let landings = self.land(query, alias, &wanted, term, false)?;
        let mut edits = Vec::new();
        for landing in &landings {
            edits.extend(self.add(landing)?);
        }
        let of = &alias.name.value;
        let reason =
            format!("the rows of {of} that count are made of rows that fulfil the predicate themselves");
        (!edits.is_empty()).then_some((edits, Note { rewrite: "push_into_derived", reason }))
    }

    /// The SELECTs below a derived table that may have a predicate; `None` where it must stay outside.
    fn land(
        &self,
        query: &Query,
        alias: &TableAlias,
        wanted: &[Wanted],
        term: &Expr,
        exact: bool,
    ) -> Option<Vec<Landing>> {
        let outputs = self.outputs(query, alias)?;
        let position =
            |(_, name): &Wanted| outputs.iter().position(|output| output.name.to_lowercase() == *name);
        let positions: Vec<usize> = wanted.iter().map(position).collect::<Option<_>>()?;
        let places: Vec<Place> = wanted.iter().map(|(place, _)| *place).collect();
        if !is_whole(query) {
            return None;
        }
        self.land_in(&query.body, &places, &positions, term, exact)
    }

    fn land_in(
        &self,
        body: &SetExpr,
        places: &[Place],
        positions: &[usize],
        term: &Expr,
        exact: bool,
    ) -> Option<Vec<Landing>> {
        match body {
            SetExpr::Select(select) => self.land_in_select(select, places, positions, term, exact),
            SetExpr::Query(query) if is_whole(query) => {
                self.land_in(&query.body, places, positions, term, exact)
            }
            SetExpr::SetOperation { left, right, .. } => {
                let mut found = self.land_in(left, places, positions, term, true)?;
                found.extend(self.land_in(right, places, positions, term, true)?);
                let first = found.first()?.types.clone();
                found.iter().all(|landing| landing.types == first).then_some(found)
            }
            _ => None,
        }
    }

    fn land_in_select(
        &self,
        select: &Select,
        places: &[Place],
        positions: &[usize],
        term: &Expr,
        exact: bool,
    ) -> Option<Vec<Landing>> {
        let keys = row_by_row(select)?;
        let exact = exact || select.distinct.is_some() || !keys.is_empty();
        let (tree, outputs) = (self.tree(select), self.outputs_of(select)?);
        let sources: Vec<Source<'_>> = positions
            .iter()
            .map(|&at| outputs.get(at).map(|output| output.source.clone()))
            .collect::<Option<_>>()?;
        // All columns are another derived table's, or all are tables' own.
        let inner: Option<Vec<(usize, String)>> = sources
            .iter()
            .map(|source| match source {
                Source::Item(expr) => self.owner(&tree, expr),
                Source::Inner(leaf, name) => Some((*leaf, name.to_lowercase())),
                Source::Column(..) => None,
            })
            .collect();
        if let Some(inner) = inner {
            let leaf = inner.first()?.0;
            // What a join fills up with NULLs has rows that the condition sees only behind it.
            if !keys.is_empty() || inner.iter().any(|(other, _)| *other != leaf) || tree.fills(leaf) {
                return None;
            }
            let Leaf::Derived { query, alias } = tree.leaves.get(leaf)? else { return None };
            let wanted: Vec<Wanted> =
                places.iter().copied().zip(inner.into_iter().map(|(_, name)| name)).collect();
            return self.land(query, alias, &wanted, term, exact);
        }
        let scope = self.scope_of(&tree)?;
        let (mut edits, mut types) = (Vec::new(), Vec::new());
        for (place, source) in places.iter().zip(&sources) {
            let (column, text) = match source {
                Source::Item(expr) => (scope.column(expr)?, self.text_at(self::place(expr)?)?.to_owned()),
                Source::Column(table, name) => (
                    crate::analysis::Column { table: *table, name: name.clone() },
                    self.column_text(*table, name),
                ),
                Source::Inner(..) => return None,
            };
            let grouped = keys.iter().any(|key| scope.column(key).as_ref() == Some(&column));
            let declared = scope.column_type(column.table, &column.name)?;
            if !keys.is_empty() && !grouped || exact && !is_exact(declared) {
                return None;
            }
            types.push(declared.clone());
            edits.extend(self.places(&[*place]).map(|at| Edit { at, text: text.clone() }));
        }
        let condition = self.with_values(self.term(term, places)?, edits)?;
        if !is_total(&self.parse(&condition)?, scope) {
            return None;
        }
        let select = self.planning.parsed.locator.span(select.select_token.0.span).start;
        Some(vec![Landing { select, condition, types }])
    }

    fn text_at(&self, (first, last): Place) -> Option<&str> {
        let locator = &self.planning.parsed.locator;
        let span = Span { start: locator.span(first).start, end: locator.span(last).end };
        self.planning.readable.get(span.start as usize..span.end as usize)
    }

    /// The edits that give a SELECT its condition; none where it has it already.
    fn add(&self, landing: &Landing) -> Option<Vec<Edit>> {
        let sql = self.planning.sql;
        let at = self.tokens.iter().position(|token| token.span.start == landing.select)?;
        let segment = self.segments.around(at).filter(|_| self.tokens[at].is_word(sql, "SELECT"))?;
        let tokens = self.tokens.get(segment.range())?;
        added(sql, tokens, &landing.condition)
    }
}

/// The edits that add a condition to one SELECT; none where it has it already.
pub(super) fn added(sql: &[u8], tokens: &[serval_sql::Token], condition: &str) -> Option<Vec<Edit>> {
    let clauses = Clauses::of(sql, tokens)?;
    let Some(selection) = clauses.selection else {
        let from = clauses.from?;
        return Some(vec![Edit { at: Span::at(from.end), text: format!(" WHERE ({condition})") }]);
    };
    let text = String::from_utf8_lossy(selection.of(sql));
    if text.contains(&format!("({condition})")) {
        return Some(Vec::new());
    }
    let begin = Span::at(selection.start + 5);
    Some(vec![
        Edit { at: begin, text: " (".to_owned() },
        Edit { at: Span::at(selection.end), text: format!(") AND ({condition})") },
    ])
}

/// Whether a query gives all rows of its body.
fn is_whole(query: &Query) -> bool {
    query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none() && query.locks.is_empty()
}

/// The keys that the rows of a SELECT are grouped by, none where they are not; `None` where a row depends on rows of other
/// keys.
fn row_by_row(select: &Select) -> Option<&[Expr]> {
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
    let plain = select.named_window.is_empty() && select.qualify.is_none() && select.top.is_none();
    let distinct = matches!(select.distinct, None | Some(Distinct::Distinct | Distinct::All));
    let mut over = false;
    let mut aggregates = false;
    let mut look = |expr: &Expr| {
        over |= matches!(expr, Expr::Function(function) if function.over.is_some());
        aggregates |= is_aggregate(expr);
        ControlFlow::<()>::Continue(())
    };
    let _ = visit_expressions(&select.projection, &mut look);
    let _ = visit_expressions(&select.having, &mut look);
    let ungrouped = keys.is_empty() && (aggregates || select.having.is_some());
    (modifiers.is_empty() && plain && distinct && !over && !ungrouped).then_some(keys)
}

/// Whether values that are equal are the same value.
fn is_exact(declared: &ColumnType) -> bool {
    matches!(
        declared,
        ColumnType::Int { .. }
            | ColumnType::Decimal { .. }
            | ColumnType::Year
            | ColumnType::Date
            | ColumnType::DateTime { .. }
    )
}

/// Looks at every SELECT until a predicate is found.
struct Pusher<'g, 'a> {
    gathering: &'g Gathering<'a>,
    found: Option<(Vec<Edit>, Note)>,
}

impl Visitor for Pusher<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.found = self.gathering.of_body(&query.body);
        if self.found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The columns of a term, as long as all are those of one derived table.
struct Columns<'c, 'g, 'a, 'q> {
    gathering: &'g Gathering<'a>,
    tree: &'c Tree<'q>,
    leaf: Option<usize>,
    wanted: BTreeSet<Wanted>,
}

impl Visitor for Columns<'_, '_, '_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let Some(place) = place(expr) else { return ControlFlow::Continue(()) };
        match self.gathering.owner(self.tree, expr) {
            Some((leaf, name)) if self.leaf.is_none_or(|other| other == leaf) => {
                self.leaf = Some(leaf);
                self.wanted.insert((place, name));
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    }
}
