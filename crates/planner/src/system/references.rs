//! Finding the tables of FROM in a tree.

use std::ops::ControlFlow;

use serval_sql::{Locator, Parsed, Span};
use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableFactor, Visit, Visitor,
};

use super::{SystemQuery, SystemReference, is_system_schema};
use crate::error::PlanError;

/// A walk over a query.
pub(super) struct References<'a> {
    locator: &'a Locator,
    /// The session's current schema.
    current: Option<&'a str>,
    /// Names of the WITH clauses around the current query.
    ctes: Vec<Vec<String>>,
    found: SystemQuery,
    /// Other tables are passed over.
    beside_others: bool,
}

impl References<'_> {
    pub(super) fn of(
        parsed: &Parsed,
        current: Option<&str>,
        beside_others: bool,
    ) -> Result<SystemQuery, PlanError> {
        if !matches!(parsed.ast, Statement::Query(_)) {
            return Err(PlanError::refused(
                "Tables of the servers' own schemas can be read with SELECT and are not for writing, nor for reading in \
                 a statement that writes",
            ));
        }
        let found = SystemQuery::default();
        let mut walk =
            References { locator: &parsed.locator, current, ctes: Vec::new(), found, beside_others };
        if let Statement::Query(query) = &parsed.ast {
            walk.labels(&query.body);
        }
        match parsed.ast.visit(&mut walk) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(walk.found),
        }
    }

    /// The plain columns among what the result shows; of a union those of its first part name it.
    fn labels(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => {
                let names = select.projection.iter().filter_map(|item| match item {
                    SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name),
                    SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last(),
                    _ => None,
                });
                let locator = self.locator;
                self.found.labels.extend(names.map(|name| (locator.span(name.span), name.value.clone())));
            }
            SetExpr::Query(query) => self.labels(&query.body),
            SetExpr::SetOperation { left, .. } => self.labels(left),
            _ => {}
        }
    }

    fn table(&mut self, name: &ObjectName, aliased: bool) -> Result<(), PlanError> {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let (schema, table) = match *parts {
            [table] if self.is_cte(&table.value) => return Ok(()),
            // MySQL's DUAL is no table.
            [table] if table.value.eq_ignore_ascii_case("dual") => return Ok(()),
            [table] => (self.current.ok_or(PlanError::NoSchema)?, table),
            [schema, table] => (&*schema.value, table),
            _ => return Err(PlanError::refused(format!("A table name has at most two parts: {name}"))),
        };
        if !is_system_schema(schema) && self.beside_others {
            return Ok(());
        }
        if !is_system_schema(schema) {
            return Err(PlanError::refused(format!(
                "Table {} and tables of information_schema cannot be read in one statement yet; use two",
                table.value
            )));
        }
        let start = self.locator.span(parts[0].span).start;
        self.found.references.push(SystemReference {
            schema: schema.to_ascii_lowercase(),
            table: table.value.clone(),
            name: Span { start, end: self.locator.span(table.span).end },
            aliased,
        });
        Ok(())
    }

    fn is_cte(&self, name: &str) -> bool {
        self.ctes.iter().flatten().any(|cte| name.eq_ignore_ascii_case(cte))
    }

    /// `information_schema.tables.table_name` loses its schema.
    fn prefix(&mut self, parts: &[Ident], least: usize) {
        let [schema, table, ..] = parts else { return };
        if parts.len() >= least && is_system_schema(&schema.value) {
            let start = self.locator.span(schema.span).start;
            self.found.prefixes.push(Span { start, end: self.locator.span(table.span).start });
        }
    }

    fn wildcards(&mut self, body: &SetExpr) -> Result<(), PlanError> {
        match body {
            SetExpr::Select(select) => {
                for item in &select.projection {
                    if let SelectItem::QualifiedWildcard(
                        SelectItemQualifiedWildcardKind::ObjectName(name),
                        _,
                    ) = item
                    {
                        let parts: Vec<Ident> =
                            name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                        self.prefix(&parts, 2);
                    }
                }
                Ok(())
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.wildcards(left)?;
                self.wildcards(right)
            }
            SetExpr::Table(_) => Err(PlanError::refused("TABLE t is not supported; write SELECT * FROM t")),
            _ => Ok(()),
        }
    }
}

impl Visitor for References<'_> {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<PlanError> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.ctes.push(with.map(|cte| cte.alias.name.value.clone()).collect());
        self.wildcards(&query.body).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<PlanError> {
        self.ctes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<PlanError> {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                self.table(name, alias.is_some()).map_or_else(ControlFlow::Break, ControlFlow::Continue)
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<PlanError> {
        if let Expr::CompoundIdentifier(parts) = expr {
            self.prefix(parts, 3);
        }
        ControlFlow::Continue(())
    }
}
