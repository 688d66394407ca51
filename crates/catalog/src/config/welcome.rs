//! The keys of `[listen]` that say how clients are greeted.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Sink, raw};
use crate::{AuthPlugin, Compression, Welcome};

pub(super) fn welcome(raw: &raw::Listen, sink: &mut Sink<'_>) -> Welcome {
    let auth_plugin = match raw.auth_plugin {
        None | Some(raw::AuthPlugin::Native) => AuthPlugin::Native,
        Some(raw::AuthPlugin::CachingSha2) => AuthPlugin::CachingSha2,
    };
    let compression = raw.compression.as_ref().map_or_else(Compression::default, |offered| Compression {
        zlib: offered.contains(&raw::Compression::Zlib),
        zstd: offered.contains(&raw::Compression::Zstd),
    });
    let mut proxies = Vec::new();
    for text in raw.proxy_protocol_from.iter().flatten() {
        match network(text) {
            Some(network) => proxies.push(network),
            None => sink.error(
                &["listen", "proxy_protocol_from"],
                format!("`{text}` is not a network"),
                "write addresses like \"10.0.0.0/8\", \"10.1.2.3\" or \"fd00::/8\"",
            ),
        }
    }
    Welcome { auth_plugin, compression, proxies }
}

/// A network, or a single address.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
