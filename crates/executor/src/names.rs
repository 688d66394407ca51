//! Physical names back to logical ones: in column definitions and in errors.

mod message;
mod results;

use bytes::Bytes;
use serval_catalog::{Catalog, Placement};
use serval_planner::PlanTable;
use serval_planner::primitive::{GatherSource, Target};
use serval_remote::{Connection, RemoteError};
use serval_types::{MysqlError, NodeId};
use serval_wire::packet::{ColumnDefinition, ColumnFlags};

use crate::error::ExecuteError;
use crate::places::places;
use results::Outcome;

/// What a column definition says of keys.
pub(crate) const KEY_FLAGS: u16 = ColumnFlags::PRI_KEY_FLAG.bits()
    | ColumnFlags::UNIQUE_KEY_FLAG.bits()
    | ColumnFlags::MULTIPLE_KEY_FLAG.bits()
    | ColumnFlags::PART_KEY_FLAG.bits();

/// What the tables of a statement are called on one target, and what the client calls them.
#[derive(Debug)]
pub struct Names<'a> {
    /// Only what differs.
    tables: Vec<TableNames<'a>>,
    /// The results that stand in the place of queries.
    results: Vec<Outcome<'a>>,
    /// Whether MySQL announces the columns of derived tables, which it does otherwise than MariaDB.
    is_mysql: bool,
    /// Where the target is, for errors that name its database without any table of the statement.
    target: Option<(&'a Catalog, NodeId)>,
}

/// A database on a server, and the schema that clients know it as.
#[derive(Debug, Clone, Copy)]
struct Home<'a> {
    database: &'a str,
    schema: &'a str,
}

/// One table's two names.
#[derive(Debug, Clone, Copy)]
struct TableNames<'a> {
    /// The database on the server.
    database: &'a str,
    /// The table on the server.
    physical: &'a str,
    /// The schema that the client sees.
    schema: &'a str,
    /// The table that the client sees.
    logical: &'a str,
}

impl<'a> Names<'a> {
    /// The names of `tables` on `target`.
    #[must_use]
    pub fn of(catalog: &'a Catalog, tables: &'a [PlanTable], target: &Target) -> Self {
        let mut names = Self::none(Some((catalog, target.node)));
        for table in tables {
            match (&table.table.placement, target.shard) {
                (Placement::Node(node), _) => names.add(catalog, table, *node, &table.table.name),
                (Placement::Sharded(sharding), Some(shard)) => {
                    if let Some(shard) = sharding.shards.get(shard) {
                        names.add(catalog, table, shard.node, &shard.table);
                    }
                }
                // The statement names several of the node's shards.
                (Placement::Sharded(sharding), None) => {
                    for shard in sharding.shards.iter().filter(|shard| shard.node == target.node) {
                        names.add(catalog, table, shard.node, &shard.table);
                    }
                }
                (Placement::Global(_), _) => names.add(catalog, table, target.node, &table.table.name),
            }
        }
        names
    }

    /// The names of `tables` where their rows were gathered.
    #[must_use]
    pub(crate) fn gathered(
        catalog: &'a Catalog,
        tables: &'a [PlanTable],
        sources: &'a [GatherSource],
    ) -> Self {
        Self::gathered_in(catalog, tables, sources, &catalog.node(NodeId::SCRATCH).database)
    }

    /// [`Names::gathered`] where that is another database.
    #[must_use]
    pub(crate) fn gathered_in(
        catalog: &'a Catalog,
        tables: &'a [PlanTable],
        sources: &'a [GatherSource],
        database: &'a str,
    ) -> Self {
        let mut names = Self::none(Some((catalog, NodeId::SCRATCH)));
        for source in sources {
            if let Some(result) = &source.result {
                let tables = tables.get(source.tables.clone()).unwrap_or_default();
                names.results.push(Outcome { source, tables });
                let logical = &*result.shown;
                let schema = tables.get(source.tables.start).map_or("", |table| &*table.schema);
                names.tables.push(TableNames { database, physical: &source.name, schema, logical });
            } else if let Some(table) = tables.get(source.tables.start) {
                let (schema, logical) = (&*table.schema, &*table.table.name);
                names.tables.push(TableNames { database, physical: &source.name, schema, logical });
            }
        }
        names
    }

    fn none(target: Option<(&'a Catalog, NodeId)>) -> Self {
        Self { tables: Vec::new(), results: Vec::new(), is_mysql: false, target }
    }

    /// As the server of this connection says them.
    #[must_use]
    pub(crate) fn said_by(self, connection: &impl Connection) -> Self {
        Self { is_mysql: !connection.is_mariadb(), ..self }
    }

    fn add(&mut self, catalog: &'a Catalog, table: &'a PlanTable, node: NodeId, physical: &'a str) {
        let database = &*catalog.node(node).database;
        let (schema, logical) = (&*table.schema, &*table.table.name);
        if database != schema || physical != logical {
            self.tables.push(TableNames { database, physical, schema, logical });
        }
    }

    /// Whether the server calls everything as the client does.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.tables.is_empty()
    }

