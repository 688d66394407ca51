//! `[scratch]`.

use serval_types::{GroupId, NodeId};

use super::users::{Resolve, secret};
use super::{Sink, raw, units};
use crate::{Address, DataNode, Group, Role, Scratch, ScratchHost, Secret, Server, ServerTls, Total};

/// What is written where Serval shall start the server itself.
const MANAGED: &str = "managed";
const DATABASE: &str = "serval_scratch";
const CONNECTIONS: usize = 16;
const LIMIT: usize = 256 << 20;
const TOTAL: usize = 2 << 30;

pub(crate) fn scratch(
    config: &raw::Config,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> Option<Box<Scratch>> {
    let raw = config.scratch.as_ref()?;
    let (host, address) = host(raw, sink)?;
    let (user, password) = account(raw, host, resolve, sink);
    let server = Server { name: "scratch".to_owned(), address, role: Role::Primary, weight: 1 };
    let group = Group {
        id: GroupId::SCRATCH,
        name: "scratch".to_owned(),
        servers: vec![server],
        user,
        password,
        max_connections: raw.max_connections.map_or(CONNECTIONS, |n| n as usize),
        lag_limit: None,
        tls: ServerTls::default(),
        xa: false,
    };
    let database = raw.database.clone().unwrap_or_else(|| DATABASE.to_owned());
    let node =
        DataNode { id: NodeId::SCRATCH, name: "scratch".to_owned(), group: GroupId::SCRATCH, database };
    let limit = size("limit", raw.limit.as_deref(), LIMIT, sink);
    let total = Total::new(size("total", raw.total.as_deref(), TOTAL, sink));
    Some(Box::new(Scratch { host, group, node, limit, total }))
}

fn host(raw: &raw::Scratch, sink: &mut Sink<'_>) -> Option<(ScratchHost, Address)> {
    if raw.server == MANAGED {
        // Whoever starts it knows where.
        return Some((ScratchHost::Managed, Address::Unix(std::path::PathBuf::from("/nonexistent"))));
    }
    match raw.server.parse() {
        Ok(address) => Some((ScratchHost::Named, address)),
        Err(_) => {
            let fix = "write \"managed\", \"host:port\", or the path of a Unix socket";
            sink.error(&["scratch", "server"], format!("`{}` is not an address", raw.server), fix);
            None
        }
    }
}

fn account(
    raw: &raw::Scratch,
    host: ScratchHost,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> (String, Secret) {
    match (host, &raw.user, &raw.password) {
        (ScratchHost::Managed, None, None) => ("root".to_owned(), Secret::default()),
        (ScratchHost::Managed, ..) => {
            let fix = "leave them out, or name a server";
            sink.error(&["scratch"], "a managed scratch server has an account of its own", fix);
            (String::new(), Secret::default())
        }
        (ScratchHost::Named, Some(user), Some(password)) => {
            let password = secret(&["scratch", "password"], password, resolve, sink);
            (user.clone(), password.unwrap_or_default())
        }
        (ScratchHost::Named, ..) => {
            let fix = "add `user = \"…\"` and `password = { env = \"…\" }`";
            sink.error(&["scratch"], "the scratch server has no account to log in with", fix);
            (String::new(), Secret::default())
        }
    }
}

fn size(key: &str, text: Option<&str>, default: usize, sink: &mut Sink<'_>) -> usize {
    let Some(text) = text else { return default };
    units::size(text).unwrap_or_else(|fix| {
        sink.error(&["scratch", key], format!("`{text}` is not a size"), fix);
        default
    })
}
