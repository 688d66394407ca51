//! `[listen]`, `[limits]`, `[users]` and `[admin]`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Names;

/// Where Serval listens.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Listen {
    /// Address for clients, MySQL's protocol. Default "127.0.0.1:3307".
    pub mysql: Option<String>,
    /// Address of the admin console, MySQL's protocol. Without it there is none.
    pub admin: Option<String>,
    /// Address of /metrics, /healthz and /readyz. Without it there is none.
    pub http: Option<String>,
    /// The version that the handshake announces, for example "8.0.36-Serval". Default: the lowest of the servers'.
    pub server_version: Option<String>,
}

/// What Serval allows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Limits {
    /// How many clients at once; one more gets error 1040. Default 10000.
    #[schemars(range(min = 1))]
    pub max_connections: Option<u32>,
    /// A statement that runs longer is killed on its servers, error 3024. "off", the default, lets it run.
    pub query_timeout: Option<String>,
    /// A client that is silent this long is closed. Default "8h".
    pub idle_timeout: Option<String>,
    /// A statement that takes longer goes to the slow log; "off" logs none. Default "1s".
    pub slow_query: Option<String>,
    /// The largest packet that a client may send. Default "64MB".
    pub max_packet: Option<String>,
    /// What one statement may buffer in Serval, error 3170 beyond. Default "64MB".
    pub memory_per_query: Option<String>,
    /// How long a statement waits for a connection to a server, error 1205 then. Default "10s".
    pub acquire_timeout: Option<String>,
    /// How long connecting to a server and logging in may take. Default "3s".
    pub connect_timeout: Option<String>,
    /// How many statement plans are kept. Default 10000.
    #[schemars(range(min = 1))]
    pub plan_cache: Option<u32>,
}

/// An account of Serval's own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct User {
    /// The password: `{ env = "NAME" }`, `{ file = "path" }`, or plain text.
    pub password: Option<Password>,
    /// What a password is checked against, as `serval passwd` prints it; instead of `password`.
    pub verifier: Option<String>,
    /// The schemas that the account may use. Default: all.
    pub schemas: Option<Names>,
    /// The schema of a connection that names none.
    pub default_schema: Option<String>,
}

/// The admin console.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Admin {
    /// Its accounts, by name. Clients' accounts do not log in there.
    pub users: IndexMap<String, AdminUser>,
}

/// An account of the admin console.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct AdminUser {
    /// The password: `{ env = "NAME" }`, `{ file = "path" }`, or plain text.
    pub password: Option<Password>,
    /// What a password is checked against, as `serval passwd` prints it; instead of `password`.
    pub verifier: Option<String>,
}

/// A password, or where it is kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum Password {
    /// The password itself. Everyone who reads the config reads it.
    Plain(String),
    /// Where it is kept.
    Kept(PasswordSource),
}

/// Where a password is kept: one of the two.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PasswordSource {
    /// An environment variable.
    pub env: Option<String>,
    /// A file; relative to the config's folder. Its first line is the password.
    pub file: Option<String>,
}
