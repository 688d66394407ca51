//! The validated config: one immutable snapshot, shared behind an `Arc` by every statement.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serval_sql::{LexOptions, ServerKind};
use serval_types::{GroupId, NodeId};

use crate::schema::Names;
use crate::{Address, Clock, DataNode, Engines, Group, Rule, Schema, Scratch, Settings, Table, User};

/// Everything that a config says, checked and with its names resolved.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Grows with every change, so that plans of an older catalog are not used. [`load`](crate::load) gives 1.
    pub version: u64,
    /// The version that placed tables last: with a config, or because windows went on with the clock. Those since have only
    /// learned what the servers have.
    pub placed: u64,
    /// What concerns the proxy itself.
    pub settings: Settings,
    /// The groups in the order of the config; see [`Catalog::group`].
    pub groups: Vec<Group>,
    /// The data nodes, by [`NodeId`].
    pub nodes: Vec<DataNode>,
    /// Where statements that need rows of several nodes at once are finished; without it they are refused.
    pub scratch: Option<Box<Scratch>>,
    /// Servers of other kinds, and their tables.
    pub engines: Engines,
    /// What the servers are, where the two kinds answer a statement differently. Whoever has asked them says it here; until then they
    /// are MariaDB.
    pub servers: ServerKind,
    /// Whether GROUP BY … WITH ROLLUP of no rows has a row for all of them, which differs with versions, too. `None` where no server was
    /// asked: such a statement is not taken apart.
    pub totals_nothing: Option<bool>,
    /// The `sql_mode` that sessions of the servers begin with; `None` where no server was asked.
    pub sql_mode: Option<Arc<str>>,
    /// Other variables that sessions of the servers begin with and that change values, as SQL: the scratch server has its own. Empty where
    /// no server was asked.
    pub defaults: Arc<[(&'static str, String)]>,
    /// The rules by name.
    pub rules: IndexMap<String, Arc<Rule>>,
    /// The time by which windows that go on with the clock have gone on last; a trusted one, if there has been one.
    pub clock: Option<Clock>,
    /// The schemas by name in lower case.
    pub schemas: Schemas,
    /// Clients' accounts by name.
    pub users: HashMap<String, User>,
    /// The admin console's accounts by name.
    pub admin_users: HashMap<String, User>,
    /// The names of the views that Serval expands, in whatever schema.
    pub views: Vec<String>,
}

/// Schemas by name in lower case. Every statement looks for one, and only the config puts any in.
pub type Schemas = IndexMap<String, Schema, foldhash::fast::RandomState>;

impl Catalog {
    /// Says whether the servers take names that differ in case for one table's (`lower_case_table_names` other than 0).
    pub fn fold_names(&mut self, folded: bool) {
        self.schemas.values_mut().for_each(|schema| Arc::make_mut(&mut schema.names).folded = folded);
    }

    /// What [`Catalog::fold_names`] has said last.
    #[must_use]
    pub fn folds_names(&self) -> bool {
        self.schemas.values().any(|schema| schema.names.folded)
    }

    /// How statements of a session are read that has not set `sql_mode`.
    #[must_use]
    pub fn lex_options(&self) -> LexOptions {
        self.sql_mode.as_deref().map(LexOptions::from_sql_mode).unwrap_or_default()
    }

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

    /// Notes the tables that the config names, which are all that there are yet, and their pieces.
    pub(crate) fn note_names(&mut self) {
        for schema in self.schemas.values_mut() {
            let named = schema.tables.keys().cloned().collect();
            schema.names = Arc::new(Names { named, ..Names::default() });
        }
        self.note_pieces();
    }

    /// Notes what pieces of sharded tables are called where schemas have tables that the config does not name.
    pub(crate) fn note_pieces(&mut self) {
        let mut pieces: HashMap<(GroupId, &str), HashSet<String>> = HashMap::new();
        for sharding in self
            .schemas
            .values()
            .flat_map(|schema| schema.tables.values())
            .filter_map(|table| table.sharding())
        {
            for shard in &*sharding.shards {
                let node = self.node(shard.node);
                pieces.entry((node.group, &node.database)).or_default().insert(shard.table.to_lowercase());
            }
        }
        let of = |schema: &Schema| {
            let default = self.node(schema.default_node?);
            pieces.get(&(default.group, &*default.database)).cloned()
        };
        let found: Vec<HashSet<String>> =
            self.schemas.values().map(|schema| of(schema).unwrap_or_default()).collect();
        for (schema, pieces) in self.schemas.values_mut().zip(found) {
            schema.names = Arc::new(Names { pieces, ..Names::clone(&schema.names) });
        }
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
            _ => self.group_with(id).expect("the id is of this catalog"),
        }
    }

    /// The group of this id, where the config still has it. Ids outlive reloads; places in [`Catalog::groups`] do not.
    #[must_use]
    pub fn group_with(&self, id: GroupId) -> Option<&Group> {
        let here = self.groups.get(usize::from(id.0)).filter(|group| group.id == id);
        here.or_else(|| self.groups.iter().find(|group| group.id == id))
    }

    /// A group by its name in the config.
    #[must_use]
    pub fn group_named(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Gives the groups that `old` has, too, their ids from there, and the others ids from `fresh` on, so that a
    /// transaction or a session that began under `old` means the same group by an id. Gives the next fresh id back,
    /// or `None` where all have been given.
    pub fn keep_group_ids(&mut self, old: &Self, fresh: u16) -> Option<u16> {
        let mut next = fresh;
        let mut renamed = HashMap::new();
        for group in &mut self.groups {
            let id = match old.group_named(&group.name) {
                Some(before) => before.id,
                None => {
                    let id = GroupId(next);
                    next = next.checked_add(1).filter(|next| GroupId(*next) != GroupId::SCRATCH)?;
                    id
                }
            };
            renamed.insert(group.id, id);
            group.id = id;
        }
        for node in &mut self.nodes {
            if let Some(id) = renamed.get(&node.group) {
                node.group = *id;
            }
        }
        Some(next)
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
