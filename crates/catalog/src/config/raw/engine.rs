//! `[engines]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Password, TlsMode};

/// A server of another kind that speaks MySQL's protocol: Sphinx, Manticore, TiDB, Doris, StarRocks, ClickHouse.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Engine {
    /// Its address: "host:port", or the path of a Unix socket.
    pub address: String,
    /// The account that Serval uses there. Default: none, for engines that know no accounts.
    #[serde(default)]
    pub user: Option<String>,
    /// That account's password: `{ env = "NAME" }`, `{ file = "path" }`, or plain text.
    #[serde(default)]
    pub password: Option<Password>,
    /// The database to log in to, for engines that have such.
    #[serde(default)]
    pub database: Option<String>,
    /// How many connections it is given at most. Default 16.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_connections: Option<u32>,
    /// How long a statement may take there, error 3024 beyond. Default "30s".
    #[serde(default)]
    pub timeout: Option<String>,
    /// How many rows one statement may bring from it to be joined with others, error 3170 beyond. Default 100000.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rows: Option<u32>,
    /// How many bytes such rows may have, error 3170 beyond. Default "32MB".
    #[serde(default)]
    pub limit: Option<String>,
    /// How connections to it are encrypted, in the words of MySQL's --ssl-mode. Default "off".
    #[serde(default)]
    pub tls: Option<TlsMode>,
    /// A PEM file of the authorities that sign its certificate; relative to the config's folder.
    #[serde(default)]
    pub tls_ca: Option<String>,
}
