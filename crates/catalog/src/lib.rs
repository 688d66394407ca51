//! What Serval knows of the world behind it: groups of servers, data nodes, schemas, tables, the rules that place
//! their rows, and the accounts that clients use. TOML text goes in; a validated [`Catalog`] comes out, or every
//! mistake at once with file, line and mending.
//!
//! The crate does no I/O: callers read files, environment variables and servers, and hand the text over. It plans
//! no statements; it only answers which shards a value or a range can reach ([`Sharding`]).
//!
//! ```
//! let config = r#"
//!     [groups.g0]
//!     primary = "127.0.0.1:3306"
//!     user = "serval"
//!     password = { env = "SERVAL_PASSWORD" }
//!     [nodes]
//!     "dn[0-3]" = { group = "g0", database = "shop_[0-3]" }
//!     [rules.by_id]
//!     function = "hash"
//!     column = "id"
//!     nodes = "dn[0-3]"
//!     [schemas.shop]
//!     default_node = "dn0"
//!     [schemas.shop.tables]
//!     users = { rule = "by_id" }
//!     [users.app]
//!     password = { env = "APP_PASSWORD" }
//! "#;
//! let definition = "CREATE TABLE users (id BIGINT NOT NULL, PRIMARY KEY (id))".to_owned();
//! let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
//! let (catalog, _) =
//!     serval_catalog::load(config, "serval.toml", &secret, &[("shop.sql".to_owned(), definition)]).unwrap();
//! let sharding = catalog.table("shop", "users").unwrap().sharding().unwrap();
//! let one = sharding.shard_for_stored(&serval_types::Value::Int(7)).unwrap();
//! assert_eq!(sharding.shards_for_equal(&serval_types::Value::Text(b"7".to_vec())).single(), Some(one));
//! ```

mod address;
mod catalog;
mod config;
mod convert;
mod definitions;
mod diagnostic;
mod diff;
mod engine;
mod function;
mod group;
mod json_schema;
mod key;
mod load;
mod moment;
mod overlay;
mod rule;
mod schema;
mod scratch;
mod secret;
mod settings;
mod shard_set;
mod sharding;
mod snapshot;
mod tls;
mod unroutable;
mod user;
mod verifier;
mod view;
mod zone;

pub use address::{Address, AddressError};
pub use catalog::{Catalog, Schemas};
pub use definitions::{check_alteration, check_family, check_foreign_keys, check_unique};
pub use diagnostic::{Diagnostic, Severity};
pub use diff::diff;
pub use engine::{Engine, EngineTable, Engines};
pub use function::{Clock, Expired, Piece, Place, Rolling, ShardFunction};
pub use group::{DataNode, Group, Role, Server};
pub use json_schema::json_schema;
pub use key::{CanonicalBytes, Key};
pub use load::load;
pub use moment::{CalendarUnit, Moment};
pub use overlay::{DescribedTable, TemporaryTable};
pub use rule::{Inside, Parts, Rule, TextMatch};
pub use schema::{
    Consistency, Placement, Schema, Sequence, SequenceKind, Table, TransactionMode, Uniqueness,
};
pub use scratch::{Scratch, ScratchHost, Total};
pub use secret::{Secret, SecretSource};
pub use serval_sql::create_table::{
    Alteration, ColumnDef, ForeignKey, ReferentialAction, TableDefinition, UniqueKey,
};
pub use settings::{AuthPlugin, ClientTls, Compression, Listen, Recovery, Settings, Versions, Welcome};
pub use shard_set::{Iter, ShardIndex, ShardSet};
pub use sharding::{Child, Guide, ParentKey, Shard, Sharding, ShardingColumn};
pub use tls::{Pem, ServerTls, TlsIdentity, TlsMode};
pub use unroutable::Unroutable;
pub use user::{SchemaAccess, Secure, User};
pub use verifier::{Crypted, Verifier, VerifierError};
pub use view::View;
pub use zone::Zone;