    /// Puts logical names into a column definition.
    pub fn map_column(&self, column: &mut ColumnDefinition) {
        if let Some(origin) = self.origin_of_result(&column.org_table, &column.org_name) {
            column.schema = Bytes::copy_from_slice(origin.schema.as_bytes());
            (column.org_table, column.org_name) = (Bytes::from(origin.table), Bytes::from(origin.name));
            column.flags &= !KEY_FLAGS;
            return;
        }
        let origin = Origin { schema: &column.schema, table: &column.table, org_table: &column.org_table };
        let mapped = self.map_origin(origin);
        if mapped != origin {
            let owned = |name: &[u8]| Bytes::copy_from_slice(name);
            let names = (owned(mapped.schema), owned(mapped.table), owned(mapped.org_table));
            (column.schema, column.table, column.org_table) = names;
        }
    }

    /// Where a column comes from, in logical names. An alias is the client's own and stays.
    pub(crate) fn map_origin<'n>(&'n self, origin: Origin<'n>) -> Origin<'n> {
        let mut mapped = origin;
        if origin.schema.is_empty() {
            // A column of a derived table that the server has merged into the query: only its origin is named.
            let mut split = self.tables.iter().filter(|names| names.physical != names.logical);
            if let Some(names) = split.find(|names| names.physical.as_bytes() == origin.org_table) {
                mapped.org_table = names.logical.as_bytes();
            }
            return mapped;
        }
        let Some(names) = self.table_of(origin) else { return origin };
        if origin.org_table == names.physical.as_bytes() && names.physical != names.logical {
            mapped.org_table = names.logical.as_bytes();
            if origin.table == origin.org_table {
                mapped.table = mapped.org_table;
            }
        }
        mapped.schema = names.schema.as_bytes();
        mapped
    }

    /// The table a column comes from, or else any other of the same database, for its schema's sake.
    fn table_of(&self, origin: Origin<'_>) -> Option<&TableNames<'a>> {
        let mut same = self.tables.iter().filter(|names| names.database.as_bytes() == origin.schema);
        let any = same.clone().next();
        same.find(|names| names.physical.as_bytes() == origin.org_table).or(any)
    }

    /// A server's error with logical names in its text; number and SQLSTATE stay.
    #[must_use]
    pub fn map_error(&self, error: MysqlError) -> MysqlError {
        let message = self.map_message(error.number, &error.message);
        MysqlError { message, ..error }
    }

    /// A text of a server's, such as a line of EXPLAIN or a definition, with logical names in it.
    #[must_use]
    pub fn map_text(&self, text: &str) -> String {
        self.map_message(0, text)
    }

    fn map_message(&self, number: u16, text: &str) -> String {
        let (home, others) = (self.home(text), self.others(text));
        if self.is_identity() && home.is_none() && others.is_empty() {
            return text.to_owned();
        }
        let tables: Vec<_> = self.tables.iter().copied().chain(others).collect();
        message::map(&tables, home, number, text)
    }

    /// Tables that a text names and the statement does not: a foreign key's other side, what a trigger writes. Only
    /// those that the server knows by another name; of all others the database says enough.
    fn others(&self, text: &str) -> Vec<TableNames<'a>> {
        let Some((catalog, target)) = self.target else { return Vec::new() };
        let here = catalog.node(target);
        let mut others = Vec::new();
        for schema in catalog.schemas.values() {
            for table in schema.tables.values().filter(|table| table.sharding().is_some()) {
                let named = places(table).into_iter().filter(|(node, physical)| {
                    let node = catalog.node(*node);
                    *physical != table.name
                        && (node.group, &*node.database) == (here.group, &*here.database)
                        && text.contains(physical)
                });
                others.extend(named.map(|(_, physical)| TableNames {
                    database: &here.database,
                    physical,
                    schema: &schema.name,
                    logical: &table.name,
                }));
            }
        }
        // A longer name first: one may begin like another.
        others.sort_by_key(|names| std::cmp::Reverse(names.physical.len()));
        others
    }

    /// The target's database, where `message` may name it and it is not called as its schema is.
    fn home(&self, message: &str) -> Option<Home<'a>> {
        let (catalog, node) = self.target?;
        let database = &*catalog.node(node).database;
        if !message.contains(database) {
            return None;
        }
        let mut schemas = catalog.schemas.values().filter(|schema| {
            let mut nodes = schema.tables.values().flat_map(|table| places(table));
            schema.default_node == Some(node) || nodes.any(|(place, _)| place == node)
        });
        let mine = |names: &TableNames<'_>| names.database == database;
        // Where schemas share it, that of the statement's tables, or else any: the server's own name is none of them.
        let schema = match self.tables.iter().find(|names| mine(names)) {
            Some(names) => names.schema,
            None => &*schemas.next()?.name,
        };
        (schema != database).then_some(Home { database, schema })
    }

    /// The error of a connection; one that a server worded has its names mapped.
    pub(crate) fn map_remote(&self, error: RemoteError) -> ExecuteError {
        match error {
            RemoteError::Refused(error) => ExecuteError::Server(self.map_error(error)),
            error => ExecuteError::Remote(error),
        }
    }
}

impl<'a> TableNames<'a> {
    fn home(&self) -> Home<'a> {
        Home { database: self.database, schema: self.schema }
    }
}

/// Where a column definition says that a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    pub(crate) schema: &'a [u8],
    pub(crate) table: &'a [u8],
    pub(crate) org_table: &'a [u8],
}

#[cfg(test)]
mod tests;
