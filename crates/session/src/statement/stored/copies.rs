//! Empty copies of tables, on which a server keeps the definitions of views.

use std::sync::Arc;

use serval_catalog::{Catalog, DataNode};
use serval_executor::definitions::{fetch, without_counter};
use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::{Backend, SessionState};
use serval_types::{MysqlError, NodeId};

use crate::answer::Answer;
use crate::failure::{Failure, refused, unknown_table};
use crate::literal::identifier;
use crate::session::{Session, on_node};

/// ER_NO_SUCH_TABLE.
const NO_SUCH_TABLE: u16 = 1146;

/// ER_VIEW_INVALID.
const VIEW_INVALID: u16 = 1356;

/// How many seconds a copy waits for whoever uses it.
const LOCK_WAIT: &str = "5";

/// Where a schema's views are kept.
pub(super) struct Keeper {
    /// With the place in it.
    pub(super) catalog: Arc<Catalog>,
    pub(super) node: NodeId,
    pub(super) schema: String,
}

impl Keeper {
    /// The place of a schema's views, which need not be there yet; `None` for a schema without a default node.
    pub(super) fn of<B: Backend>(session: &Session<B>, schema: &str) -> Option<Self> {
        let (catalog, node) = session.base_catalog().with_place_of_views(schema)?;
        Some(Self { catalog: Arc::new(catalog), node, schema: schema.to_owned() })
    }

    pub(super) fn place(&self) -> &DataNode {
        self.catalog.node(self.node)
    }

    /// Makes the database.
    pub(super) async fn make<B: Backend>(&self, session: &mut Session<B>) -> Result<(), Failure> {
        let Some(default) = self.catalog.schema(&self.schema).and_then(|schema| schema.default_node) else {
            return Ok(());
        };
        let sql = format!("CREATE DATABASE IF NOT EXISTS {}", identifier(&self.place().database));
        let target = on_node(Target::new(default, None, sql.into_bytes()));
        match session.collect_under(&target, &self.catalog, &silent()).await {
            Err(Failure::Told(error)) if matches!(error.number, 1044 | 1227) => Err(refused(format!(
                "A view over several data nodes is kept in a database beside that of the default node, and Serval's account \
                 may not make it there: grant it ALL ON `{}`.* on the group {}",
                self.place().database,
                self.catalog.group(self.place().group).name
            ))),
            made => made.map(|_| ()),
        }
    }

    /// Makes the copy of a table, unless it is there as the table is.
    ///
    /// # Errors
    /// 1146 where there is no such table.
    pub(super) async fn copy<B: Backend>(
        &self,
        session: &mut Session<B>,
        table: &PlanTable,
    ) -> Result<(), Failure> {
        let name = &table.table.name;
        let fetched = fetch(&*session.proxy.backend, &self.catalog, &table.schema, Some(name)).await;
        if let Some((_, error)) = fetched.failed.into_iter().next() {
            return Err(error.to_mysql().into());
        }
        if !fetched.views.is_empty() {
            return Ok(());
        }
        if !fetched.absent.is_empty() {
            return Err(unknown_table(&table.schema, name).into());
        }
        let text = match fetched.definitions.into_iter().next() {
            Some((_, text)) => without_foreign_keys(&text),
            None => self.of_view(table)?,
        };
        let quoted = identifier(name);
        match self.ask(session, &format!("SHOW CREATE TABLE {quoted}")).await {
            Ok(known) if known.text(0, 1).is_some_and(|known| same(&known, &text)) => return Ok(()),
            Ok(_) => {
                self.forget(session, name).await?;
            }
            Err(Failure::Told(error)) if error.number == NO_SUCH_TABLE => {}
            Err(error) => return Err(error),
        }
        self.ask(session, &text).await.map(|_| ())
    }

    /// Drops the copy of a table or of the default node's own view that was called so, and is no more. A view that is kept
    /// stays, as DROP TABLE does.
    pub(super) async fn forget<B: Backend>(
        &self,
        session: &mut Session<B>,
        name: &str,
    ) -> Result<(), Failure> {
        self.ask(session, &format!("DROP TABLE IF EXISTS {}", identifier(name))).await.map(|_| ())
    }

    /// What stands for a view that lies on one node.
    fn of_view(&self, table: &PlanTable) -> Result<String, Failure> {
        let here = |node: &&NodeId| self.catalog.node(**node).group == self.place().group;
        let nodes = table.table.placement.nodes();
        let node = nodes.iter().find(here).ok_or_else(|| {
            refused(format!(
                "View {} lies on another group than the schema's default node; name its tables instead",
                table.table.name
            ))
        })?;
        let (database, name) =
            (identifier(&self.catalog.node(*node).database), identifier(&table.table.name));
        Ok(format!("CREATE TABLE {name} SELECT * FROM {database}.{name} WHERE FALSE"))
    }

