//! What a view that can be merged is made of: a FROM, columns and a condition.

use std::ops::ControlFlow;

use serval_catalog::{Catalog, Table};
use serval_sql::{Edit, LexOptions, Span, splice};
use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SelectItem, TableFactor, TableWithJoins, Visit, Visitor,
    visit_expressions,
};

use super::order::{Keys, keys};
use super::query::{ViewQuery, quoted};
use super::through::is_plain;
use crate::analysis::TableRef;
use crate::clauses::Clauses;

/// A view whose rows are those of its FROM.
pub(super) struct Body {
    /// Its tables.
    tables: Vec<Inner>,
    /// Its only table takes the view's name.
    renamed: bool,
    /// The text behind FROM; not for a single table, which takes the view's name.
    from: String,
    columns: Vec<(String, Source)>,
    condition: Option<Piece>,
    pub(super) order: Keys,
}

/// A table of a view.
struct Inner {
    schema: String,
    name: String,
    exposed: String,
    /// The names of its columns, where they are known.
    columns: Option<Vec<String>>,
}

/// A piece of the view's text, in which the only table's name may be replaced.
pub(super) struct Piece {
    text: String,
    /// Where columns are qualified, if there is one table only.
    qualifiers: Vec<Span>,
}

/// What a column of a view is.
pub(super) enum Source {
    Column { name: String, piece: Piece },
    Expression(Piece),
}

impl Source {
    /// Its text in a statement where the view is called `exposed`.
    pub(super) fn text(&self, exposed: &str) -> String {
        match self {
            Self::Column { piece, .. } => piece.text(exposed),
            Self::Expression(piece) => format!("({})", piece.text(exposed)),
        }
    }

    /// Whether it is nothing but the column of this name.
    pub(super) fn is_column(&self, name: &str) -> bool {
        matches!(self, Self::Column { name: own, .. } if own.eq_ignore_ascii_case(name))
    }
}

impl Piece {
    fn text(&self, exposed: &str) -> String {
        let edits: Vec<Edit> = self
            .qualifiers
            .iter()
            .map(|at| Edit { at: *at, text: format!("{}.", quoted(exposed)) })
            .collect();
        String::from_utf8_lossy(&splice(self.text.as_bytes(), &edits)).trim().to_owned()
    }
}

impl Body {
    pub(super) fn of(catalog: &Catalog, found: &TableRef) -> Option<Self> {
        let view = found.table.table.view.as_ref().filter(|view| !view.temporary)?;
        let parsed = ViewQuery::of(view, &found.table.table.name).ok()?;
        let query = parsed.query()?;
        let select = parsed.select().filter(|select| is_plain(query, select))?;
        let [from] = &*select.from else { return None };
        if select.projection.visit(&mut Subqueries).is_break() || !query.locks.is_empty() {
            return None;
        }
        let mut tables = Vec::new();
        inner(catalog, from, &mut tables)?;
        let clauses = Clauses::find(parsed.text.as_bytes(), LexOptions::default())?;
        // In a subquery the same name may be that of a table of its own.
        let only = match &*tables {
            [only] if !select.selection.as_ref().is_some_and(|own| own.visit(&mut Subqueries).is_break()) => {
                Some(only.exposed.clone())
            }
            _ => None,
        };
        let text = Text { parsed: &parsed, select, only: only.as_deref() };
        if clauses.items.len() != select.projection.len() {
            return None;
        }
        let columns = select.projection.iter().zip(&clauses.items);
        let columns: Option<Vec<_>> = columns.map(|(item, span)| text.column(item, *span)).collect();
        let from = clauses.from?;
        Some(Self {
            columns: columns?,
            condition: clauses.selection.map(|at| text.piece(Span { start: at.start + 5, end: at.end })),
            from: Span { start: from.start + 4, end: from.end }.text(&parsed.text).trim().to_owned(),
            order: keys(&parsed),
            renamed: only.is_some(),
            tables,
        })
    }

    /// What stands in the place of the view's name.
    pub(super) fn from(&self, exposed: &str) -> String {
        match &*self.tables {
            [only] if self.renamed => {
                format!("{}.{} AS {}", quoted(&only.schema), quoted(&only.name), quoted(exposed))
            }
            [_] => self.from.clone(),
            _ => format!("({})", self.from),
        }
    }

    /// The names that its tables have in the statement.
    pub(super) fn exposed<'a>(&'a self, exposed: &'a str) -> Vec<&'a str> {
        match &*self.tables {
            [_] if self.renamed => vec![exposed],
            tables => tables.iter().map(|table| &*table.exposed).collect(),
        }
    }

