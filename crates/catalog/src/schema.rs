//! Schemas and tables as clients see them.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serval_types::NodeId;

use crate::{Sharding, TableDefinition, View};

/// What a client sees as one database.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The name as the config writes it.
    pub name: String,
    /// The tables that the config names or a snapshot describes: those that the config names by name in lower case, others by
    /// their names as they are, because to most servers `Foo` and `foo` are two tables.
    pub tables: IndexMap<String, Arc<Table>>,
    /// What is known of names by the config alone.
    pub(crate) names: Arc<Names>,
    /// Where tables lie that the config does not name.
    pub default_node: Option<NodeId>,
    /// How transactions over several groups end.
    pub transaction: TransactionMode,
    /// Which servers answer reads outside transactions.
    pub consistency: Consistency,
}

/// Names of a schema, in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// The tables that the config names.
    pub(crate) named: HashSet<String>,
    /// What pieces of sharded tables are called in the default node's database.
    pub(crate) pieces: HashSet<String>,
    /// The servers take names that differ in case for one table's.
    pub(crate) folded: bool,
}

/// What Serval keeps in the groups' databases.
const OWN_TABLES: [&str; 7] = [
    "serval_group",
    "serval_transaction",
    "serval_wait",
    "serval_definition",
    "serval_sequence",
    "serval_worker",
    "serval_dropped",
];

impl Schema {
    /// A table that the config names or a snapshot describes.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name).or_else(|| self.tables.get(&name.to_lowercase()))
    }

    /// The table, or one on the default node where the config does not name it. Serval's own tables and pieces of sharded ones lie
    /// there too, but are nobody's: as in lists of tables, there are none.
    #[must_use]
    pub fn table_or_default(&self, name: &str) -> Option<Arc<Table>> {
        if OWN_TABLES.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return None;
        }
        if let Some(table) = self.table(name) {
            // Whether both names are one table's is for its server to say.
            let as_written = || Arc::new(Table { name: name.to_owned(), ..Table::clone(table) });
            let is_same = table.name == name || !self.is_unnamed(table);
            return Some(if is_same { Arc::clone(table) } else { as_written() });
        }
        let node = self.default_node.filter(|_| !self.is_piece(name))?;
        Some(Arc::new(Table::on_node(name, node)))
    }

    /// Whether a piece of a sharded table is called so in the default node's database, and no table that clients see.
    #[must_use]
    pub fn is_piece(&self, name: &str) -> bool {
        !self.names.pieces.is_empty()
            && self.table(name).is_none()
            && self.names.pieces.contains(&name.to_lowercase())
    }

    /// Whether a table is there because its server has it, and not because of the config.
    fn is_unnamed(&self, table: &Table) -> bool {
        let on_default = matches!(table.placement, Placement::Node(node) if Some(node) == self.default_node);
        on_default && table.view.is_none() && !self.is_named(&table.name)
    }

    /// Whether a table that a server calls so is known, and not one whose name only differs in case.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.key_of(name).is_some()
    }

    /// Whether a server's table of this name is the table, or its piece that is called `piece`. Those that the config names are
    /// what their servers take them for, in whatever case.
    #[must_use]
    pub fn is_called(&self, table: &Table, piece: &str, name: &str) -> bool {
        piece == name || piece.eq_ignore_ascii_case(name) && self.is_named(&table.name)
    }

    /// Whether the table is the same in whatever case: the config names it, or the servers have it so.
    fn is_named(&self, name: &str) -> bool {
        self.names.folded || self.names.named.contains(&name.to_lowercase())
    }

    /// Under which key a table of this very name is known.
    pub(crate) fn key_of(&self, name: &str) -> Option<String> {
        if self.tables.contains_key(name) {
            return Some(name.to_owned());
        }
        let lower = name.to_lowercase();
        let table = self.tables.get(&lower)?;
        (table.name == name || !self.is_unnamed(table)).then_some(lower)
    }

    /// Puts a table in the place of the one that had its name; a server's own whose name differs in case stays.
    pub(crate) fn hide(&mut self, name: &str, table: Table) {
        let lower = name.to_lowercase();
        let is_taken = |other: &Arc<Table>| other.name != name && self.is_unnamed(other);
        let key = if self.tables.get(&lower).is_some_and(is_taken) { name.to_owned() } else { lower };
        if key != name {
            self.tables.shift_remove(name);
        }
        self.tables.insert(key, Arc::new(table));
    }
}

