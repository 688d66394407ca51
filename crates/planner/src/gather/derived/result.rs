//! `result_at_nodes`: a query inside of a statement that the nodes can compute, gathered as its result.
//!
//! `FROM (SELECT user_id, SUM(amount) AS s FROM orders GROUP BY user_id) d` needs of orders no more than the sums, and the
//! nodes have them, as far as the query is one that can be merged. So it is planned like any other SELECT, and what it
//! gives stands on the scratch server in its place: for a derived table, for a query of WITH that is read once, for a
//! subquery that depends on nothing around it. Its columns have the types that the scratch server itself gives them, asked over empty tables.
//!
//! Only queries that make fewer rows of many are worth it, and only those whose evaluation leaves no trace: no errors, no
//! warnings, nothing that depends on chance, since one server may evaluate them for fewer rows, or not at all.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use serval_catalog::{Catalog, ColumnDef, DescribedTable, TableDefinition};
use serval_sql::{Edit, Span, TokenKind, splice, tokens};
use serval_types::{ColumnType, NodeId};
use sqlparser::ast::{
    GroupByExpr, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, Statement, TableFactor,
    Visit, Visitor, visit_expressions,
};

use super::super::temporary::quoted;
use super::super::total::is_total;
use super::super::{Gathering, Result, read_under};
use super::output::{Shape, Shapes};
use super::push::added;
use super::text::{Asked, Text, with};
use crate::analysis::{Analysis, place, terms};
use crate::bound::{Note, PlanTable};
use crate::clauses::Clauses;
use crate::primitive::Loading;
use crate::rewrite::expression::is_aggregate;
use crate::statement::{Planning, plan_tables};

/// The name that stands for a result in the statement, before its number.
const NAME: &str = "serval_r";

/// A query that the nodes compute.
#[derive(Debug, Clone)]
pub(in crate::gather) struct Outcome {
    /// The table that stands for it.
    pub(in crate::gather) name: String,
    /// What a client is shown for it in metadata.
    pub(in crate::gather) shown: String,
    pub(in crate::gather) columns: Vec<OutcomeColumn>,
    /// The query, for the planner.
    pub(in crate::gather) inner: String,
    /// Its tables.
    pub(in crate::gather) tables: Vec<PlanTable>,
    /// How many predicates it has.
    pub(in crate::gather) filters: usize,
    /// The tables that its types are asked of, and the query over them.
    pub(in crate::gather) typed: Vec<(String, String)>,
    pub(in crate::gather) select: String,
    /// HAVING, where the nodes cannot judge it: over columns of the result, the last of which only it needs.
    having: Option<String>,
    /// How many columns of the result the query has.
    visible: usize,
    /// The columns of which no two rows have the same values.
    pub(in crate::gather) unique: Option<Vec<String>>,
}

/// A column of a result.
#[derive(Debug, Clone)]
pub(in crate::gather) struct OutcomeColumn {
    pub(in crate::gather) name: String,
    pub(in crate::gather) loading: Loading,
    column_type: ColumnType,
    nullable: bool,
    /// The table and the column that it is as it stands.
    pub(in crate::gather) origin: Option<(String, String)>,
    /// The column of the query's table that it is, where rows with other values can be left out of the query.
    pub(in crate::gather) key: Option<String>,
}

/// The results of a statement, and the statement over them.
pub(in crate::gather) struct Results {
    pub(in crate::gather) text: Text,
    pub(in crate::gather) catalog: Arc<Catalog>,
    pub(in crate::gather) outcomes: Vec<Outcome>,
}

/// A query inside of a statement.
struct Candidate {
    /// Between its parentheses.
    inner: Span,
    /// The name of the derived table that it is.
    derived: Option<String>,
    /// A server takes no LIMIT in it.
    compared: bool,
}