    pub(super) fn condition(&self, exposed: &str) -> Option<String> {
        self.condition.as_ref().map(|condition| condition.text(exposed))
    }

    /// What `*` shows of it.
    pub(super) fn list(&self, exposed: &str) -> String {
        let columns = self.columns.iter().map(|(name, source)| {
            let text = source.text(exposed);
            if source.is_column(name) { text } else { format!("{text} AS {}", quoted(name)) }
        });
        columns.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn source(&self, name: &str) -> Option<&Source> {
        let found = self.columns.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, source)| source)
    }

    /// Whether all that its tables could be asked for is known.
    pub(super) fn is_known(&self) -> bool {
        self.tables.iter().all(|table| table.columns.is_some())
    }

    /// Whether a table has a column of this name, which the view does not show under it.
    pub(super) fn has_hidden(&self, name: &str) -> bool {
        let has =
            |table: &Inner| table.columns.iter().flatten().any(|column| column.eq_ignore_ascii_case(name));
        self.source(name).is_none() && self.tables.iter().any(has)
    }

    /// Whether its table takes the view's name.
    pub(super) fn takes_name(&self) -> bool {
        self.renamed
    }

    /// Whether all columns are called as their tables call them.
    pub(super) fn keeps_names(&self) -> bool {
        self.columns.iter().all(|(name, source)| source.is_column(name))
    }

    /// Whether it only shows columns of one table, all rows of it.
    pub(super) fn is_bare(&self) -> bool {
        let columns = self.columns.iter().all(|(_, source)| matches!(source, Source::Column { .. }));
        columns && self.condition.is_none() && self.renamed
    }
}

/// The tables of a FROM; `None` where it has anything else.
fn inner(catalog: &Catalog, from: &TableWithJoins, tables: &mut Vec<Inner>) -> Option<()> {
    let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
    for factor in factors {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let (schema, name) = two(name)?;
                let exposed = alias.as_ref().map_or(&name.value, |alias| &alias.name.value).clone();
                let table = catalog.table(&schema.value, &name.value);
                tables.push(Inner {
                    schema: schema.value.clone(),
                    name: name.value.clone(),
                    exposed,
                    columns: table.and_then(|table| columns_of(table)),
                });
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                inner(catalog, table_with_joins, tables)?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// The names of a table's columns, or a view's.
fn columns_of(table: &Table) -> Option<Vec<String>> {
    if let Some(view) = &table.view {
        return ViewQuery::of(view, &table.name).ok()?.columns();
    }
    let definition = table.definition.as_deref()?;
    Some(definition.columns.iter().map(|column| column.name.clone()).collect())
}

fn two(name: &ObjectName) -> Option<(&Ident, &Ident)> {
    match name.0.as_slice() {
        [schema, table] => Some((schema.as_ident()?, table.as_ident()?)),
        _ => None,
    }
}

struct Subqueries;

impl Visitor for Subqueries {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// A view's text, for pieces of it.
struct Text<'a> {
    parsed: &'a ViewQuery,
    select: &'a Select,
    /// The name of its only table.
    only: Option<&'a str>,
}

impl Text<'_> {
    fn column(&self, item: &SelectItem, span: Span) -> Option<(String, Source)> {
        let SelectItem::ExprWithAlias { expr, alias } = item else { return None };
        let piece = self.piece(span);
        let source = match expr {
            Expr::CompoundIdentifier(parts) => Source::Column { name: parts.last()?.value.clone(), piece },
            _ => Source::Expression(piece),
        };
        Some((alias.value.clone(), source))
    }

    fn piece(&self, span: Span) -> Piece {
        let mut qualifiers = Vec::new();
        let _ = visit_expressions(self.select, |expr| {
            if let (Expr::CompoundIdentifier(parts), Some(only)) = (expr, self.only)
                && let [first, .., table, last] | [first @ table, last] = &**parts
                && table.value == only
            {
                let locator = &self.parsed.parsed.locator;
                let at = Span { start: locator.span(first.span).start, end: locator.span(last.span).start };
                if span.covers(at) {
                    qualifiers.push(Span { start: at.start - span.start, end: at.end - span.start });
                }
            }
            ControlFlow::<()>::Continue(())
        });
        qualifiers.sort_unstable();
        qualifiers.dedup();
        Piece { text: span.text(&self.parsed.text).to_owned(), qualifiers }
    }
}
