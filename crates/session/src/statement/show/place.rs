//! Where a table that a SHOW names can be looked at: its first shard.

use std::sync::Arc;

use serval_catalog::{Catalog, Placement, Schema, Table};
use serval_executor::Names;
use serval_planner::primitive::Target;
use serval_planner::{Bound, PlanTable};
use serval_remote::Backend;
use serval_sql::TableName;
use serval_types::NodeId;

use crate::answer::Answer;
use crate::failure::{Failure, unknown_table};
use crate::literal::identifier;
use crate::session::{Session, is_system_schema, on_node};

/// Tables of Serval's own, which no client sees.
const OWN_TABLES: &str = "serval_";

/// One table on its first shard.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) catalog: Arc<Catalog>,
    pub(super) table: PlanTable,
    pub(super) node: NodeId,
    shard: Option<usize>,
    /// A table of information_schema, which is the same everywhere.
    system: bool,
}

impl Place {
    /// Finds a table.
    pub(super) fn find<B: Backend>(session: &Session<B>, name: &TableName) -> Result<Self, Failure> {
        let catalog = session.catalog();
        let named = name.schema.as_ref().map(|schema| schema.value.as_str());
        let schema_name = session.schema_or_current(named)?;
        let table_name = name.table.value.as_str();
        let missing = || Failure::Told(unknown_table(&schema_name, table_name));
        if is_system_schema(&schema_name) {
            let node = session.home(&catalog)?;
            let table = Arc::new(Table::on_node(table_name, node));
            let table = PlanTable { schema: schema_name, table };
            return Ok(Self { catalog, table, node, shard: None, system: true });
        }
        let schema = catalog.schema(&schema_name).ok_or_else(missing)?;
        if is_hidden(schema, table_name) {
            return Err(missing());
        }
        let table = schema.table_or_default(table_name).ok_or_else(missing)?;
        let (node, shard) = match &table.placement {
            Placement::Node(node) => (*node, None),
            Placement::Global(nodes) => (*nodes.first().ok_or_else(missing)?, None),
            Placement::Sharded(sharding) => (sharding.shards.first().ok_or_else(missing)?.node, Some(0)),
        };
        let table = PlanTable { schema: schema_name.clone(), table };
        Ok(Self { catalog: Arc::clone(&catalog), table, node, shard, system: false })
    }

    /// The table's name on that shard, quoted.
    pub(super) fn quoted(&self) -> String {
        let name = identifier(self.physical());
        if self.system { format!("{}.{name}", identifier(&self.table.schema)) } else { name }
    }

    /// What the table's pieces and their like are called there.
    pub(super) fn names(&self) -> Names<'_> {
        let target = Target::new(self.node, self.shard, Vec::new());
        Names::of(&self.catalog, std::slice::from_ref(&self.table), &target)
    }

    /// The table's name on that shard.
    pub(super) fn physical(&self) -> &str {
        self.table.physical_name(self.shard)
    }

    /// The table's name as the client knows it.
    pub(super) fn logical(&self) -> &str {
        &self.table.table.name
    }

    /// Asks the shard.
    pub(super) async fn ask<B: Backend>(
        &self,
        session: &mut Session<B>,
        sql: String,
    ) -> Result<Answer, Failure> {
        // MySQL reads its dictionary as it reads rows.
        let reads = !session.proxy.flavour().is_mariadb() && !sql.starts_with("SHOW CREATE");
        let target = Target::new(self.node, self.shard, sql.into_bytes());
        let tables: Arc<[PlanTable]> =
            if self.system { Arc::from([]) } else { Arc::from([self.table.clone()]) };
        let bound = Bound { tables, ..on_node(target) };
        // What SET TRANSACTION said is for a statement that reads or writes rows.
        let characteristics = session.next_transaction.clone();
        let answer = session.collect_bound(&bound, &self.catalog).await;
        if !reads && !session.transaction.is_open() {
            session.next_transaction = characteristics;
        }
        answer
    }
}

/// Whether a name is a physical one only: a piece of a sharded table, or a table of Serval's own.
pub(super) fn is_hidden(schema: &Schema, name: &str) -> bool {
    if schema.table(name).is_some() {
        return false;
    }
    let is_piece = |table: &serval_catalog::Table| {
        let sharding = table.sharding();
        sharding.is_some_and(|sharding| {
            sharding.shards.iter().any(|shard| shard.table.eq_ignore_ascii_case(name))
        })
    };
    name.starts_with(OWN_TABLES) || schema.tables.values().any(|table| is_piece(table))
}