/// The results that can stand in a statement; `None` where there are none.
pub(super) fn results(asked: Asked<'_>, text: &Text) -> Result<Option<Results>> {
    let catalog = &asked.plan.catalog;
    let Some(schema) = asked.schema.and_then(|schema| catalog.schema(schema)) else { return Ok(None) };
    let taken = schema.tables.keys().any(|name| name.starts_with(NAME));
    let (edits, outcomes) = with(asked, text, catalog, |gathering| {
        let (mut edits, mut outcomes): (Vec<Edit>, Vec<Outcome>) = (Vec::new(), Vec::new());
        for candidate in gathering.candidates() {
            if edits.iter().any(|edit: &Edit| within(candidate.inner, edit.at)) {
                continue;
            }
            let Some(outcome) = gathering.outcome(&candidate, outcomes.len()) else { continue };
            edits.push(in_its_place(&candidate, &outcome));
            outcomes.push(outcome);
        }
        edits.extend(gathering.names_behind(&edits));
        Ok((edits, outcomes))
    })?;
    if outcomes.is_empty() || taken {
        return Ok(None);
    }
    let notes = outcomes.iter().map(|outcome| Note {
        rewrite: "result_at_nodes",
        reason: format!("{} is needed as the result of its query, which can be merged", outcome.shown),
    });
    let Some(text) = text.edited(asked, &edits, notes.collect()) else { return Ok(None) };
    let described = outcomes.iter().map(|outcome| DescribedTable {
        schema: schema.name.clone(),
        definition: outcome.definition(),
        node: NodeId(0),
        derived: None,
        held: None,
    });
    let catalog = Arc::new(catalog.with_described(0, described.collect()));
    Ok(Some(Results { text, catalog, outcomes }))
}

impl Outcome {
    /// As far as a table of it can be described.
    fn definition(&self) -> TableDefinition {
        let columns = self.columns.iter().map(|column| ColumnDef {
            name: column.name.clone(),
            column_type: column.column_type.clone(),
            nullable: column.nullable,
            default: None,
            auto_increment: false,
            generated: false,
            invisible: false,
            declared: String::new(),
            json_checked: false,
        });
        TableDefinition {
            name: self.name.clone(),
            columns: columns.collect(),
            primary_key: Vec::new(),
            unique_keys: Vec::new(),
            foreign_keys: Vec::new(),
            charset: None,
            collation: None,
        }
    }

    /// The column of this name in lower case.
    pub(in crate::gather) fn column(&self, name: &str) -> Option<&OutcomeColumn> {
        self.columns.iter().find(|column| column.name.to_lowercase() == name)
    }
}

impl Gathering<'_> {
    /// The queries inside of the statement, without those inside of another one that is taken.
    fn candidates(&self) -> Vec<Candidate> {
        let Statement::Query(query) = &self.planning.parsed.ast else { return Vec::new() };
        let mut finder = Finder {
            gathering: self,
            depth: 0,
            aliases: Vec::new(),
            listed: Vec::new(),
            names: HashSet::new(),
            found: Vec::new(),
        };
        let _ = query.visit(&mut finder);
        finder.found
    }

    fn candidate(&self, query: &Query, aliases: &[(u32, String)]) -> Option<Candidate> {
        let SetExpr::Select(select) = &*query.body else { return None };
        let word = self.planning.parsed.locator.span(select.select_token.0.span);
        let open = self.token_at(word)?.checked_sub(1).filter(|&at| self.tokens[at].is_symbol(b'('))?;
        let close = self.closing(open)?;
        let inner = Span { start: self.tokens[open].span.end, end: self.tokens[close].span.start };
        let sql = self.planning.sql;
        let before = |word: &str| open > 0 && self.tokens[open - 1].is_word(sql, word);
        // Of a query of WITH that is read twice the columns would be announced as others than its tables'.
        if before("EXISTS") || before("AS") || before("MATERIALIZED") {
            return None;
        }
        let compared = ["IN", "ANY", "ALL", "SOME"].iter().any(|word| before(word));
        let derived = aliases.iter().find(|(start, _)| *start == word.start).map(|(_, name)| name.clone());
        Some(Candidate { inner, derived, compared })
    }

    /// What a query comes to, where the nodes can compute it.
    fn outcome(&self, candidate: &Candidate, number: usize) -> Option<Outcome> {
        let is_nested = |nested: &crate::analysis::Nested| {
            let inner = self.analysis.refs.get(nested.inner.start);
            inner.is_some_and(|found| within(found.name, candidate.inner)) && self.is_asked_at_source(nested)
        };
        // Its shard answers it for the rows around it.
        if self.analysis.nested.iter().any(is_nested) {
            return None;
        }
        let text = named(self.with_values(candidate.inner, Vec::new())?.trim())?;
        self.outcome_of_text(candidate, number, text)
    }

    fn outcome_of_text(&self, candidate: &Candidate, number: usize, text: String) -> Option<Outcome> {
        let options = self.planning.options;
        let scan = serval_sql::scan(text.as_bytes(), options).ok()?;
        let parsed = crate::planner::dml(&text, options).ok()?;
        let planning =
            Planning { sql: text.as_bytes(), readable: &text, scan: &scan, parsed: &parsed, ..self.planning };
        let analysis = planning.analyse().ok()?;
        let query = Inner::of(planning, &analysis)?;
        if candidate.compared && query.query.limit_clause.is_some() {
            return None;
        }
        let mut columns = query.columns()?;
        // As a column a DOUBLE is announced narrower than as what a subquery computes.
        let is_double = |column: &OutcomeColumn| column.column_type == ColumnType::Double;
        if candidate.derived.is_none() && columns.iter().any(is_double) {
            return None;
        }
        let mut names: Vec<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        if names.len() != columns.len() {
            return None;
        }
        let unique = query.unique(&columns);
        if self.groups_around(candidate) && unique.is_none() && !query.is_one_row() {
            return None;
        }
        let values =
            crate::operand::Values { sql: text.as_bytes(), scan: &scan, parameters: &[], ..*self.values };
        // Whether it can be merged is the planner's to say.
        if read_under(self.planning, self.planning.schema, &text, self.values).is_err() {
            let visible = columns.len();
            let (text, having) = query.without_having(&text)?;
            let outcome = self.outcome_of_text(candidate, number, text)?;
            return Some(Outcome { having: Some(having), visible, ..outcome });
        }
        let prefix = format!("serval_t{number}_");
        let over = Gathering::new(planning, &analysis, &values).ok()?.called(&prefix);
        let typed = over.empty_tables().ok()?;
        let select = String::from_utf8(over.statement().ok()?.sql).ok()?;
        if query.is_cut() {
            columns.iter_mut().for_each(|column| column.key = None);
        }
        let filters = query.select.selection.as_ref().map_or(0, |selection| terms(selection).len());
        Some(Outcome {
            name: format!("{NAME}{number}"),
            shown: candidate.derived.clone().unwrap_or_else(|| "a subquery".to_owned()),
            having: None,
            visible: columns.len(),
            columns,
            tables: plan_tables(&analysis).to_vec(),
            inner: text,
            filters,
            typed,
            select,
            unique,
        })
    }

    /// Whether rows are grouped outside of a query: servers know which of its columns follow from others.
    fn groups_around(&self, candidate: &Candidate) -> bool {
        let groups = |token: &serval_sql::Token| token.is_word(self.planning.sql, "GROUP");
        self.tokens.iter().any(|token| groups(token) && !within(token.span, candidate.inner))
    }
}

