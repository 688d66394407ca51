//! A proxy over scripted servers, and a client that writes packets by hand.

pub mod client;
pub mod servers;

use std::sync::Arc;

use arc_swap::ArcSwap;
use serval_catalog::Catalog;
use serval_session::Proxy;
use tokio_util::sync::CancellationToken;

pub use servers::{Reply, Servers};

const CONFIG: &str = r#"
[users.app]
password = "secret"
schemas = ["shop", "other"]

[users.empty]
password = ""
schemas = ["shop"]

[users.split]
password = "secret"
schemas = ["split"]

[admin.users.admin]
password = "secret"

[defaults.group]
user = "serval"
password = "secret"
[groups.g0]
primary = "127.0.0.1:3310"
[groups.g1]
primary = "127.0.0.1:3311"

[nodes]
dn0 = { group = "g0", database = "shop_0" }
dn1 = { group = "g1", database = "shop_1" }

[rules.by_id]
function = "mod"
column = "id"
nodes = "dn[0-1]"

[schemas.shop]
default_node = "dn0"
[schemas.shop.tables]
users = { rule = "by_id" }

[schemas.other]
default_node = "dn1"

[schemas.split]
[schemas.split.tables]
users = { rule = "by_id" }

[schemas.forbidden]
default_node = "dn1"
"#;

const DEFINITION: &str = "CREATE TABLE users (id BIGINT NOT NULL, name VARCHAR(20), PRIMARY KEY (id));";

/// The catalog of all tests, with `limits` as the lines of its `[limits]`.
pub fn catalog(limits: &str) -> Catalog {
    let text = format!("[limits]\n{limits}\n{CONFIG}");
    // Where a path of a PEM file is expected, what would stand in the file does.
    let secret = |source: &serval_catalog::SecretSource| match source {
        serval_catalog::SecretSource::Pem(text) => Ok(text.clone()),
        _ => Err("no secrets here".to_owned()),
    };
    let snapshot = [("shop.sql".to_owned(), DEFINITION.to_owned())];
    match serval_catalog::load(&text, "test.toml", &secret, &snapshot) {
        Ok((catalog, _)) => catalog,
        Err(diagnostics) => panic!("{}", diagnostics.iter().map(|d| d.render(&text)).collect::<String>()),
    }
}

/// A proxy over `servers` that clients take for MariaDB.
pub fn proxy(limits: &str, servers: Servers) -> Arc<Proxy<Servers>> {
    proxy_as("10.11.6-MariaDB", limits, servers)
}

/// A proxy over `servers` of some version.
pub fn proxy_as(version: &str, limits: &str, servers: Servers) -> Arc<Proxy<Servers>> {
    let catalog = Arc::new(ArcSwap::from_pointee(catalog(limits)));
    Arc::new(Proxy::new(catalog, Arc::new(servers), version, CancellationToken::new()))
}
