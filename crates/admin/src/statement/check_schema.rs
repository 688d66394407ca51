//! `check @@schema [where schema = ? [and table = ?]]`.

use serval_remote::Backend;
use serval_session::{Answer, Proxy, compare};

use super::scope::Tables;

/// The pieces and copies of tables that do not look like the others, and what would make them.
pub(super) async fn run<B: Backend>(proxy: &Proxy<B>, tables: &Tables) -> Answer {
    let mut answer = Answer::of_text(&["SCHEMA", "TABLE", "NODE", "NAME", "DIFFERENCE", "REPAIR"]);
    let catalog = proxy.catalog.load_full();
    for schema in catalog.schemas.values() {
        if tables.schema.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&schema.name)) {
            continue;
        }
        for found in compare(&*proxy.backend, &catalog, &schema.name, tables.table.as_deref()).await {
            answer.push([
                found.schema,
                found.table,
                found.node,
                found.physical,
                found.what.join("; "),
                found.repair,
            ]);
        }
    }
    answer
}
