//! Columns of the results that stand in the place of queries: what servers would say of them if they had the rows.

use serval_planner::PlanTable;
use serval_planner::primitive::{Announced, GatherSource};

use super::Names;

/// A result that stands in the place of a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) source: &'a GatherSource,
    /// The tables of its query.
    pub(super) tables: &'a [PlanTable],
}

/// What a column of a result is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ResultColumn<'a> {
    pub(crate) schema: &'a str,
    /// No table where it is computed.
    pub(crate) table: String,
    pub(crate) name: String,
}

impl<'a> Names<'a> {
    /// Whether columns may be those of a result.
    pub(crate) fn has_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// What a column of a result is, where this is one.
    pub(crate) fn origin_of_result(&self, table: &[u8], column: &[u8]) -> Option<ResultColumn<'a>> {
        let outcome = self.results.iter().find(|outcome| outcome.source.name.as_bytes() == table)?;
        let result = outcome.source.result.as_ref()?;
        let name = String::from_utf8_lossy(column).into_owned();
        let quoted = format!("`{}`", name.replace('`', "``"));
        let at = outcome.source.names.iter().position(|own| *own == quoted)?;
        let origin = result.origins.get(at).cloned().flatten();
        let Some(Announced { table, column, .. }) = origin.filter(|of| !(self.is_mysql && of.extreme)) else {
            return Some(ResultColumn { schema: "", table: String::new(), name });
        };
        if !self.is_mysql {
            return Some(ResultColumn { schema: "", table, name: column });
        }
        let own = outcome.tables.iter().find(|own| own.table.name == table);
        Some(ResultColumn { schema: own.map_or("", |own| &*own.schema), table, name })
    }
}
