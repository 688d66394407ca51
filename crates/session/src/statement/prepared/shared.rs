//! Prepared statements that sessions share: ten thousand clients that prepare one text keep it once, and one node is
//! asked about it once.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::statement::{Manner, Statement};

/// How much all shared statements may take, in bytes. One that was given up here lives on in the sessions that use it.
const BYTES: u64 = 32 * 1024 * 1024;

/// What a statement takes on average, about.
const USUAL_BYTES: u64 = 2048;

/// The statements that were prepared lately, by all that their descriptions depend on.
#[derive(Debug)]
pub(crate) struct Shared {
    statements: Cache<Key, Arc<Statement>, ByBytes>,
}

#[derive(Debug, Clone)]
struct Key {
    statement: Arc<Statement>,
    version: u64,
}

/// What a statement is looked up by.
#[derive(Debug, Clone, Copy)]
struct Lookup<'a> {
    sql: &'a [u8],
    manner: &'a Manner,
    version: u64,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Default for Shared {
    fn default() -> Self {
        let items = usize::try_from(BYTES / USUAL_BYTES).unwrap_or(usize::MAX);
        Self { statements: Cache::with_weighter(items, BYTES, ByBytes) }
    }
}

impl Shared {
    /// The statement, if it was prepared in this manner under this version of the catalog.
    pub(super) fn find(&self, sql: &[u8], manner: &Manner, version: u64) -> Option<Arc<Statement>> {
        self.statements.get(&Lookup { sql, manner, version })
    }

    /// Keeps a statement for others.
    pub(super) fn keep(&self, statement: &Arc<Statement>, version: u64) {
        self.statements.insert(Key { statement: Arc::clone(statement), version }, Arc::clone(statement));
    }
}

impl Weighter<Key, Arc<Statement>> for ByBytes {
    fn weight(&self, _key: &Key, statement: &Arc<Statement>) -> u64 {
        statement.weight() as u64
    }
}

impl Key {
    fn lookup(&self) -> Lookup<'_> {
        Lookup { sql: &self.statement.sql, manner: &self.statement.manner, version: self.version }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lookup().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.lookup().equivalent(other)
    }
}

impl Eq for Key {}

impl Hash for Lookup<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sql.hash(state);
        self.version.hash(state);
    }
}

impl Equivalent<Key> for Lookup<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.sql == &*key.statement.sql && *self.manner == key.statement.manner && self.version == key.version
    }
}
