//! One file per kind of statement: from its tree to a [`Plan`](crate::plan::Plan).

mod copies;
pub(crate) mod ddl;
pub(crate) mod insert;
mod insert_text;
pub(crate) mod routed;
pub(crate) mod select;
pub(crate) mod update;

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{LexOptions, Parsed, Scan, TokenKind, VersionComments, tokens};
use serval_types::NodeId;
use sqlparser::ast::Statement;

use crate::analysis::Analysis;
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::plan::Plan;

/// A statement that is being planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planning<'a> {
    /// The catalog of this statement.
    pub(crate) catalog: &'a Arc<Catalog>,
    /// The session's current schema.
    pub(crate) schema: Option<&'a str>,
    /// The text, which nodes get.
    pub(crate) sql: &'a [u8],
    /// The same, byte for byte, as the parser reads it: see [`crate::planner`].
    pub(crate) readable: &'a str,
    /// Its scan.
    pub(crate) scan: &'a Scan,
    /// How its literals are written.
    pub(crate) options: LexOptions,
    /// Its tree.
    pub(crate) parsed: &'a Parsed,
}

impl Planning<'_> {
    /// The plan of the statement.
    pub(crate) fn plan(self) -> Result<Plan, PlanError> {
        if self.parsed.version_comments == VersionComments::Conditional {
            return Err(PlanError::refused(
                "A statement with version comments that only some servers read cannot be routed; write it without them",
            ));
        }
        if !matches!(self.parsed.ast, Statement::Query(_)) {
            self.refuse_variables()?;
        }
        match &self.parsed.ast {
            Statement::Query(query) => select::plan(self, query),
            Statement::Insert(insert) => insert::plan(self, insert),
            Statement::Update(update) => update::plan_update(self, update),
            Statement::Delete(delete) => update::plan_delete(self, delete),
            _ => Err(PlanError::refused("This statement is not supported")),
        }
    }

    /// A variable that a write assigns would stay on the server that ran it, and count by itself on each.
    fn refuse_variables(self) -> Result<(), PlanError> {
        let tokens = tokens(self.sql, self.options).unwrap_or_default();
        let assigns = tokens.windows(2).any(|pair| {
            pair[0].kind == TokenKind::UserVariable
                && pair[1].kind == TokenKind::Operator
                && pair[1].span.of(self.sql) == b":="
        });
        if assigns {
            return Err(PlanError::refused(
                "Assigning user variables inside of a write is not supported; compute the values first",
            ));
        }
        Ok(())
    }

    /// The tables of the statement, with what its predicates leave of each.
    pub(crate) fn analyse(self) -> Result<Analysis, PlanError> {
        Analysis::of(&self.parsed.ast, self.catalog, self.schema, &self.parsed.locator, self.scan)
    }

    /// The node for statements without tables: the default node of the current schema, or the first node.
    pub(crate) fn home(self) -> NodeId {
        let schema = self.schema.and_then(|schema| self.catalog.schema(schema));
        schema.and_then(|schema| schema.default_node).unwrap_or(NodeId(0))
    }
}

/// The tables of a statement as a plan keeps them.
pub(crate) fn plan_tables(analysis: &Analysis) -> Arc<[PlanTable]> {
    analysis.refs.iter().map(|found| found.table.clone()).collect()
}
