//! What a view is to those who write through it: a table, some of its columns, and a condition.

use std::ops::ControlFlow;
use std::sync::Arc;

use serval_catalog::{Catalog, ColumnDef, TableDefinition};
use serval_sql::{Edit, LexOptions, Span, splice};
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, Query, Select, SelectItem, Statement, TableFactor, Visit, Visitor,
    visit_expressions,
};

use super::joined::joined;
use super::order::aggregates;
use super::query::{ViewQuery, quoted};
use super::write::server;
use crate::analysis::TableRef;
use crate::clauses::Clauses;
use crate::error::PlanError;

/// A view whose rows are rows of one table.
pub(super) struct Through {
    schema: String,
    name: String,
    /// What the table's columns are qualified with in the statement.
    pub(super) qualifier: String,
    /// The view's columns, in order, and what they are.
    columns: Vec<(String, Source)>,
    /// WHERE.
    pub(super) condition: Option<String>,
    /// The columns in it.
    deciding: Vec<String>,
    /// WITH CHECK OPTION.
    pub(super) check: bool,
    /// The table's own definition, where it is known.
    definition: Option<Arc<TableDefinition>>,
}

/// What a column of a view is.
pub(super) enum Source {
    /// A column of the table.
    Column(String),
    /// Anything else.
    Expression(String),
}

impl Through {
    /// Reads the view that `verb` is to write through.
    pub(super) fn of(
        catalog: &Catalog,
        found: &TableRef,
        (statement, verb): (&Statement, &str),
    ) -> Result<Self, PlanError> {
        let refused = || no_target(&found.exposed, verb);
        let view = found.table.table.view.as_ref().ok_or_else(refused)?;
        let parsed = ViewQuery::of(view, &found.table.table.name)?;
        let query = parsed.query().ok_or_else(refused)?;
        let select = parsed.select().filter(|select| !view.temporary && is_plain(query, select));
        let select = select.ok_or_else(refused)?;
        let [from] = &*select.from else { return Err(joined(found, select, statement)) };
        let TableFactor::Table { name, args: None, .. } = &from.relation else {
            let joins = matches!(from.relation, TableFactor::NestedJoin { .. }) || !from.joins.is_empty();
            return Err(if joins { joined(found, select, statement) } else { refused() });
        };
        if !from.joins.is_empty() {
            return Err(joined(found, select, statement));
        }
        let idents: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let [schema, table] = &*idents else { return Err(refused()) };
        if has_subqueries(select) {
            return Err(PlanError::refused(format!(
                "{verb} through view {} is not supported, because its query has subqueries; {verb} the table itself",
                found.exposed
            )));
        }
        let clauses = Clauses::find(parsed.text.as_bytes(), LexOptions::default()).ok_or_else(refused)?;
        let qualifier = if found.aliased { &found.exposed } else { &table.value };
        let text = Text { parsed: &parsed, select, qualifier };
        let columns = select.projection.iter().zip(&clauses.items).map(|(item, span)| match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                let source = match column(expr) {
                    Some(name) => Source::Column(name.value.clone()),
                    None => Source::Expression(text.of(*span)),
                };
                Ok((alias.value.clone(), source))
            }
            _ => Err(refused()),
        });
        Ok(Self {
            schema: schema.value.clone(),
            name: table.value.clone(),
            qualifier: qualifier.clone(),
            columns: columns.collect::<Result<_, PlanError>>()?,
            condition: clauses.selection.map(|span| text.of(Span { start: span.start + 5, end: span.end })),
            deciding: select.selection.as_ref().map(columns_of).unwrap_or_default(),
            check: view.check,
            definition: catalog.table(&schema.value, &table.value).and_then(|table| table.definition.clone()),
        })
    }

    /// The table's name in the statement.
    pub(super) fn table(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// What a column of the view is.
    pub(super) fn source(&self, name: &str) -> Option<&Source> {
        let found = self.columns.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, source)| source)
    }

    /// Whether the table has a column of this name, which the view does not show.
    pub(super) fn has_hidden(&self, name: &str) -> bool {
        let shown = self.columns.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        !shown && self.definition.as_ref().is_some_and(|definition| definition.column(name).is_some())
    }

    /// A column that needs a value and that the view does not show.
    pub(super) fn lacking(&self) -> Option<&ColumnDef> {
        let is_shown = |column: &ColumnDef| {
            self.columns.iter().any(
                |(_, source)| matches!(source, Source::Column(own) if own.eq_ignore_ascii_case(&column.name)),
            )
        };
        let needs = |column: &ColumnDef| {
            !column.nullable && column.default.is_none() && !column.auto_increment && !column.generated
        };
        let columns = self.definition.iter().flat_map(|definition| &definition.columns);
        columns.into_iter().find(|column| needs(column) && !is_shown(column))
    }

    /// Whether all columns are called as the table calls them.
    pub(super) fn keeps_names(&self) -> bool {
        self.columns.iter().all(|(name, source)| match source {
            Source::Column(column) => column.eq_ignore_ascii_case(name),
            Source::Expression(_) => false,
        })
    }

    /// Whether the view's condition looks at a column of the table.
    pub(super) fn decides(&self, column: &str) -> bool {
        self.deciding.iter().any(|own| own.eq_ignore_ascii_case(column))
    }

    /// The columns that `listed` names, or all where it names none, with what they are.
    fn named(&self, listed: &[String]) -> Vec<&(String, Source)> {
        let is_named = |name: &str| listed.iter().any(|own| own.eq_ignore_ascii_case(name));
        self.columns.iter().filter(|(name, _)| listed.is_empty() || is_named(name)).collect()
    }

    /// The first of these columns that is none of the table.
    pub(super) fn computed(&self, listed: &[String]) -> Option<&str> {
        let mut named = self.named(listed).into_iter();
        named.find(|(_, source)| matches!(source, Source::Expression(_))).map(|(name, _)| &**name)
    }

    /// The table's columns in the view's order, of those listed.
    ///
    /// # Errors
    /// 1471 where not each of them is one of the table, and once.
    pub(super) fn insertable(&self, exposed: &str, listed: &[String]) -> Result<Vec<&str>, PlanError> {
        let mut all: Vec<&str> = Vec::new();
        for (_, source) in self.named(listed) {
            match source {
                Source::Column(column) if !all.iter().any(|known| known.eq_ignore_ascii_case(column)) => {
                    all.push(column);
                }
                _ => return Err(not_insertable(exposed, "INSERT")),
            }
        }
        Ok(all)
    }
}

