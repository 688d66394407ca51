//! `[defaults]`, `[groups]`, `[nodes]` and `[rules]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, Password};
use crate::function::Function;

/// What is the same for all groups.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Defaults {
    /// What groups take that do not say otherwise.
    pub group: GroupDefaults,
}

/// What groups take that do not say otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct GroupDefaults {
    /// The account that Serval uses on the servers.
    pub user: Option<String>,
    /// That account's password: `{ env = "NAME" }`, `{ file = "path" }`, or plain text.
    pub password: Option<Password>,
    /// How many connections each server is given at most. Default 64.
    #[schemars(range(min = 1))]
    pub max_connections: Option<u32>,
    /// A replica further behind than this serves no reads; "off" does not look. Default "10s".
    pub lag_limit: Option<String>,
    /// How connections to the servers are encrypted, in the words of MySQL's --ssl-mode. Default "off".
    pub tls: Option<TlsMode>,
    /// A PEM file of the authorities that sign the servers' certificates; relative to the config's folder.
    pub tls_ca: Option<String>,
    /// A PEM file of the certificate that Serval shows to the servers.
    pub tls_cert: Option<String>,
    /// A PEM file of that certificate's key.
    pub tls_key: Option<String>,
}

/// A replication group: a primary and its replicas.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Group {
    /// The primary's address: "host:port", or the path of a Unix socket.
    pub primary: String,
    /// The replicas: addresses, or `{ address = "host:port", weight = 2 }`.
    #[serde(default)]
    pub replicas: Vec<Replica>,
    /// The account that Serval uses on the servers.
    #[serde(default)]
    pub user: Option<String>,
    /// That account's password: `{ env = "NAME" }`, `{ file = "path" }`, or plain text.
    #[serde(default)]
    pub password: Option<Password>,
    /// How many connections each server is given at most. Default 64.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_connections: Option<u32>,
    /// A replica further behind than this serves no reads; "off" does not look. Default "10s".
    #[serde(default)]
    pub lag_limit: Option<String>,
    /// How connections to the servers are encrypted, in the words of MySQL's --ssl-mode. Default "off".
    #[serde(default)]
    pub tls: Option<TlsMode>,
    /// A PEM file of the authorities that sign the servers' certificates; relative to the config's folder.
    #[serde(default)]
    pub tls_ca: Option<String>,
    /// A PEM file of the certificate that Serval shows to the servers.
    #[serde(default)]
    pub tls_cert: Option<String>,
    /// A PEM file of that certificate's key.
    #[serde(default)]
    pub tls_key: Option<String>,
    /// Whether the servers have dependable XA. Without (Galera, TiDB, Doris, ClickHouse) a transaction may begin on the
    /// group, but not come to it from another. Default true.
    #[serde(default)]
    pub xa: Option<bool>,
}

/// How connections to servers are encrypted.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum TlsMode {
    /// Never.
    Off,
    /// Where the server offers it.
    Preferred,
    /// Always, whoever the server is.
    Required,
    /// Always, with servers whose certificate an authority in `tls_ca` has signed.
    VerifyCa,
    /// As "verify_ca", and the certificate is of the host in the server's address.
    VerifyIdentity,
}

/// A replica.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Replica {
    /// Its address.
    Address(String),
    /// Its address and weight.
    Weighted(WeightedReplica),
}

/// A replica with its share of the reads.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct WeightedReplica {
    /// "host:port", or the path of a Unix socket.
    pub address: String,
    /// Its share of the group's reads beside the other replicas'; 0 takes none. Default 1.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    pub weight: Option<u32>,
}

/// A data node: one physical database on one group.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Node {
    /// The group's name. A range in it counts in step with the node's own.
    pub group: String,
    /// The database's name on the group's servers. A range in it counts in step with the node's own.
    pub database: String,
}

/// How a table's rows are placed: a shard function, its nodes and its options.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Rule {
    /// The shard function, with its own options.
    #[serde(flatten)]
    pub function: Function,
    /// The nodes, in the order in which the function counts them.
    pub nodes: Names,
    /// The sharding column of tables that name none.
    #[serde(default)]
    pub column: Option<String>,
    /// Instead of `column`: several columns that decide together. Rows lie together where all of them are equal. For
    /// the functions `hash` and `consistent`.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// How text keys are spelt where the column's collation ignores case. Default "raw".
    #[serde(default, rename = "match")]
    pub text_match: Option<TextMatch>,
    /// The time zone that TIMESTAMP columns route in, for example "+00:00" or "Europe/Berlin".
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The names of several tables on each node, for example `"{table}_{yyyymm}"` for the calendar's functions and
    /// `"{table}_{nnnn}"` for numbered tables. Without it each node has one table of the table's own name.
    #[serde(default)]
    pub tables: Option<String>,
    /// How many numbered tables each node has, for example `4`, or `[4, 2]` in the order of `nodes`.
    #[serde(default)]
    pub tables_per_node: Option<Counts>,
    /// The node, one of `nodes`, that takes NULL and whatever else the function has no shard for. Without it such rows
    /// are refused.
    #[serde(default)]
    pub default: Option<String>,
    /// A second function, of a column of its own, which divides each shard of the first: into tables on its node, or
    /// over several nodes.
    #[serde(default)]
    pub inside: Option<Inside>,
}

/// The second function of a rule, which divides each shard of the first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Inside {
    /// The shard function, with its own options.
    #[serde(flatten)]
    pub function: Function,
    /// The column of tables that name none.
    #[serde(default)]
    pub column: Option<String>,
    /// The names of the tables that each node has, for example `"{table}_{yyyymm}"`.
    #[serde(default)]
    pub tables: Option<String>,
    /// How many numbered tables each node has; not for the functions of the calendar.
    #[serde(default)]
    pub tables_per_node: Option<u32>,
    /// Instead of tables: the rule's nodes are taken by so many neighbours at a time. The first function counts these
    /// groups, this one chooses a node in the group.
    #[serde(default)]
    pub nodes_per_group: Option<u32>,
    /// How text keys are spelt where the column's collation ignores case. Default "raw".
    #[serde(default, rename = "match")]
    pub text_match: Option<TextMatch>,
    /// The time zone that TIMESTAMP columns route in.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Whether NULL, and what the function has no table for, go to a table of the table's own name. Otherwise such rows
    /// are refused.
    #[serde(default)]
    pub default: Option<bool>,
}

/// One number for all nodes, or one for each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Counts {
    /// For all.
    Same(u32),
    /// For each.
    Each(Vec<u32>),
}

/// How text keys are spelt where the column's collation ignores case.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum TextMatch {
    /// Rows lie where their exact spelling puts them; equality on a `_ci` column reaches every shard.
    Raw,
    /// Keys are printable ASCII and fold to lower case before they route; equality reaches one shard.
    AsciiFold,
}
