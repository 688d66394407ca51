//! The configuration of the tests' proxy: four data nodes on two groups, and a table of each kind.

use std::fmt::Write as _;

use serval_testkit::{Cluster, ServalPorts};

/// Name and password of the client user.
pub const APP: (&str, &str) = ("app", "app-secret");
/// Name and password of the console's user.
pub const ADMIN: (&str, &str) = ("admin", "admin-secret");

/// The limits that tests change.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `max_connections`.
    pub max_connections: usize,
    /// `query_timeout`, such as `"30s"`.
    pub query_timeout: &'static str,
    /// `idle_timeout`.
    pub idle_timeout: &'static str,
    /// `max_packet`.
    pub max_packet: &'static str,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_connections: 500, query_timeout: "30s", idle_timeout: "8h", max_packet: "64MB" }
    }
}

/// A configuration of which tests change parts.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The logical schema; the physical databases are this with `_0` to `_3`.
    pub schema: String,
    /// `primary` or `any`.
    pub consistency: &'static str,
    /// `atomic`, `best_effort` or `single`.
    pub transaction: &'static str,
    /// The `[limits]` table.
    pub limits: Limits,
    /// The address of a server for gathering, where the proxy has one.
    pub scratch: Option<String>,
    /// Where `orders` lies.
    pub orders: &'static str,
    /// Text put after everything else.
    pub more: String,
    /// More lines of the `[listen]` table.
    pub listen: String,
    /// Where the proxy finds the groups' primaries, if not where they listen.
    pub primaries: Vec<String>,
}

impl Topology {
    /// The usual topology with this logical schema.
    #[must_use]
    pub fn new(schema: &str) -> Topology {
        Topology {
            schema: schema.to_owned(),
            consistency: "primary",
            transaction: "atomic",
            limits: Limits::default(),
            scratch: None,
            orders: r#"{ rule = "by_user", auto_increment = "segment", unique = "sequence" }"#,
            more: String::new(),
            listen: String::new(),
            primaries: Vec::new(),
        }
    }

    /// The configuration file.
    #[must_use]
    pub fn toml(&self, cluster: &Cluster, ports: &ServalPorts) -> String {
        let Topology { schema, consistency, transaction, limits, scratch, orders, more, listen, primaries } =
            self;
        let Limits { max_connections, query_timeout, idle_timeout, max_packet } = limits;
        let mut text = ports.listen_table() + listen;
        let _ = write!(
            text,
            r#"
[limits]
max_connections = {max_connections}
query_timeout = "{query_timeout}"
idle_timeout = "{idle_timeout}"
max_packet = "{max_packet}"

[users.{}]
password = "{}"
schemas = ["{schema}"]

[admin.users.{}]
password = "{}"

[defaults.group]
user = "{}"
password = "{}"
max_connections = 32
{}
[nodes]
"dn[0-1]" = {{ group = "g0", database = "{schema}_[0-1]" }}
"dn[2-3]" = {{ group = "g1", database = "{schema}_[2-3]" }}
{RULES}
[schemas.{schema}]
default_node = "dn0"
transaction = "{transaction}"
consistency = "{consistency}"
[schemas.{schema}.tables]
orders      = {orders}
{TABLES}
{more}
"#,
            APP.0,
            APP.1,
            ADMIN.0,
            ADMIN.1,
            cluster.backend_user(),
            cluster.backend_password(),
            groups(cluster, primaries),
        );
        if let Some(server) = scratch {
            let (user, password) = (cluster.backend_user(), cluster.backend_password());
            let _ = writeln!(
                text,
                "[scratch]\nserver = \"{server}\"\nuser = \"{user}\"\npassword = \"{password}\""
            );
        }
        text
    }
}

/// The primaries and replicas as they listen, or where else the primaries are said to be.
fn groups(cluster: &Cluster, primaries: &[String]) -> String {
    let mut text = String::new();
    for (index, group) in cluster.groups().iter().enumerate() {
        let replicas: Vec<String> =
            group.replicas().iter().map(|replica| format!("\"{}\"", replica.address())).collect();
        let primary = primaries.get(index).cloned().unwrap_or_else(|| group.primary().address());
        let _ = write!(
            text,
            "\n[groups.g{index}]\nprimary = \"{primary}\"\nreplicas = [{}]\n",
            replicas.join(", ")
        );
    }
    text
}

const RULES: &str = r#"
[rules.by_user]
function = "hash"
column = "user_id"
nodes = "dn[0-3]"

[rules.by_id]
function = "hash"
column = "id"
nodes = "dn[0-3]"

[rules.by_code]
function = "hash"
column = "code"
nodes = "dn[0-3]"

[rules.by_number]
function = "mod"
column = "id"
nodes = "dn[0-3]"

[rules.by_ring]
function = "consistent"
column = "id"
nodes = "dn[0-3]"

[rules.by_month]
function = "month"
column = "created_at"
nodes = "dn[0-3]"
from = "2026-01"
to = "2026-12"
tables = "{table}_{yyyymm}"

[rules.by_pair]
function = "hash"
columns = ["tenant_id", "user_id"]
nodes = "dn[0-3]"

[rules.by_user_and_month]
function = "hash"
column = "user_id"
nodes = "dn[0-3]"
inside = { function = "month", column = "created_at", from = "2026-01", to = "2026-06", tables = "{table}_{yyyymm}" }

[rules.by_tenant_then_user]
function = "mod"
column = "tenant_id"
nodes = "dn[0-3]"
inside = { function = "mod", column = "user_id", nodes_per_group = 2 }
"#;

/// `t1` to `t9` and `c1` to `c4` are for whatever a test wants to make; what is not named here lies on dn0.
const TABLES: &str = r#"users       = { rule = "by_user", column = "id", auto_increment = "segment" }
order_items = { rule = "by_user", unique = "unchecked" }
products    = { rule = "by_number" }
stock       = { rule = "by_ring" }
events      = { rule = "by_month", unique = "unchecked" }
regions     = { global = "dn[0-3]" }
audit       = { node = "dn3" }
"t[1-9]"    = { rule = "by_id" }
"c[1-4]"    = { rule = "by_code" }
"n[1-2]"    = { rule = "by_number" }
folded      = { rule = "by_code", match = "ascii_fold" }
spelt       = { rule = "by_code", unique = "unchecked" }
"pair[1-3]" = { rule = "by_pair", unique = "sequence" }
"visit[1-2]" = { rule = "by_user_and_month", unique = "sequence" }
"grid[1-2]" = { rule = "by_tenant_then_user" }
parcels = { parent = "orders", column = "order_id", parent_column = "id", unique = "unchecked" }
scans = { parent = "parcels", column = "parcel_id", parent_column = "id", unique = "unchecked" }
labels = { parent = "parcels", column = "parcel_code", parent_column = "code", unique = "unchecked" }
"sbtest[1-4]" = { rule = "by_id", auto_increment = "segment" }"#;
