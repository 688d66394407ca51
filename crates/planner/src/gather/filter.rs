//! Which predicates the nodes can apply before rows are brought: those that speak of one table only.

use serval_sql::{Edit, Span, TokenKind, splice};
use serval_types::Value;
use sqlparser::ast::{Expr, SetExpr, Statement};

use super::Gathering;
use super::temporary::quoted;
use super::terms::terms;
use super::total::is_total;
use crate::analysis::{Alternatives, Early, Place, Scope};
use crate::operand::ClientText;
use crate::planner::dml;

/// A term of a condition: its text, and what it parses to by itself.
#[derive(Debug)]
pub(super) struct Term {
    span: Span,
    expr: Expr,
}

impl Gathering<'_> {
    /// The terms of all conditions.
    pub(super) fn terms(&self) -> Vec<Term> {
        let spans = terms(self.planning.sql, &self.tokens).into_iter();
        spans
            .filter_map(|span| Some(Term { span, expr: self.parse(span.text(self.planning.readable))? }))
            .collect()
    }

    /// The predicates over one reference alone, as text that stands where the table has its exposed name.
    pub(super) fn filters(&self, table: usize) -> Vec<String> {
        let own = self.analysis.early.iter().filter(|early| early.table == table);
        let mut found: Vec<String> = Vec::new();
        for early in own {
            let text = self.filter(early);
            found.extend(text.filter(|text| !found.contains(text)));
        }
        let own = self.analysis.alternatives.iter().filter(|alternatives| alternatives.table == table);
        for alternatives in own {
            let text = self.any_of(alternatives);
            found.extend(text.filter(|text| !found.contains(text)));
        }
        found
    }

    /// What follows from an OR. A term of an alternative that cannot be evaluated early is left out of it.
    fn any_of(&self, alternatives: &Alternatives) -> Option<String> {
        let refs = &self.analysis.refs[..=alternatives.table];
        let scope = Scope { refs, first: alternatives.table, opaque: false };
        let term = |(expr, places): &(Expr, Vec<Place>)| {
            let text = self.text_of(expr, places)?;
            is_total(&self.parse(&text)?, scope).then(|| format!("({text})"))
        };
        let branches = alternatives.branches.iter().map(|branch| {
            let terms: Vec<String> = branch.iter().filter_map(term).collect();
            (!terms.is_empty()).then(|| terms.join(" AND "))
        });
        let branches = branches.collect::<Option<Vec<_>>>()?;
        Some(format!("({})", branches.join(" OR ")))
    }

    /// Those that no row of the result fails.
    pub(super) fn certain_filters(&self, table: usize) -> Vec<String> {
        let own = self.analysis.early.iter().filter(|early| early.table == table && early.is_certain());
        let mut found: Vec<String> = own.filter_map(|early| self.filter(early)).collect();
        found.dedup();
        found
    }

    /// The text of a term, with its parameters' values; `None` where these have no form that is safe to write.
    pub(super) fn text_of(&self, expr: &Expr, places: &[Place]) -> Option<String> {
        self.with_values(self.term(expr, places)?, Vec::new())
    }

    /// Where a term stands.
    pub(super) fn term(&self, expr: &Expr, places: &[Place]) -> Option<Span> {
        let place = self.places(places).next()?.start;
        let is = |term: &&Term| term.span.start <= place && place < term.span.end && term.expr == *expr;
        self.terms.iter().find(is).map(|term| term.span)
    }

    pub(super) fn filter(&self, early: &Early) -> Option<String> {
        let table = early.table;
        let renamed = early.of.as_ref().map(|name| {
            let column = format!("{}.{}", quoted(&self.analysis.refs[table].exposed), quoted(name));
            self.places(&early.places).map(|at| Edit { at, text: column.clone() }).collect()
        });
        let text = self.with_values(self.term(&early.expr, &early.places)?, renamed.unwrap_or_default())?;
        let refs = &self.analysis.refs[..=table];
        let scope = Scope { refs, first: table, opaque: false };
        let early = self.is_searched(early) || is_total(&self.parse(&text)?, scope);
        early.then(|| format!("({text})"))
    }

    pub(super) fn parse(&self, condition: &str) -> Option<Expr> {
        let statement = dml(&format!("SELECT 1 FROM t WHERE {condition}"), self.planning.options).ok()?;
        let Statement::Query(query) = statement.ast else { return None };
        let plain = query.order_by.is_none() && query.limit_clause.is_none() && query.locks.is_empty();
        let SetExpr::Select(select) = *query.body else { return None };
        let grouped = select.having.is_some() || !select.named_window.is_empty();
        select.selection.filter(|_| plain && !grouped && statement.trailing_lock.is_none())
    }

    /// Where the columns of a term stand.
    pub(super) fn places(&self, places: &[Place]) -> impl Iterator<Item = Span> {
        let locator = &self.planning.parsed.locator;
        places
            .iter()
            .map(|(first, last)| Span { start: locator.span(*first).start, end: locator.span(*last).end })
    }

    /// The text of a term, with its parameters' values, and with its columns `renamed`; without that they lose their
    /// schemas. `None` where a value has no form that is safe to write.
    pub(super) fn with_values(&self, term: Span, renamed: Vec<Edit>) -> Option<String> {
        let inside = |span: &Span| term.covers(*span);
        let here = |span: Span| Span { start: span.start - term.start, end: span.end - term.start };
        let mut edits: Vec<Edit> = renamed;
        if edits.is_empty() {
            let prefixes = self.analysis.schema_prefixes.iter().filter(|span| inside(span));
            edits.extend(prefixes.map(|at| Edit { at: *at, text: String::new() }));
        }
        edits.iter_mut().for_each(|edit| edit.at = here(edit.at));
        edits.dedup();
        let parameters = self.tokens.iter().filter(|token| token.kind == TokenKind::Parameter).enumerate();
        for (index, token) in parameters.filter(|(_, token)| inside(&token.span)) {
            let text = literal(self.values.parameters.get(index)?, self.values.text)?;
            edits.push(Edit { at: here(token.span), text });
        }
        edits.sort_by_key(|edit| edit.at);
        String::from_utf8(splice(term.of(self.planning.sql), &edits)).ok()
    }
}

/// A parameter's value as text in the client's character set, where no mode reads that otherwise.
fn literal(value: &Value, client: ClientText) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Text(text) => {
            let text = std::str::from_utf8(text).ok()?;
            let written = client == ClientText::Utf8mb4 || text.is_ascii();
            // Whether a backslash is one depends on the mode.
            let plain = written && !text.chars().any(|char| char == '\\' || char.is_control());
            plain.then(|| format!("'{}'", text.replace('\'', "''")))
        }
        _ => None,
    }
}
