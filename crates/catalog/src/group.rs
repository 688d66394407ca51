//! Groups of servers, and the data nodes on them.

use std::time::Duration;

use serval_types::{GroupId, NodeId};

use crate::{Address, Secret, ServerTls};

/// A replication group: a primary and its replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its index in [`Catalog::groups`](crate::Catalog::groups).
    pub id: GroupId,
    /// Its name in the config.
    pub name: String,
    /// The primary as configured, then its replicas.
    pub servers: Vec<Server>,
    /// The account that Serval uses on all its servers.
    pub user: String,
    /// That account's password.
    pub password: Secret,
    /// How many connections each server is given at most.
    pub max_connections: usize,
    /// A replica further behind than this serves no reads; `None` does not look.
    pub lag_limit: Option<Duration>,
    /// How connections to its servers are encrypted.
    pub tls: ServerTls,
    /// Whether its servers have dependable XA, so that it may join a transaction that has begun on another group.
    pub xa: bool,
}

impl Group {
    /// The primary as configured.
    #[must_use]
    pub fn primary(&self) -> &Server {
        &self.servers[0]
    }
}

/// A server of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name in the console: `g0/primary`, `g0/replica1`.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// What the config makes of it.
    pub role: Role,
    /// Its share of the reads; 0 takes none.
    pub weight: u32,
}

/// What the config makes of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes the writes.
    Primary,
    /// Takes reads.
    Replica,
}

/// A data node: one physical database on one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataNode {
    /// Its index in [`Catalog::nodes`](crate::Catalog::nodes).
    pub id: NodeId,
    /// Its name in the config.
    pub name: String,
    /// Its group.
    pub group: GroupId,
    /// The database's name on the group's servers.
    pub database: String,
}
