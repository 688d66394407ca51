//! `result_at_nodes`: a query inside of a statement that the nodes can compute, gathered as its result.
//!
//! `FROM (SELECT user_id, SUM(amount) AS s FROM orders GROUP BY user_id) d` needs of orders no more than the sums, and the
//! nodes have them, as far as the query is one that can be merged. So it is planned like any other SELECT, and what it
//! gives stands on the scratch server in its place: for a derived table, for a query of WITH that is read once, for a
//! subquery that depends on nothing around it. Its columns have the types that the scratch server itself gives them, asked
//! over empty tables.
//!
//! Only queries that make fewer rows of many are worth it, and only those whose evaluation leaves no trace: no errors, no
//! warnings, nothing that depends on chance, since one server may evaluate them for fewer rows, or not at all.

use std::sync::Arc;

use serval_catalog::{Catalog, ColumnDef, DescribedTable, TableDefinition};
use serval_sql::{Edit, Span};
use serval_types::{ColumnType, NodeId};

use super::super::temporary::quoted;
use super::super::{Gathering, Result, read_under};
use super::candidate::Candidate;
use super::inner::Inner;
use super::text::{Asked, Text, named, with};
use crate::analysis::terms;
use crate::bound::{Note, PlanTable};
use crate::primitive::{Announced, Loading};
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
    pub(super) column_type: ColumnType,
    pub(super) nullable: bool,
    /// What it is announced as of.
    pub(in crate::gather) origin: Option<Announced>,
    /// The column of the query's table that it is, where rows with other values can be left out of the query.
    pub(in crate::gather) key: Option<String>,
}

/// The results of a statement, and the statement over them.
pub(in crate::gather) struct Results {
    pub(in crate::gather) text: Text,
    pub(in crate::gather) catalog: Arc<Catalog>,
    pub(in crate::gather) outcomes: Vec<Outcome>,
}

/// The results that can stand in a statement; `None` where there are none.
pub(super) fn results(asked: Asked<'_>, text: &Text) -> Result<Option<Results>> {
    let catalog = &asked.plan.catalog;
    let Some(schema) = asked.schema.and_then(|schema| catalog.schema(schema)) else { return Ok(None) };
    let taken = schema.tables.keys().any(|name| name.starts_with(NAME));
    let (edits, outcomes) = with(asked, text, catalog, |gathering| {
        if gathering.leaves_traces() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (mut edits, mut outcomes): (Vec<Edit>, Vec<Outcome>) = (Vec::new(), Vec::new());
        for candidate in gathering.candidates() {
            if edits.iter().any(|edit: &Edit| edit.at.covers(candidate.inner)) {
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
            nullable: column.nullable,
            ..ColumnDef::new(column.name.clone(), column.column_type.clone())
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
    /// What a query comes to, where the nodes can compute it.
    fn outcome(&self, candidate: &Candidate, number: usize) -> Option<Outcome> {
        let is_nested = |nested: &crate::analysis::Nested| {
            let inner = self.analysis.refs.get(nested.inner.start);
            inner.is_some_and(|found| candidate.inner.covers(found.name)) && self.is_asked_at_source(nested)
        };
        // Its shard answers it for the rows around it.
        if self.analysis.nested.iter().any(is_nested) {
            return None;
        }
        let text = named(self.with_values(candidate.inner, Vec::new())?.trim(), self.planning.options)?;
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
        let is_double = |column: &OutcomeColumn| matches!(column.column_type, ColumnType::Double { .. });
        if candidate.derived.is_none() && columns.iter().any(is_double) {
            return None;
        }
        let mut names: Vec<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        if names.len() != columns.len() {
            return None;
        }
        // A key would have the rows read in its order; servers read a derived table in the order in which it was made.
        let ordered = query.query.order_by.is_some() && !self.groups_around(candidate);
        let unique = query.unique(&columns).filter(|_| !ordered);
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
        self.tokens.iter().any(|token| groups(token) && !candidate.inner.covers(token.span))
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
