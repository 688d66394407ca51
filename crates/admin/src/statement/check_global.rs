//! `check @@global [where schema = ? [and table = ?]]`.

use serval_catalog::{Catalog, Placement};
use serval_remote::Backend;
use serval_session::{Answer, Proxy, copies};

use super::scope::Tables;

/// The copies of global tables, and which of them differ from most others.
pub(super) async fn run<B: Backend>(proxy: &Proxy<B>, tables: &Tables) -> Answer {
    let mut answer = Answer::of_text(&["SCHEMA", "TABLE", "NODE", "ROWS", "CHECKSUM", "STATE", "DIFFERENT"]);
    let catalog = proxy.catalog.load_full();
    for (schema, table) in global(&catalog, tables) {
        match copies::check(&*proxy.backend, &catalog, &schema, &table).await {
            Ok(found) => {
                for copy in found {
                    let state = match (&copy.error, copy.different.len()) {
                        (Some(error), _) => format!("not compared: {error}"),
                        (None, 0) => "ok".to_owned(),
                        (None, 1) => "differs in 1 chunk".to_owned(),
                        (None, number) => format!("differs in {number} chunks"),
                    };
                    let different = copy.different.join("; ");
                    let (schema, table) = (schema.clone(), table.clone());
                    let rows = copy.rows.to_string();
                    answer.push([schema, table, copy.node, rows, copy.checksum, state, different]);
                }
            }
            Err(why) => {
                let none = String::new;
                let state = format!("not compared: {why}");
                answer.push([schema, table, none(), none(), none(), state, none()]);
            }
        }
    }
    answer
}

/// The global tables that are meant.
fn global(catalog: &Catalog, tables: &Tables) -> Vec<(String, String)> {
    let all = catalog
        .schemas
        .values()
        .flat_map(|schema| schema.tables.values().map(|table| (schema.name.clone(), table)));
    all.filter(|(schema, table)| {
        matches!(table.placement, Placement::Global(_)) && tables.has(schema, &table.name)
    })
    .map(|(schema, table)| (schema, table.name.clone()))
    .collect()
}
