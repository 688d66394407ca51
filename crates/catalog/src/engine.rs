//! Servers of other kinds that speak MySQL's protocol, and the tables on them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::{Address, Secret, ServerTls};

/// A server of another kind. It is no [`Group`](crate::Group): Serval reads none of its SQL, so nothing on it takes part
/// in transactions, in routing or in definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Its name in the config.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// The account that Serval logs in with; empty for engines that know none.
    pub user: String,
    /// That account's password.
    pub password: Secret,
    /// The database to log in to, where it has such.
    pub database: Option<String>,
    /// How connections to it are encrypted.
    pub tls: ServerTls,
    /// How many connections it is given at most.
    pub max_connections: usize,
    /// How long a statement may take there.
    pub timeout: Duration,
    /// How many rows one statement may bring from it to be joined.
    pub rows: u64,
    /// How many bytes these may have.
    pub limit: usize,
}

/// A table on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineTable {
    /// Its schema, as the config writes it.
    pub schema: String,
    /// The name that clients use.
    pub name: String,
    /// The name that the engine uses.
    pub physical: String,
    /// Where it is.
    pub engine: Arc<Engine>,
}

/// All engines of a config, and their tables.
#[derive(Debug, Clone, Default)]
pub struct Engines {
    /// By name, in the order of the config.
    pub engines: IndexMap<String, Arc<Engine>>,
    /// By schema and name, both in lower case.
    tables: HashMap<String, IndexMap<String, EngineTable>>,
}

impl Engines {
    /// Engines without tables.
    pub(crate) fn of(engines: IndexMap<String, Arc<Engine>>) -> Self {
        Self { engines, tables: HashMap::new() }
    }

    /// Whether no table is on an engine.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// A table on an engine; names compare without case.
    #[must_use]
    pub fn table(&self, schema: &str, name: &str) -> Option<&EngineTable> {
        self.tables.get(&schema.to_lowercase())?.get(&name.to_lowercase())
    }

    /// All tables on engines.
    pub fn tables(&self) -> impl Iterator<Item = &EngineTable> {
        self.tables.values().flat_map(IndexMap::values)
    }

    /// Adds a table. False where there is one of the name.
    pub(crate) fn add(&mut self, table: EngineTable) -> bool {
        let tables = self.tables.entry(table.schema.to_lowercase()).or_default();
        tables.insert(table.name.to_lowercase(), table).is_none()
    }
}
