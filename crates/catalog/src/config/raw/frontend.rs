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
    /// Path of a Unix socket for clients. Without it there is none.
    pub socket: Option<String>,
    /// Address of the admin console, MySQL's protocol. Without it there is none.
    pub admin: Option<String>,
    /// Address of /metrics, /healthz and /readyz. Without it there is none.
    pub http: Option<String>,
    /// The version that the handshake announces, for example "8.0.36-Serval". Default: the lowest of the servers'.
    pub server_version: Option<String>,
    /// The authentication plugin that the greeting names. Default "mysql_native_password".
    pub auth_plugin: Option<AuthPlugin>,
    /// What clients may compress with. Default ["zlib", "zstd"]; [] offers none.
    pub compression: Option<Vec<Compression>>,
    /// Networks of peers that must begin with a PROXY protocol header (v1 or v2). Default: none.
    pub proxy_protocol_from: Option<Vec<String>>,
}

/// An authentication plugin of MySQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum AuthPlugin {
    /// Every client but MySQL 9's speaks it.
    #[serde(rename = "mysql_native_password")]
    Native,
    /// MySQL's default since 8.0.
    #[serde(rename = "caching_sha2_password")]
    CachingSha2,
}

/// An algorithm of the compressed protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Compression {
    /// Every client library has it.
    Zlib,
    /// MySQL's clients have it since 8.0.18.
    Zstd,
}

/// Encryption for clients: PEM files, relative to the config's folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Tls {
    /// The file of Serval's certificate, followed by those between it and its authority.
    pub certificate: Option<String>,
    /// The file of the certificate's private key.
    pub key: Option<String>,
    /// The file of the authorities that may have signed clients' certificates. Without it none are asked for.
    pub client_ca: Option<String>,
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
    /// Whether LOAD DATA LOCAL INFILE may ask clients for files. Default true.
    pub local_infile: Option<bool>,
    /// What one LOAD DATA of a table with several copies or shards may write to temporary files. Default "16GB".
    pub load_spool: Option<String>,
    /// What the open cursors of one client may keep in temporary files. Default "1GB".
    pub cursor_spool: Option<String>,
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
    /// Whether the account logs in over TLS or a Unix socket only. Default false.
    pub require_tls: Option<bool>,
    /// Whether the account logs in with a client certificate only. Default false.
    pub require_certificate: Option<bool>,
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