/// What stands for a query.
fn in_its_place(candidate: &Candidate, outcome: &Outcome) -> Edit {
    let (Span { start, end }, name) = (candidate.inner, quoted(&outcome.name));
    if candidate.derived.is_some() && outcome.having.is_none() {
        // With its parentheses.
        return Edit { at: Span { start: start - 1, end: end + 1 }, text: name };
    }
    let columns = outcome.columns.iter().take(outcome.visible);
    let columns: Vec<String> = columns.map(|column| quoted(&column.name)).collect();
    let having = outcome.having.as_ref().map_or_else(String::new, |having| format!(" WHERE {having}"));
    Edit { at: candidate.inner, text: format!("SELECT {} FROM {name}{having}", columns.join(", ")) }
}

fn within(one: Span, other: Span) -> bool {
    other.start <= one.start && one.end <= other.end
}

/// The text with a name for each column that has none but its text; `None` where it is not plain enough to be said to
/// another server under other modes.
fn named(text: &str) -> Option<String> {
    let odd = |byte: u8| !byte.is_ascii() || matches!(byte, b'"' | b'\\' | b'@' | b'#');
    if text.bytes().any(odd) || text.contains("--") || text.contains("/*") || text.contains(":=") {
        return None;
    }
    let all = tokens(text.as_bytes(), serval_sql::LexOptions::default()).ok()?;
    let spaced = all.windows(2).any(|pair| {
        let calls =
            ["COUNT", "SUM", "MIN", "MAX", "AVG"].iter().any(|word| pair[0].is_word(text.as_bytes(), word));
        calls && pair[1].is_symbol(b'(') && pair[0].span.end != pair[1].span.start
    });
    if spaced {
        return None;
    }
    let clauses = Clauses::of(text.as_bytes(), &all)?;
    let unnamed = clauses.items.iter().zip(&clauses.named).filter(|(_, named)| !**named);
    let is_plain = |item: &Span| {
        let own = all.iter().filter(|token| within(token.span, *item));
        own.enumerate().all(|(at, token)| match at % 2 {
            0 => matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) || token.is_symbol(b'*'),
            _ => token.is_symbol(b'.'),
        })
    };
    let edits: Vec<Edit> = unnamed
        .filter(|(item, _)| !is_plain(item))
        .map(|(item, _)| Edit { at: Span::at(item.end), text: format!(" AS {}", quoted(item.text(text))) })
        .collect();
    // Servers cut longer names.
    let long = edits.iter().any(|edit| edit.text.len() > 64);
    (!long).then(|| String::from_utf8_lossy(&splice(text.as_bytes(), &edits)).into_owned())
}

