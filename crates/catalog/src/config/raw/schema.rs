//! `[schemas]`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, TextMatch};

/// What clients see as one database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Schema {
    /// The node of tables that are not named below. Without it there are no others.
    pub default_node: Option<String>,
    /// How transactions over several groups end. Default "atomic".
    pub transaction: Option<Transaction>,
    /// Which servers answer reads outside transactions. Default "primary".
    pub consistency: Option<Consistency>,
    /// Tables, by name. A range in the name (`"sbtest[1-4]"`) makes several.
    pub tables: IndexMap<String, Table>,
}

/// How transactions over several groups end.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Transaction {
    /// All groups commit or none, whatever is lost on the way.
    Atomic,
    /// Groups commit one after another; a failure in between says which did.
    BestEffort,
    /// A statement that needs a second group is refused.
    Single,
}

/// Which servers answer reads outside transactions.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Consistency {
    /// The primary.
    Primary,
    /// Any server within the lag limit, by weight.
    Any,
}

/// Where a table's rows lie: exactly one of `rule`, `parent`, `global`, `node` and `engine`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Table {
    /// Sharded by this rule.
    pub rule: Option<String>,
    /// Each row lies where the row of this table lies whose key it holds in `column`.
    pub parent: Option<String>,
    /// The key of the parent that `column` holds. Default: the parent's sharding column.
    pub parent_column: Option<String>,
    /// A copy of all rows on each of these nodes.
    pub global: Option<Names>,
    /// All rows on this node.
    pub node: Option<String>,
    /// All rows on this engine, whose own SQL statements about it are in.
    pub engine: Option<String>,
    /// The name that the engine uses. Default: the table's own.
    pub table: Option<String>,
    /// The sharding column. Default: the rule's.
    pub column: Option<String>,
    /// The sharding columns, where several decide together. Default: the rule's.
    pub columns: Option<Vec<String>>,
    /// The column of the rule's second function. Default: that function's.
    pub inside_column: Option<String>,
    /// What makes unique keys unique that lack the sharding column.
    pub unique: Option<Unique>,
    /// How the AUTO_INCREMENT column is filled. Default "segment" where a sharded table has such a column.
    pub auto_increment: Option<AutoIncrement>,
    /// How many numbers Serval takes at once for `auto_increment = "segment"`. Default 1000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub sequence_step: Option<u32>,
    /// How text keys are spelt where the column's collation ignores case. Default: the rule's.
    #[serde(rename = "match")]
    pub text_match: Option<TextMatch>,
}

/// What makes unique keys unique that lack the sharding column.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Unique {
    /// They hold the AUTO_INCREMENT column, which Serval's sequence fills.
    Sequence,
    /// A global index table. Not available yet.
    Index,
    /// Nothing: the application answers for it.
    Unchecked,
}

/// How the AUTO_INCREMENT column is filled.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum AutoIncrement {
    /// By Serval, from segments of numbers that it takes from the table `serval_sequence`.
    Segment,
    /// By Serval, with numbers made of the time, the proxy and a counter; for BIGINT columns only.
    Snowflake,
    /// Not by Serval: statements give the values.
    Off,
}