    /// Asks the server that keeps the views, in a mode that takes any definition of a table, and apart from the session's
    /// transaction.
    pub(super) async fn ask<B: Backend>(
        &self,
        session: &mut Session<B>,
        sql: &str,
    ) -> Result<Answer, Failure> {
        let state = silent()
            .with("sql_mode", "''")
            .with("foreign_key_checks", "0")
            .with("lock_wait_timeout", LOCK_WAIT);
        session.ask_apart(&self.catalog, self.node, sql, &state).await
    }
}

/// The state of statements whose notes nobody is to be told of.
fn silent() -> SessionState {
    SessionState::default().with("sql_notes", "0")
}

/// Whether two definitions are of the same table, whatever its counter.
fn same(one: &str, two: &str) -> bool {
    without_counter(one) == without_counter(two)
}

/// A definition without its foreign keys: the tables that they refer to are elsewhere.
fn without_foreign_keys(text: &str) -> String {
    let Some((columns, options)) = text.rsplit_once("\n)") else { return text.to_owned() };
    let is_foreign = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("CONSTRAINT") && line.contains(" FOREIGN KEY ") || line.starts_with("FOREIGN KEY ")
    };
    let lines: Vec<&str> = columns.split('\n').filter(|line| !is_foreign(line)).collect();
    let columns = lines.join("\n");
    format!("{}\n){options}", columns.trim_end_matches(','))
}

/// Brings the copy of a table up to date after a definition, where a view names it.
pub(in crate::statement) async fn renew<B: Backend>(session: &mut Session<B>, schema: &str, name: &str) {
    let catalog = session.base_catalog();
    let Some(schema) = catalog.schema(schema) else { return };
    let named = identifier(name);
    let names = |view: &serval_catalog::View| view.query.to_lowercase().contains(&named.to_lowercase());
    let views = || schema.views().filter_map(|table| table.view.as_deref());
    // Under LOCK TABLES the session itself may be in the way; who meets a copy that is out of date mends it.
    if schema.view(name).is_some() || !views().any(names) || session.locked.is_some() {
        return;
    }
    let Some(keeper) = Keeper::of(session, &schema.name) else { return };
    let Some(table) = schema.table_or_default(name) else { return };
    let table = PlanTable { schema: schema.name.clone(), table };
    let renewed = match keeper.copy(session, &table).await {
        Err(Failure::Told(error)) if error.number == NO_SUCH_TABLE => {
            keeper.forget(session, &table.table.name).await
        }
        renewed => renewed,
    };
    if let Err(Failure::Told(error)) = renewed {
        tracing::warn!(schema = schema.name, table = name, %error, "views show this table as it was before");
    }
}

/// What a server says of the first of these views that is broken, because its tables are no more what they were.
pub(in crate::statement) async fn what_is_broken<B: Backend>(
    session: &mut Session<B>,
    views: &[(String, String)],
) -> Option<MysqlError> {
    for (schema, name) in views {
        let catalog = session.base_catalog();
        let keeper = Keeper::of(session, schema)?;
        let found = catalog.schema(schema)?;
        let view = found.view(name)?;
        for table in tables_of(view) {
            renew(session, schema, &table).await;
        }
        let sql = format!("SELECT 1 FROM {} LIMIT 0", identifier(name));
        if let Err(Failure::Told(error)) = keeper.ask(session, &sql).await
            && error.number == VIEW_INVALID
        {
            let message = error
                .message
                .replace(&format!("'{}.", keeper.place().database), &format!("'{}.", found.name));
            return Some(MysqlError { message, ..error });
        }
    }
    None
}

/// Names that a view's query says behind a dot: its tables are among them.
fn tables_of(view: &serval_catalog::View) -> Vec<String> {
    let text = view.query.as_bytes();
    let tokens = serval_sql::tokens(text, serval_sql::LexOptions::default()).unwrap_or_default();
    let mut names: Vec<String> = tokens
        .windows(2)
        .filter(|pair| pair[0].is_symbol(b'.'))
        .map(|pair| {
            let name = serval_sql::identifier_value(pair[1].span.of(text));
            String::from_utf8_lossy(&name).into_owned()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_no_foreign_keys() {
        let text = "CREATE TABLE `o` (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  CONSTRAINT `a` FOREIGN KEY (`id`) \
                    REFERENCES `u` (`id`)\n) ENGINE=InnoDB";
        let copy = "CREATE TABLE `o` (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB";
        assert_eq!(without_foreign_keys(text), copy);
        assert_eq!(without_foreign_keys(copy), copy);
    }
}
