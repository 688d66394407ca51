//! The config as it is written: field by field what a DBA may say, with the descriptions that editors show.

mod backend;
mod engine;
mod frontend;
mod recovery;
mod schema;
mod scratch;
mod versions;

pub(crate) use backend::{Counts, Defaults, Group, GroupDefaults, Node, Replica, Rule, TextMatch, TlsMode};
pub(crate) use engine::Engine;
pub(crate) use frontend::{Admin, AuthPlugin, Compression, Limits, Listen, Password, Tls, User};
use indexmap::IndexMap;
pub(crate) use recovery::Recovery;
pub(crate) use schema::{AutoIncrement, Consistency, Schema, Table, Transaction, Unique};
use schemars::JsonSchema;
pub(crate) use scratch::Scratch;
use serde::Deserialize;
pub(crate) use versions::Versions;

/// The configuration of Serval.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "Serval configuration", deny_unknown_fields)]
pub(crate) struct Config {
    /// Where Serval listens.
    pub listen: Listen,
    /// Encryption for clients. Without it Serval offers none.
    pub tls: Option<Tls>,
    /// What Serval allows.
    pub limits: Limits,
    /// How transactions that were interrupted are finished.
    pub recovery: Recovery,
    /// The history of the config, which `rollback @@config` goes back in. Without it there is none.
    pub versions: Option<Versions>,
    /// Where statements that need rows of several nodes at once are finished. Without it they are refused.
    pub scratch: Option<Scratch>,
    /// The accounts that clients log in with, by name.
    pub users: IndexMap<String, User>,
    /// The admin console.
    pub admin: Admin,
    /// What is the same for all groups.
    pub defaults: Defaults,
    /// Groups of servers, by name: a primary and its replicas each.
    pub groups: IndexMap<String, Group>,
    /// Data nodes, by name: one physical database on one group each. A range in the name (`"dn[0-3]"`) makes several.
    pub nodes: IndexMap<String, Node>,
    /// Servers of other kinds that speak MySQL's protocol, by name.
    pub engines: IndexMap<String, Engine>,
    /// Rules, by name: how a table's rows are placed. Tables of one rule are co-located.
    pub rules: IndexMap<String, Rule>,
    /// Schemas, by name: what clients see as databases.
    pub schemas: IndexMap<String, Schema>,
}

/// Names: one text, in which commas and ranges like `dn[0-3]` may stand, or a list of such texts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Names {
    /// One text.
    Text(String),
    /// A list.
    List(Vec<String>),
}
