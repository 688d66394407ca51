//! `[scratch]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Password;

/// The server on which statements that need rows of several nodes at once are finished.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Scratch {
    /// "managed": Serval starts a private server beside itself. Or the address of one: "host:port", or the path of a
    /// Unix socket.
    pub server: String,
    /// The account that Serval uses there. Not for a managed one.
    #[serde(default)]
    pub user: Option<String>,
    /// That account's password: `{ env = "NAME" }`, `{ file = "path" }`, or plain text. Not for a managed one.
    #[serde(default)]
    pub password: Option<Password>,
    /// The database in which temporary tables are made. Default "serval_scratch".
    #[serde(default)]
    pub database: Option<String>,
    /// How many connections it is given at most. Default 16.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_connections: Option<u32>,
    /// How many bytes of rows one statement may bring there, error 3170 beyond. Default "256MB".
    #[serde(default)]
    pub limit: Option<String>,
    /// How many bytes all statements of the proxy may have there at one moment, error 3170 beyond. Default "2GB".
    #[serde(default)]
    pub total: Option<String>,
}
