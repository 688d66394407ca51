//! What Serval offers clients: only what works.

use serval_catalog::Settings;
use serval_wire::capability::Capabilities;

use crate::flavour::Flavour;

/// What sessions can do and the admin console cannot.
const OF_SESSIONS: Capabilities = Capabilities::CLIENT_MULTI_STATEMENTS
    .with(Capabilities::CLIENT_PS_MULTI_RESULTS)
    .with(Capabilities::CLIENT_SESSION_TRACK);

/// What MySQL can do and MariaDB cannot, so that its clients never ask for it.
const OF_MYSQL: Capabilities =
    Capabilities::CLIENT_QUERY_ATTRIBUTES.with(Capabilities::CLIENT_OPTIONAL_RESULTSET_METADATA);

/// What every proxy can do. TLS and compression come with the config; MariaDB's own capabilities are never offered.
pub const OFFERED: Capabilities = Capabilities::CLIENT_LONG_PASSWORD
    .with(Capabilities::CLIENT_FOUND_ROWS)
    .with(Capabilities::CLIENT_LONG_FLAG)
    .with(Capabilities::CLIENT_CONNECT_WITH_DB)
    .with(Capabilities::CLIENT_LOCAL_FILES)
    .with(Capabilities::CLIENT_IGNORE_SPACE)
    .with(Capabilities::CLIENT_PROTOCOL_41)
    .with(Capabilities::CLIENT_INTERACTIVE)
    .with(Capabilities::CLIENT_TRANSACTIONS)
    .with(Capabilities::CLIENT_SECURE_CONNECTION)
    .with(Capabilities::CLIENT_MULTI_RESULTS)
    .with(Capabilities::CLIENT_PLUGIN_AUTH)
    .with(Capabilities::CLIENT_CONNECT_ATTRS)
    .with(Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .with(Capabilities::CLIENT_DEPRECATE_EOF);

/// The capabilities of the greeting under these settings. TLS is offered where there is a certificate for it.
#[must_use]
pub fn offered(settings: &Settings, flavour: Flavour) -> Capabilities {
    let compression = settings.welcome.compression;
    let mut offered = OFFERED | OF_SESSIONS;
    offered.set(OF_MYSQL, !flavour.is_mariadb());
    offered.set(Capabilities::CLIENT_COMPRESS, compression.zlib);
    offered.set(Capabilities::CLIENT_ZSTD_COMPRESSION_ALGORITHM, compression.zstd);
    offered
}
