//! What every crate of Serval speaks of: MySQL values, column types, collations, error numbers, and the ids of
//! groups, data nodes and sessions.
//!
//! The crate holds plain data. It does no I/O, knows no SQL and no configuration.
//!
//! ```
//! use serval_types::{ColumnType, Value};
//! assert_eq!(Value::integer("18446744073709551615"), Value::UInt(u64::MAX));
//! assert!(ColumnType::Int { width: serval_types::IntWidth::Big, unsigned: true }.is_integer());
//! ```

mod collation;
mod column_type;
mod error;
mod ids;
mod value;

pub use collation::{Collation, Pad};
pub use column_type::{ColumnType, IntWidth};
pub use error::{ErrorCode, MysqlError};
pub use ids::{GroupId, NodeId, SessionId};
pub use value::Value;