/// The text of a query with one more condition.
pub(in crate::gather) fn restricted(text: &str, condition: &str) -> Option<String> {
    let all = tokens(text.as_bytes(), serval_sql::LexOptions::default()).ok()?;
    let edits = added(text.as_bytes(), &all, condition)?;
    String::from_utf8(splice(text.as_bytes(), &edits)).ok()
}

/// A query that stands alone.
struct Inner<'a> {
    planning: Planning<'a>,
    analysis: &'a Analysis,
    query: &'a Query,
    select: &'a Select,
    keys: &'a [sqlparser::ast::Expr],
}

impl<'a> Inner<'a> {
    /// The query, where its evaluation leaves no trace.
    fn of(planning: Planning<'a>, analysis: &'a Analysis) -> Option<Self> {
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
    fn is_one_row(&self) -> bool {
        self.keys.is_empty()
            && self.select.projection.iter().any(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => is_aggregate(expr),
                _ => false,
            })
    }

    /// Whether it leaves out rows by their number.
    fn is_cut(&self) -> bool {
        self.query.limit_clause.is_some()
    }

    fn columns(&self) -> Option<Vec<OutcomeColumn>> {
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
                    Some((table.name.clone(), declared.name.clone()))
                }
                // The least and the greatest are announced as of their table, too.
                None => shapes
                    .extreme_of(expr)
                    .map(|table| (scope.refs[table].table.table.name.clone(), name.clone())),
            };
            let key = column.filter(grouped).and_then(|_| self.text_of(expr));
            Some(OutcomeColumn { name, loading, column_type, nullable, origin, key })
        };
        self.select.projection.iter().map(column).collect()
    }

    /// The query without its HAVING, with a column for each aggregate in that; and HAVING over its columns.
    fn without_having(&self, text: &str) -> Option<(String, String)> {
        let having = self.select.having.as_ref()?;
        if self.is_cut() || self.select.distinct.is_some() {
            return None;
        }
        let sql = text.as_bytes();
        let all = tokens(sql, serval_sql::LexOptions::default()).ok()?;
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
            if !plain || !within(call, condition) {
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
    fn unique(&self, columns: &[OutcomeColumn]) -> Option<Vec<String>> {
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

/// Finds them, from the outside in.
struct Finder<'g, 'a> {
    gathering: &'g Gathering<'a>,
    depth: usize,
    /// The derived tables that were met, by where their SELECT stands.
    aliases: Vec<(u32, String)>,
    /// Those that have a list of columns.
    listed: Vec<u32>,
    /// The names of the statement's WITH clauses.
    names: HashSet<String>,
    found: Vec<Candidate>,
}

impl Visitor for Finder<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        if let Some(with) = &query.with {
            if with.recursive {
                self.found.clear();
                return ControlFlow::Break(());
            }
            self.names.extend(with.cte_tables.iter().map(|cte| cte.alias.name.value.to_lowercase()));
        }
        let is_listed = match &*query.body {
            SetExpr::Select(select) => {
                let word = self.gathering.planning.parsed.locator.span(select.select_token.0.span).start;
                self.listed.contains(&word)
            }
            _ => false,
        };
        if self.depth > 1
            && !is_listed
            && !reads(query, &self.names)
            && let Some(candidate) = self.gathering.candidate(query, &self.aliases)
        {
            self.found.push(candidate);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { subquery, alias: Some(alias), lateral: false, sample: None } = factor
            && let SetExpr::Select(select) = &*subquery.body
        {
            let word = self.gathering.planning.parsed.locator.span(select.select_token.0.span).start;
            // A list of columns is not in what types are asked with.
            if alias.columns.is_empty() {
                self.aliases.push((word, alias.name.value.clone()));
            } else {
                self.listed.push(word);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether a query reads one of WITH by its name.
fn reads(query: &Query, names: &HashSet<String>) -> bool {
    struct Reads<'n>(&'n HashSet<String>);
    impl Visitor for Reads<'_> {
        type Break = ();

        fn pre_visit_relation(&mut self, name: &sqlparser::ast::ObjectName) -> ControlFlow<()> {
            match &*name.0 {
                [part] if part.as_ident().is_some_and(|name| self.0.contains(&name.value.to_lowercase())) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    query.visit(&mut Reads(names)).is_break()
}
