//! The walk over a statement that finds its tables.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serval_catalog::Catalog;
use serval_sql::{Locator, Scan, Span};
use sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, Visit,
    Visitor,
};

use super::across::{Around, Nested};
use super::alternatives::Alternatives;
use super::columns::Scope;
use super::early::{Early, Equal};
use super::tables::{Names, TableRef};
use super::with::With;
use super::within::{Asked, Root, asked, asked_of_value, is_within};
use crate::error::PlanError;

/// The tables of a statement, with the shards that its predicates leave of each.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// Every mention of a table, in the order of the text within each block.
    pub(crate) refs: Vec<TableRef>,
    /// The outermost block also has derived tables, whose columns are not known.
    pub(crate) opaque: bool,
    /// Blocks in all; more than one where there are subqueries, derived tables or set operations.
    pub(crate) blocks: usize,
    /// Places where a column is written with its schema (`shop.users.id`): the schema and its dot.
    pub(crate) schema_prefixes: Vec<Span>,
    /// Places where a column is written with its table, and which reference's name that is.
    pub(crate) table_prefixes: Vec<(Span, String)>,
    /// Each TABLE of `TABLE t`: servers get `SELECT * FROM t`, which takes an alias.
    pub(crate) table_words: Vec<Span>,
    /// The references that DELETE from several tables deletes from.
    pub(crate) deleted: Vec<usize>,
    /// Predicates of one reference alone, which may be applied to its rows before anything else.
    pub(crate) early: Vec<Early>,
    /// What follows from an OR for the rows of one reference.
    pub(crate) alternatives: Vec<Alternatives>,
    /// Columns whose rows count only where they equal another reference's.
    pub(crate) equal: Vec<Equal>,
    /// Such columns of a subquery and of what is around it.
    pub(crate) across: Vec<Equal>,
    /// Terms that ask a subquery about the rows of one reference.
    pub(crate) nested: Vec<Nested>,
}

impl Analysis {
    /// Reads a statement.
    ///
    /// # Errors
    /// Unknown schemas and tables, and forms of FROM that are refused.
    pub(crate) fn of(
        statement: &Statement,
        catalog: &Catalog,
        schema: Option<&str>,
        locator: &Locator,
        scan: &Scan,
    ) -> Result<Self, PlanError> {
        let names = Names { catalog, schema, locator };
        let (ctes, filled) = (Vec::new(), HashSet::new());
        let (asked, root, opaque, analysis) = (Vec::new(), None, false, Self::empty());
        let (around, derived) = (Vec::new(), Vec::new());
        let mut collector =
            Collector { names, scan, ctes, filled, asked, root, opaque, around, derived, analysis };
        match statement {
            Statement::Update(update) => collector.update(update)?,
            Statement::Delete(delete) => collector.delete(delete)?,
            Statement::Insert(insert) => {
                if let sqlparser::ast::TableObject::TableName(name) = &insert.table {
                    collector.target(name)?;
                }
                collector.insert(insert);
            }
            _ => {}
        }
        match statement.visit(&mut collector) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(collector.analysis),
        }
    }

    fn empty() -> Self {
        Self {
            refs: Vec::new(),
            opaque: false,
            blocks: 0,
            schema_prefixes: Vec::new(),
            table_prefixes: Vec::new(),
            table_words: Vec::new(),
            early: Vec::new(),
            alternatives: Vec::new(),
            equal: Vec::new(),
            across: Vec::new(),
            nested: Vec::new(),
            deleted: Vec::new(),
        }
    }

    /// How columns of the outermost block are looked up.
    pub(crate) fn root_scope(&self) -> Scope<'_> {
        let end = self.refs.iter().position(|found| found.block != 0).unwrap_or(self.refs.len());
        Scope { refs: &self.refs[..end], first: 0, opaque: self.opaque }
    }
}

