//! The views that Serval expands, as the server that keeps their definitions says them.

use std::collections::HashMap;

use serval_catalog::{Schema, View};
use serval_remote::Backend;

use super::{Fetch, NO_SUCH_TABLE};
use crate::error::ExecuteError;
use crate::places::quoted;

impl<B: Backend> Fetch<'_, B> {
    /// Reads one view of a schema, or all. They lie beside the default node's database.
    pub(super) async fn views(&mut self, schema: &Schema, name: Option<&str>) {
        let Some(default) = schema.default_node else { return };
        let node = self.catalog.node(default);
        if self.down.contains(&node.group) {
            return;
        }
        let database = View::database_beside(&node.database);
        let named = name.map(|name| format!(" AND TABLE_NAME = {}", literal(name))).unwrap_or_default();
        let sql = format!(
            "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {}{named}",
            literal(&database)
        );
        let rows = match self.ask(node, &sql).await {
            Ok(rows) => rows,
            Err(error) => {
                self.found.failed.push((name.unwrap_or(&node.name).to_owned(), error));
                return;
            }
        };
        let name_given = name.is_some();
        self.found.all_views = !name_given;
        for name in rows.into_iter().filter_map(|row| row.into_iter().next().flatten()) {
            let name = String::from_utf8_lossy(&name).into_owned();
            let sql = format!("SHOW CREATE VIEW {}.{}", quoted(&database), quoted(&name));
            match self.ask(node, &sql).await {
                Ok(rows) => {
                    let text = rows.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten());
                    let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
                    self.found.views.extend(text.map(|text| (name, text)));
                }
                // It was dropped in the meantime.
                Err(ExecuteError::Server(error)) if error.number == NO_SUCH_TABLE => {}
                Err(error) => {
                    self.found.all_views = false;
                    self.found.failed.push((name, error));
                }
            }
        }
        if name_given {
            self.tables_of_views(schema).await;
        }
    }

    /// Reads the definitions of tables that the views name, where they are not known: this proxy may not have met them.
    async fn tables_of_views(&mut self, schema: &Schema) {
        let unknown =
            schema.tables.values().filter(|table| table.definition.is_none() && table.view.is_none());
        for table in unknown {
            let named = format!(".{}", quoted(&table.name));
            if self.found.views.iter().any(|(_, text)| text.contains(&named)) {
                self.table(table, &HashMap::new()).await;
            }
        }
    }
}

/// A string literal that no sql_mode reads otherwise.
fn literal(text: &str) -> String {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("CONVERT(x'{digits}' USING utf8mb4)")
}
