//! How proxies tell each other that a table's definition has changed.
//!
//! Whoever changes a definition leaves a new version of the table's row in `serval_definition`, in the first database of
//! each group concerned; the others look there from time to time and read what has changed. Nothing depends on it for
//! long: a proxy that could not be told learns of the change from the servers' errors, or at the next reload.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serval_catalog::Catalog;
use serval_remote::Backend;
use serval_transaction::together;
use serval_types::GroupId;

use super::NO_SUCH_TABLE;
use crate::error::ExecuteError;
use crate::places::quoted;
use crate::query_rows::query_rows;

/// How long one group is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

const COLUMNS: &str = "(`schema_name` VARCHAR(64) NOT NULL, `table_name` VARCHAR(64) NOT NULL, `version` BIGINT UNSIGNED \
                       NOT NULL, PRIMARY KEY (`schema_name`, `table_name`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 \
                       COLLATE=utf8mb4_bin";

/// Of the clock, so that a table that was dropped with its database does not begin with versions that were seen.
const NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)";

/// What has been seen of the groups' versions.
#[derive(Debug, Default)]
pub struct Changes {
    /// Groups whose rows of the first look are known.
    known: HashMap<GroupId, HashMap<(String, String), u64>>,
}

impl Changes {
    /// The tables, by schema and name, whose versions are other than at the last look. The first look at a group gives
    /// nothing. A group that does not answer is left out.
    pub async fn look<B: Backend>(&mut self, backend: &B, catalog: &Catalog) -> Vec<(String, String)> {
        let looks = catalog.groups.iter().map(|group| async move {
            let versions = tokio::time::timeout(PATIENCE, versions(backend, catalog, group.id)).await;
            (group.id, versions.ok().and_then(Result::ok))
        });
        let mut changed = BTreeSet::new();
        for (group, versions) in together(looks).await {
            let Some(versions) = versions else { continue };
            if let Some(known) = self.known.get(&group) {
                let news = versions.iter().filter(|(name, version)| known.get(*name) != Some(*version));
                changed.extend(news.map(|(name, _)| name.clone()));
            }
            self.known.insert(group, versions);
        }
        changed.into_iter().collect()
    }
}

async fn versions<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    group: GroupId,
) -> Result<HashMap<(String, String), u64>, ExecuteError> {
    let Some(database) = first_database(catalog, group) else { return Ok(HashMap::new()) };
    let sql = "SELECT `schema_name`, `table_name`, `version` FROM `serval_definition`";
    let rows = match query_rows(backend, group, Some(database), sql).await {
        Err(ExecuteError::Server(error)) if error.number == NO_SUCH_TABLE => Vec::new(),
        rows => rows?,
    };
    let text = |cell: Option<Vec<u8>>| cell.and_then(|cell| String::from_utf8(cell).ok());
    let row = |row: Vec<Option<Vec<u8>>>| {
        let mut cells = row.into_iter();
        let name = (text(cells.next()?)?, text(cells.next()?)?);
        Some((name, text(cells.next()?)?.parse().ok()?))
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// Tells the other proxies that the definitions of these tables, by schema and name, have changed. Gives what could not
/// be told, and why: the definitions themselves are done.
pub async fn announce<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    tables: &[(String, String)],
) -> Vec<(String, String)> {
    let mut groups: BTreeSet<GroupId> = BTreeSet::new();
    for (schema, name) in tables {
        let table = catalog.schema(schema).and_then(|schema| schema.table_or_default(name));
        let nodes = table.map(|table| table.placement.nodes()).unwrap_or_default();
        groups.extend(nodes.into_iter().map(|node| catalog.node(node).group));
    }
    let told = groups.into_iter().map(|group| async move {
        let name = catalog.group(group).name.clone();
        match tokio::time::timeout(PATIENCE, tell(backend, catalog, group, tables)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((name, error.to_string())),
            Err(_) => Some((name, "it does not answer".to_owned())),
        }
    });
    together(told).await.into_iter().flatten().collect()
}

async fn tell<B: Backend>(
    backend: &B,
    catalog: &Catalog,
    group: GroupId,
    tables: &[(String, String)],
) -> Result<(), ExecuteError> {
    let Some(database) = first_database(catalog, group) else { return Ok(()) };
    let rows: Vec<String> =
        tables.iter().map(|(schema, table)| format!("({}, {}, {NOW})", text(schema), text(table))).collect();
    let insert = format!(
        "INSERT INTO `serval_definition` (`schema_name`, `table_name`, `version`) VALUES {} ON DUPLICATE KEY UPDATE \
         `version` = GREATEST(`version` + 1, {NOW})",
        rows.join(", ")
    );
    match query_rows(backend, group, Some(database), &insert).await {
        Err(ExecuteError::Server(error)) if error.number == NO_SUCH_TABLE => {
            let create = format!("CREATE TABLE IF NOT EXISTS {} {COLUMNS}", quoted("serval_definition"));
            query_rows(backend, group, Some(database), &create).await?;
            query_rows(backend, group, Some(database), &insert).await.map(drop)
        }
        told => told.map(drop),
    }
}

/// A literal that no sql_mode reads otherwise.
fn text(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("CONVERT(x'{digits}' USING utf8mb4)")
}

fn first_database(catalog: &Catalog, group: GroupId) -> Option<&str> {
    catalog.nodes.iter().find(|node| node.group == group).map(|node| &*node.database)
}