/// The walk, and what it has found so far.
pub(super) struct Collector<'a> {
    pub(super) names: Names<'a>,
    pub(super) scan: &'a Scan,
    /// The WITH clauses around the current query, whose names are not tables.
    pub(super) ctes: Vec<With>,
    /// The references that an outer join read so far fills up with NULLs.
    pub(super) filled: HashSet<usize>,
    /// The subqueries of the outermost WHERE.
    asked: Vec<Asked>,
    pub(super) root: Option<Root>,
    /// Whether the last block had derived tables.
    pub(super) opaque: bool,
    /// The SELECTs around the current query whose columns it may name; none for those whose subqueries are not read.
    around: Vec<Option<Around>>,
    /// The queries of derived tables, which do not see the tables beside them.
    pub(super) derived: Vec<*const Query>,
    pub(super) analysis: Analysis,
}

impl Visitor for Collector<'_> {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<PlanError> {
        let with = With::of(query);
        // Servers differ in what a name means before its own place.
        let configured = |name: &&String| self.names.is_configured(name);
        if with.recursive
            && let Some(name) = with.names.iter().find(configured)
        {
            return ControlFlow::Break(PlanError::refused(format!(
                "WITH RECURSIVE {name} has the name of a table, and which of the two a subquery means depends on its \
                 place; rename it"
            )));
        }
        let apart = self.ctes.last().is_some_and(|around| around.has(query))
            || self.derived.iter().any(|known| std::ptr::eq(*known, query));
        if let Some(around) = self.ctes.last_mut() {
            around.enter(query);
        }
        self.ctes.push(with);
        let first = self.analysis.refs.len();
        if let Err(error) = self.body(&query.body) {
            return ControlFlow::Break(error);
        }
        self.within(query, first);
        if !apart {
            self.across(query, first);
        }
        let refs = first..self.analysis.refs.len();
        self.around.push(match &*query.body {
            SetExpr::Select(select) => Some(Around::of(select, refs, self.opaque)),
            _ => None,
        });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<PlanError> {
        self.around.pop();
        self.ctes.pop();
        if let Some(around) = self.ctes.last_mut() {
            around.leave(query);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<PlanError> {
        if let Expr::CompoundIdentifier(parts) = expr {
            self.prefixes(parts);
        }
        ControlFlow::Continue(())
    }
}

impl Collector<'_> {
    /// The SELECTs of one query, but not of the queries nested in it: those are visited by themselves.
    fn body(&mut self, body: &SetExpr) -> Result<(), PlanError> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            SetExpr::Table(_) => Err(PlanError::refused("TABLE t is not supported; write SELECT * FROM t")),
            _ => Ok(()),
        }
    }

    fn select(&mut self, select: &Select) -> Result<(), PlanError> {
        for item in &select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
            {
                let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                self.wildcard_prefixes(&parts);
            }
        }
        if self.analysis.blocks == 0 {
            self.asks(select.selection.as_ref());
        }
        self.block(&select.from, select.selection.as_ref())
    }

    /// Notes the subqueries of the outermost WHERE.
    pub(super) fn asks(&mut self, selection: Option<&Expr>) {
        self.asked = selection.map(asked).unwrap_or_default();
    }

    /// Notes those of the values that rows are given.
    pub(super) fn asks_for_values<'q>(&mut self, values: impl Iterator<Item = &'q Expr>) {
        self.asked.extend(values.flat_map(asked_of_value));
    }

    /// Notes what a subquery and the SELECT around it say of each other.
    fn across(&mut self, query: &Query, first: usize) {
        let Some(Some(around)) = self.around.last() else { return };
        let found = around.across(query, &self.analysis.refs, first, self.opaque);
        self.analysis.across.extend(found.equal);
        self.analysis.nested.extend(found.nested);
    }

    /// Notes of a subquery that its rows lie where those around it do, if they do.
    fn within(&mut self, query: &Query, first: usize) {
        let (Some(root), false) = (&self.root, self.opaque) else { return };
        let Some(asked) = self.asked.iter().find(|asked| std::ptr::eq(asked.query, query)) else { return };
        if is_within(asked, query, &self.analysis.refs, first, root) {
            self.analysis.refs[first..].iter_mut().for_each(|found| found.within = true);
        }
    }
}
