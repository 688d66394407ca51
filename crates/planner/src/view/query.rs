//! A view's query as text that stands in a statement.

use serval_catalog::View;
use serval_sql::{Edit, LexOptions, Parsed, TokenKind, splice, tokens};
use sqlparser::ast::{Query, Select, SelectItem, SetExpr, Statement};

use crate::error::PlanError;
use crate::physical::quote;
use crate::planner::dml;

/// A view's query, parsed.
pub(super) struct ViewQuery {
    /// The text: what the server says, with the view's own columns for names.
    pub(super) text: String,
    pub(super) parsed: Parsed,
}

impl ViewQuery {
    /// The query of a view. `name` is for errors.
    pub(super) fn of(view: &View, name: &str) -> Result<Self, PlanError> {
        let text = named(view, name)?;
        let parsed = parse(&text, name)?;
        Ok(Self { text, parsed })
    }

    pub(super) fn query(&self) -> Option<&Query> {
        match &self.parsed.ast {
            Statement::Query(query) => Some(query),
            _ => None,
        }
    }

    /// The outermost SELECT where the query is nothing but one, with its ORDER BY and LIMIT.
    pub(super) fn select(&self) -> Option<&Select> {
        match &*self.query()?.body {
            SetExpr::Select(select) => Some(select),
            _ => None,
        }
    }

    /// The names of its columns, where each is said.
    pub(super) fn columns(&self) -> Option<Vec<String>> {
        let items = &first_select(&self.query()?.body)?.projection;
        let name = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            _ => None,
        };
        items.iter().map(name).collect()
    }

    /// The text as a session with these options reads it.
    pub(super) fn text_under(&self, options: LexOptions) -> Result<String, PlanError> {
        if !options.no_backslash_escapes || !self.text.contains('\\') {
            return Ok(self.text.clone());
        }
        let all = tokens(self.text.as_bytes(), LexOptions::default()).unwrap_or_default();
        let literals = all.iter().filter(|token| token.kind == TokenKind::Text);
        let edits = literals.map(|token| {
            let value = serval_sql::literal_value(
                self.text.as_bytes(),
                token.span,
                serval_sql::HoleKind::Text,
                LexOptions::default(),
            );
            let text = match &value {
                serval_types::Value::Text(text) => std::str::from_utf8(text).ok(),
                _ => None,
            };
            let text = text
                .ok_or_else(|| PlanError::refused("A literal of a view cannot be read in this sql_mode"))?;
            Ok(Edit { at: token.span, text: format!("'{}'", text.replace('\'', "''")) })
        });
        let edits = edits.collect::<Result<Vec<_>, PlanError>>()?;
        Ok(String::from_utf8_lossy(&splice(self.text.as_bytes(), &edits)).into_owned())
    }
}

/// The query with the view's columns for names: MySQL keeps these beside it.
fn named(view: &View, name: &str) -> Result<String, PlanError> {
    if view.columns.is_empty() {
        return Ok(view.query.clone());
    }
    let parsed = parse(&view.query, name)?;
    let first = match &parsed.ast {
        Statement::Query(query) => first_select(&query.body),
        _ => None,
    };
    let items = first.map(|select| &*select.projection).unwrap_or_default();
    let mut edits = Vec::new();
    for (item, column) in items.iter().zip(&view.columns) {
        let SelectItem::ExprWithAlias { alias, .. } = item else { return Err(not_understood(name)) };
        edits.push(Edit { at: parsed.locator.span(alias.span), text: quoted(column) });
    }
    if edits.len() != view.columns.len() || items.len() != edits.len() {
        return Err(not_understood(name));
    }
    Ok(String::from_utf8_lossy(&splice(view.query.as_bytes(), &edits)).into_owned())
}

/// The SELECT that names the columns: the first of a union.
fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { left, .. } => first_select(left),
        SetExpr::Query(query) => first_select(&query.body),
        _ => None,
    }
}

fn parse(text: &str, name: &str) -> Result<Parsed, PlanError> {
    dml(text, LexOptions::default()).map_err(|_| not_understood(name))
}

fn not_understood(name: &str) -> PlanError {
    PlanError::refused(format!("The query of view {name} is not understood; query its tables directly"))
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    let mut out = Vec::new();
    quote(name, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
