//! Table references: from a name in FROM to a table of the catalog.

use serval_catalog::Catalog;
use serval_sql::{Locator, Span};
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, TableAlias};

use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::reach::Reach;
use crate::system::is_system_schema;

/// One mention of a table.
#[derive(Debug)]
pub(crate) struct TableRef {
    /// Which table.
    pub(crate) table: PlanTable,
    /// The name that columns are qualified with: the alias, or the table's name as written.
    pub(crate) exposed: String,
    /// Whether an alias was given.
    pub(crate) aliased: bool,
    /// The name in the text, schema included.
    pub(crate) name: Span,
    /// Whether a schema was written.
    pub(crate) qualified: bool,
    /// The block that it belongs to; 0 is the outermost.
    pub(crate) block: usize,
    /// On the side of an outer join that is filled up with NULLs.
    pub(crate) nullable: bool,
    /// The shards that the block's predicates leave, where the table is sharded.
    pub(crate) reach: Reach,
    /// Whether its sharding column equals that of the block's first sharded table, so that joined rows share a shard.
    pub(crate) co_located: bool,
    /// It is a subquery's, and of its rows only those on the shard of the row around it count.
    pub(crate) within: bool,
}

/// Where names are looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// The catalog of this statement.
    pub(crate) catalog: &'a Catalog,
    /// The session's current schema.
    pub(crate) schema: Option<&'a str>,
    /// From the parser's places to bytes.
    pub(crate) locator: &'a Locator,
}

impl Names<'_> {
    /// The reference that `name` makes.
    pub(crate) fn resolve(
        &self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        block: usize,
    ) -> Result<TableRef, PlanError> {
        let parts = identifiers(name)?;
        let (schema, table) = match *parts {
            [table] => (None, table),
            [schema, table] => (Some(schema), table),
            _ => return Err(PlanError::refused(format!("A table name has at most two parts: {name}"))),
        };
        let found = self.table(schema.map(|schema| &*schema.value), &table.value)?;
        let span =
            Span { start: self.locator.span(parts[0].span).start, end: self.locator.span(table.span).end };
        Ok(TableRef {
            table: found,
            exposed: alias.map_or(&table.value, |alias| &alias.name.value).clone(),
            aliased: alias.is_some(),
            name: span,
            qualified: schema.is_some(),
            block,
            nullable: false,
            reach: Reach::All,
            co_located: false,
            within: false,
        })
    }

    /// Whether the config names a table of the current schema so.
    pub(super) fn is_configured(&self, table: &str) -> bool {
        let schema = self.schema.and_then(|schema| self.catalog.schema(schema));
        schema.is_some_and(|schema| schema.tables.keys().any(|name| name.eq_ignore_ascii_case(table)))
    }

    /// The table of the catalog with that name.
    pub(crate) fn table(&self, schema: Option<&str>, table: &str) -> Result<PlanTable, PlanError> {
        let schema_name = schema.or(self.schema).ok_or(PlanError::NoSchema)?;
        if is_system_schema(schema_name) && self.catalog.schema(schema_name).is_none() {
            return Err(PlanError::SystemSchema(schema_name.to_owned()));
        }
        let schema = self
            .catalog
            .schema(schema_name)
            .ok_or_else(|| PlanError::UnknownSchema(schema_name.to_owned()))?;
        let found = schema.table_or_default(table).ok_or_else(|| PlanError::UnknownTable {
            schema: schema.name.clone(),
            table: table.to_owned(),
        })?;
        Ok(PlanTable { schema: schema.name.clone(), table: found })
    }
}

fn identifiers(name: &ObjectName) -> Result<Vec<&Ident>, PlanError> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Ok(ident),
            ObjectNamePart::Function(_) => Err(PlanError::refused(format!("{name} cannot name a table"))),
        })
        .collect()
}
