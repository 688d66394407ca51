//! What time it is on the servers.

use serval_catalog::{Catalog, Moment};
use serval_remote::Backend;

use crate::query_rows::query_rows;

/// The time in UTC on the primary of each group that answers.
pub async fn clocks<B: Backend>(backend: &B, catalog: &Catalog) -> Vec<(String, Moment)> {
    let mut clocks = Vec::new();
    for group in &catalog.groups {
        let Ok(rows) = query_rows(backend, group.id, None, "SELECT UTC_TIMESTAMP()").await else { continue };
        let text = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten());
        let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
        if let Some((moment, _)) = text.and_then(|text| Moment::parse_text(&text)) {
            clocks.push((group.name.to_string(), moment));
        }
    }
    clocks
}
