//! `[groups]` and `[defaults.group]`.

use std::collections::HashMap;
use std::time::Duration;

use indexmap::IndexMap;
use serval_types::GroupId;

use super::server_tls::{Keys, server_tls};
use super::users::{Resolve, secret};
use super::{Sink, raw, units};
use crate::{Address, Group, Role, Secret, Server};

/// The groups by name, in the order of the config.
pub(crate) fn groups(
    config: &raw::Config,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> IndexMap<String, Group> {
    let mut seen = HashMap::new();
    let defaults = Defaults::read(&config.defaults.group, resolve, sink);
    let mut groups = IndexMap::new();
    for (index, (name, raw)) in config.groups.iter().enumerate() {
        let path = ["groups", name.as_str()];
        let Ok(id) = u16::try_from(index) else {
            sink.error_at_key(&path, "there are more than 65536 groups", "use fewer");
            break;
        };
        let servers = servers(name, raw, &mut seen, sink);
        let addresses: Vec<&Address> = servers.iter().map(|server| &server.address).collect();
        let (own, inherited) = (own_keys(&path, raw), default_keys(&config.defaults.group));
        let tls = server_tls(own, inherited, &addresses, resolve, sink);
        let max_connections = raw.max_connections.map_or(defaults.max_connections, |n| n as usize);
        groups.insert(
            name.clone(),
            Group {
                id: GroupId(id),
                name: name.clone(),
                servers,
                user: user(&path, raw, &defaults, sink),
                password: password(&path, raw, &defaults, resolve, sink),
                max_connections,
                lag_limit: lag_limit(&path, raw.lag_limit.as_deref(), sink).unwrap_or(defaults.lag_limit),
                tls,
                xa: raw.xa.unwrap_or(true),
            },
        );
    }
    groups
}

struct Defaults {
    user: Option<String>,
    /// `Some(None)` where a password is given that cannot be read, which is reported once, there.
    password: Option<Option<Secret>>,
    max_connections: usize,
    lag_limit: Option<Duration>,
}

impl Defaults {
    fn read(raw: &raw::GroupDefaults, resolve: Resolve<'_>, sink: &mut Sink<'_>) -> Self {
        let path = ["defaults", "group"];
        let password = raw.password.as_ref();
        Self {
            user: raw.user.clone(),
            password: password.map(|p| secret(&[&path[..], &["password"]].concat(), p, resolve, sink)),
            max_connections: raw.max_connections.map_or(64, |n| n as usize),
            lag_limit: lag_limit(&path, raw.lag_limit.as_deref(), sink)
                .unwrap_or(Some(Duration::from_secs(10))),
        }
    }
}

fn own_keys<'c>(path: &'c [&'c str], raw: &'c raw::Group) -> Keys<'c> {
    let (ca, cert, key) = (raw.tls_ca.as_deref(), raw.tls_cert.as_deref(), raw.tls_key.as_deref());
    Keys { path, mode: raw.tls, ca, cert, key }
}

fn default_keys(raw: &raw::GroupDefaults) -> Keys<'_> {
    let (ca, cert, key) = (raw.tls_ca.as_deref(), raw.tls_cert.as_deref(), raw.tls_key.as_deref());
    Keys { path: &["defaults", "group"], mode: raw.tls, ca, cert, key }
}

fn servers(
    name: &str,
    raw: &raw::Group,
    seen: &mut HashMap<Address, String>,
    sink: &mut Sink<'_>,
) -> Vec<Server> {
    let path = ["groups", name];
    let mut servers = Vec::new();
    let primary = address(&[&path[..], &["primary"]].concat(), &raw.primary, name, seen, sink);
    servers.extend(primary.map(|address| Server {
        name: format!("{name}/primary"),
        address,
        role: Role::Primary,
        weight: 1,
    }));
    for (index, replica) in raw.replicas.iter().enumerate() {
        let number = index.to_string();
        let mut path = vec!["groups", name, "replicas", &number];
        let (text, weight) = match replica {
            raw::Replica::Address(text) => (text, 1),
            raw::Replica::Weighted(replica) => {
                path.push("address");
                (&replica.address, replica.weight.unwrap_or(1))
            }
        };
        let replica = address(&path, text, name, seen, sink);
        servers.extend(replica.map(|address| Server {
            name: format!("{name}/replica{}", index + 1),
            address,
            role: Role::Replica,
            weight,
        }));
    }
    servers
}

fn address(
    path: &[&str],
    text: &str,
    group: &str,
    seen: &mut HashMap<Address, String>,
    sink: &mut Sink<'_>,
) -> Option<Address> {
    let address: Address = match text.parse() {
        Ok(address) => address,
        Err(error) => {
            sink.error(path, format!("`{text}` is not an address"), error.to_string());
            return None;
        }
    };
    if let Some(other) = seen.insert(address.clone(), group.to_owned()) {
        let message = format!("the server {address} is already in the group `{other}`");
        sink.error(
            path,
            message,
            "give each server once; several databases on one server are several nodes of one group",
        );
    }
    Some(address)
}

fn user(path: &[&str], raw: &raw::Group, defaults: &Defaults, sink: &mut Sink<'_>) -> String {
    let user = raw.user.clone().or_else(|| defaults.user.clone());
    if user.is_none() && !sink.reported_in(path) {
        let fix = "add `user = \"…\"` here or in `[defaults.group]`";
        sink.error(path, format!("the group `{}` has no user to log in with", path[1]), fix);
    }
    user.unwrap_or_default()
}

fn password(
    path: &[&str],
    raw: &raw::Group,
    defaults: &Defaults,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> Secret {
    let own = raw.password.as_ref();
    let own = own.map(|password| secret(&[path, &["password"]].concat(), password, resolve, sink));
    match own.or_else(|| defaults.password.clone()) {
        Some(secret) => secret.unwrap_or_default(),
        None => {
            if !sink.reported_in(path) {
                let fix = "add `password = { env = \"…\" }` here or in `[defaults.group]`";
                sink.error(path, format!("the group `{}` has no password to log in with", path[1]), fix);
            }
            Secret::default()
        }
    }
}

fn lag_limit(path: &[&str], text: Option<&str>, sink: &mut Sink<'_>) -> Option<Option<Duration>> {
    let text = text?;
    match units::duration(text) {
        Ok(limit) => Some(limit),
        Err(fix) => {
            sink.error(&[path, &["lag_limit"]].concat(), format!("`{text}` is not a time"), fix);
            None
        }
    }
}
