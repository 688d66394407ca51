//! From a statement and a catalog to a plan: a tree of primitives with the SQL of each node.
//!
//! A statement passes four steps. It is looked up in the cache by its key, in which literals are holes. On a miss it is
//! parsed, its tables and predicates are analysed, and named rewrites place its operators under or
//! above a route; that is a [`Plan`], which serves every statement of the same key. [`Plan::bind`] then fills in the
//! values: they decide the shards, and the tree of [primitives](primitive) in a [`Bound`] plan is ready to run.
//!
//! The crate does no I/O and never prints a syntax tree: what nodes get is the client's own text with edits.
//! What it cannot prove to be right over several shards it refuses, with what to do instead.
//!
//! ```
//! use std::sync::Arc;
//! use serval_planner::{BindRequest, ClientText, PlanRequest, Planner, explain};
//! use serval_sql::{LexOptions, scan};
//!
//! let config = r#"
//!     [groups.g0]
//!     primary = "127.0.0.1:3310"
//!     user = "serval"
//!     password = "secret"
//!     [nodes]
//!     "dn[0-1]" = { group = "g0", database = "shop_[0-1]" }
//!     [rules.by_id]
//!     function = "mod"
//!     column = "id"
//!     nodes = "dn[0-1]"
//!     [schemas.shop.tables]
//!     users = { rule = "by_id" }
//! "#;
//! let definition = "CREATE TABLE users (id BIGINT NOT NULL, PRIMARY KEY (id))".to_owned();
//! let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
//! let snapshot = [("shop.sql".to_owned(), definition)];
//! let (catalog, _) = serval_catalog::load(config, "serval.toml", &secret, &snapshot).unwrap();
//! let catalog = Arc::new(catalog);
//!
//! let sql = b"SELECT * FROM users WHERE id = 7";
//! let options = LexOptions::default();
//! let scan = scan(sql, options).unwrap();
//! let request = PlanRequest { sql, scan: &scan, schema: Some("shop"), options };
//! let plan = Planner::new(1 << 20).plan(&catalog, &request).unwrap();
//! let text = ClientText::Utf8mb4;
//! let values = BindRequest { text, ..BindRequest::of(sql, &scan) };
//! let bound = plan.bind(&values).unwrap();
//! assert_eq!(explain(&bound, &catalog)[1], "└─ dn1: SELECT * FROM users WHERE id = 7");
//! ```

mod analysis;
mod anchor;
mod bound;
mod cache;
mod clauses;
mod clock;
mod destination;
mod error;
mod explain;
mod fold;
mod gather;
mod hint;
mod operand;
mod physical;
mod plan;
mod planner;
pub mod primitive;
mod reach;
mod rewrite;
mod statement;
mod system;
mod variables;
mod view;

pub use bound::{Bound, Note, PlanTable};
pub use cache::Example;
pub use clock::is_named as names_clock;
pub use error::PlanError;
pub use explain::{Part, What, explain, explain_with};
pub use operand::ClientText;
pub use plan::{BindRequest, Led, Plan, Sample, SequenceDemand};
pub use planner::{PlanRequest, Planner};
pub use statement::copies::{NOT_DETERMINISTIC, unequal_default};
pub use statement::ddl::{plan_create_select, plan_ddl};
pub use statement::insert::untied_children;
pub use statement::lock_tables::{Locks, plan_lock_tables};
pub use statement::temporary::{plan_create_temporary, plan_drop_temporary, temporary_home};
pub use system::{SystemQuery, SystemReference, is_system_schema, system_plan, system_query, system_tables};
pub use variables::UserVariables;
pub use view::{Expanded, Mentioned, expand_views, view_tables};
