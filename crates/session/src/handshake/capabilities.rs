//! What Serval offers clients: only what works.

use serval_wire::capability::Capabilities;

/// The capabilities of the greeting. TLS, compression, LOCAL INFILE, multi-statements and session
/// tracking are not among them.
pub const OFFERED: Capabilities = Capabilities::CLIENT_LONG_PASSWORD
    .with(Capabilities::CLIENT_FOUND_ROWS)
    .with(Capabilities::CLIENT_LONG_FLAG)
    .with(Capabilities::CLIENT_CONNECT_WITH_DB)
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
