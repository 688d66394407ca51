//! A catalog without servers.

use std::sync::Arc;

use serval_catalog::{Catalog, SecretSource};
use serval_planner::{Plan, PlanRequest, Planner};
use serval_sql::{LexOptions, scan};

/// Bytes of plans that are kept.
const CACHE_BYTES: u64 = 16 << 20;

/// sysbench's table over four data nodes on two groups.
const CONFIG: &str = r#"
[listen]
mysql = "127.0.0.1:3307"

[users.u]
password = "p"
schemas = ["sharded"]

[defaults.group]
user = "u"
password = "p"

[groups]
g0 = { primary = "127.0.0.1:1" }
g1 = { primary = "127.0.0.1:2" }

[nodes]
"dn[0-1]" = { group = "g0", database = "sharded_[0-1]" }
"dn[2-3]" = { group = "g1", database = "sharded_[2-3]" }

[rules.by_id]
function = "hash"
column = "id"
nodes = "dn[0-3]"

[schemas.sharded]
default_node = "dn0"

[schemas.sharded.tables]
sbtest1 = { rule = "by_id" }
"#;

const TABLES: &str = "CREATE TABLE sbtest1 (id INT NOT NULL PRIMARY KEY, k INT NOT NULL DEFAULT 0, \
                      c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY k_1 (k));";

/// A schema of one sharded table, and who plans its statements.
pub struct Shop {
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// Its cache is the statements' own.
    pub planner: Planner,
}

impl Shop {
    /// With an empty cache.
    ///
    /// # Panics
    /// Where its own config is refused.
    #[must_use]
    pub fn new() -> Self {
        let secret = |_: &SecretSource| Ok(String::new());
        let snapshot = [("sharded.sql".to_owned(), TABLES.to_owned())];
        let loaded = serval_catalog::load(CONFIG, "serval.toml", &secret, &snapshot);
        let (catalog, _) = loaded.unwrap_or_else(|problems| panic!("{problems:#?}"));
        Self { catalog: Arc::new(catalog), planner: Planner::new(CACHE_BYTES) }
    }

    /// The plan of a statement, out of the cache where it is there.
    ///
    /// # Panics
    /// Where the statement is refused.
    #[must_use]
    pub fn plan(&self, sql: &str) -> Arc<Plan> {
        let options = LexOptions::default();
        let scan = scan(sql.as_bytes(), options).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let request = PlanRequest { sql: sql.as_bytes(), scan: &scan, schema: Some("sharded"), options };
        self.planner.plan(&self.catalog, &request).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

impl Default for Shop {
    fn default() -> Self {
        Self::new()
    }
}