/// How a transaction over several groups ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionMode {
    /// All groups commit or none, whatever is lost on the way.
    #[default]
    Atomic,
    /// Groups commit one after another; a failure in between says which did.
    BestEffort,
    /// A statement that needs a second group is refused.
    Single,
}

/// Which servers answer reads outside transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// The primary.
    #[default]
    Primary,
    /// Any server within the lag limit.
    Any,
}

/// A table as clients see it.
#[derive(Debug, Clone)]
pub struct Table {
    /// The logical name.
    pub name: String,
    /// Where its rows lie.
    pub placement: Placement,
    /// Its columns and keys, once a snapshot or a server has told them.
    pub definition: Option<Arc<TableDefinition>>,
    /// What the config declares about unique keys that lack the sharding column.
    pub unique: Uniqueness,
    /// What fills its AUTO_INCREMENT column, where there is one and Serval does it.
    pub sequence: Option<Sequence>,
    /// What will fill the column once a definition shows that there is one.
    pub(crate) planned_sequence: Option<PlannedSequence>,
    /// The query whose rows stand for the table's, where it is none of a server's own as it stands.
    pub derived: Option<Arc<str>>,
    /// The rows that stand for the table's, each as the payload of a text row in the order of its columns.
    pub held: Option<Arc<[Vec<u8>]>>,
    /// What a view stands for, where Serval expands it. It then lies where its definition is kept.
    pub view: Option<Arc<View>>,
}

impl Table {
    /// A table on one node.
    #[must_use]
    pub fn on_node(name: &str, node: NodeId) -> Self {
        Self {
            name: name.to_owned(),
            placement: Placement::Node(node),
            definition: None,
            unique: Uniqueness::Enforced,
            sequence: None,
            planned_sequence: None,
            derived: None,
            held: None,
            view: None,
        }
    }

    /// Its sharding, where it is sharded.
    #[must_use]
    pub fn sharding(&self) -> Option<&Arc<Sharding>> {
        match &self.placement {
            Placement::Sharded(sharding) => Some(sharding),
            Placement::Node(_) | Placement::Global(_) => None,
        }
    }
}

/// Where a table's rows lie.
#[derive(Debug, Clone)]
pub enum Placement {
    /// All on one node.
    Node(NodeId),
    /// A copy of all on each node.
    Global(Vec<NodeId>),
    /// Cut by a rule.
    Sharded(Arc<Sharding>),
}

impl Placement {
    /// The nodes that hold rows, in ascending order.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeId> {
        let mut nodes = match self {
            Self::Node(node) => vec![*node],
            Self::Global(nodes) => nodes.clone(),
            Self::Sharded(sharding) => sharding.shards.iter().map(|shard| shard.node).collect(),
        };
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

/// What the config declares about unique keys that lack the sharding column, which no single server can check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Uniqueness {
    /// There is no such key: each includes the sharding column.
    #[default]
    Enforced,
    /// Their values come from Serval's sequence, so they never repeat.
    Sequence,
    /// Nobody checks. The application answers for it.
    Unchecked,
}

/// The sequence that fills an AUTO_INCREMENT column: segments of a row in the table `serval_sequence`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The row's name: `schema.table` in lower case.
    pub name: String,
    /// The column.
    pub column: String,
    /// The node whose database holds `serval_sequence`.
    pub node: NodeId,
    /// How many numbers a proxy takes at once.
    pub step: u32,
    /// Where the numbers come from.
    pub kind: SequenceKind,
}

/// Where a sequence's numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SequenceKind {
    /// A counter in `serval_sequence`, of which proxies take segments.
    #[default]
    Segment,
    /// The time, the number that a proxy has leased in `serval_worker`, and a counter.
    Snowflake,
}

/// A sequence that waits for its column to be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedSequence {
    pub name: String,
    pub node: NodeId,
    pub step: u32,
    pub kind: SequenceKind,
}

impl PlannedSequence {
    pub(crate) fn with_column(&self, column: &str) -> Sequence {
        let (column, kind) = (column.to_owned(), self.kind);
        Sequence { name: self.name.clone(), column, node: self.node, step: self.step, kind }
    }
}
