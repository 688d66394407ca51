//! The validated config: one immutable snapshot, shared behind an `Arc` by every statement.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serval_types::{GroupId, NodeId};

use crate::{Address, DataNode, Group, Rule, Schema, Scratch, Settings, Table, User};

/// Everything that a config says, checked and with its names resolved.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Grows with every change, so that plans of an older catalog are not used. [`load`](crate::load) gives 1.
    pub version: u64,
    /// What concerns the proxy itself.
    pub settings: Settings,
    /// The groups, by [`GroupId`].
    pub groups: Vec<Group>,
    /// The data nodes, by [`NodeId`].
    pub nodes: Vec<DataNode>,
    /// Where statements that need rows of several nodes at once are finished; without it they are refused.
    pub scratch: Option<Box<Scratch>>,
    /// The rules by name.
    pub rules: IndexMap<String, Arc<Rule>>,
    /// The schemas by name in lower case.
    pub schemas: IndexMap<String, Schema>,
    /// Clients' accounts by name.
    pub users: HashMap<String, User>,
    /// The admin console's accounts by name.
    pub admin_users: HashMap<String, User>,
}

impl Catalog {
    /// A schema; names compare without case.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.get(name).or_else(|| self.schemas.get(&name.to_lowercase()))
    }

    /// A table that the config names or a snapshot describes; names compare without case.
    #[must_use]
    pub fn table(&self, schema: &str, table: &str) -> Option<&Arc<Table>> {
        self.schema(schema)?.table(table)
    }

    /// A data node of this catalog.
    ///
    /// # Panics
    /// If the id is another catalog's.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &DataNode {
        match &self.scratch {
            Some(scratch) if id == NodeId::SCRATCH => &scratch.node,
            _ => &self.nodes[usize::from(id.0)],
        }
    }

    /// A group of this catalog.
    ///
    /// # Panics
    /// If the id is another catalog's.
    #[must_use]
    pub fn group(&self, id: GroupId) -> &Group {
        match &self.scratch {
            Some(scratch) if id == GroupId::SCRATCH => &scratch.group,
            _ => &self.groups[usize::from(id.0)],
        }
    }

    /// The catalog with the address of the scratch server that Serval starts itself.
    #[must_use]
    pub fn with_scratch_at(mut self, address: Address) -> Self {
        if let Some(server) = self.scratch.as_mut().and_then(|scratch| scratch.group.servers.first_mut()) {
            server.address = address;
        }
        self
    }

    /// A data node by its name in the config.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<&DataNode> {
        self.nodes.iter().find(|node| node.name == name)
    }
}