/// A view's text with its table's columns as the statement qualifies them.
struct Text<'a> {
    parsed: &'a ViewQuery,
    select: &'a Select,
    qualifier: &'a str,
}

impl Text<'_> {
    fn of(&self, span: Span) -> String {
        let mut edits = Vec::new();
        let _ = visit_expressions(self.select, |expr| {
            if let Expr::CompoundIdentifier(parts) = expr
                && let [first, .., last] = &**parts
            {
                let locator = &self.parsed.parsed.locator;
                let at = Span { start: locator.span(first.span).start, end: locator.span(last.span).start };
                if span.covers(at) {
                    let at = Span { start: at.start - span.start, end: at.end - span.start };
                    edits.push(Edit { at, text: format!("{}.", quoted(self.qualifier)) });
                }
            }
            ControlFlow::<()>::Continue(())
        });
        let text = span.text(&self.parsed.text);
        String::from_utf8_lossy(&splice(text.as_bytes(), &edits)).trim().to_owned()
    }
}

/// Whether a query's rows are rows of its FROM.
pub(super) fn is_plain(query: &Query, select: &Select) -> bool {
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let cut = query.limit_clause.is_some() || query.fetch.is_some() || query.with.is_some();
    let one = select.distinct.is_some() || select.having.is_some() || select.top.is_some();
    !grouped && !cut && !one && !select.projection.iter().any(aggregates)
}

fn has_subqueries(select: &Select) -> bool {
    struct Any;
    impl Visitor for Any {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    select.visit(&mut Any).is_break()
}

/// The column that an expression is.
fn column(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Identifier(name) => Some(name),
        Expr::Nested(inner) => column(inner),
        _ => None,
    }
}

fn columns_of(expr: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    let _ = visit_expressions(expr, |expr| {
        if !matches!(expr, Expr::Nested(_)) {
            found.extend(column(expr).map(|name| name.value.clone()));
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// What servers say of a view that is not one table's rows.
fn no_target(exposed: &str, verb: &str) -> PlanError {
    match verb {
        // ER_NON_INSERTABLE_TABLE.
        "INSERT" | "REPLACE" => not_insertable(exposed, "INSERT"),
        // ER_NON_UPDATABLE_TABLE.
        verb => server(1288, *b"HY000", format!("The target table {exposed} of the {verb} is not updatable")),
    }
}

fn not_insertable(exposed: &str, verb: &str) -> PlanError {
    server(1471, *b"HY000", format!("The target table {exposed} of the {verb} is not insertable-into"))
}
