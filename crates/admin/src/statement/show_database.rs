//! `show @@database`.

use serval_catalog::{Catalog, Consistency, TransactionMode};
use serval_session::Answer;

/// The schemas.
pub(super) fn rows(catalog: &Catalog) -> Answer {
    let mut answer = Answer::of_text(&["DATABASE", "TABLES", "DEFAULT_NODE", "TRANSACTION", "CONSISTENCY"]);
    for schema in catalog.schemas.values() {
        answer.push([
            schema.name.clone(),
            schema.tables.len().to_string(),
            schema.default_node.map_or_else(String::new, |node| catalog.node(node).name.clone()),
            transaction(schema.transaction).to_owned(),
            consistency(schema.consistency).to_owned(),
        ]);
    }
    answer
}

/// The mode as the config writes it.
fn transaction(mode: TransactionMode) -> &'static str {
    match mode {
        TransactionMode::Atomic => "atomic",
        TransactionMode::BestEffort => "best_effort",
        TransactionMode::Single => "single",
    }
}

/// The consistency as the config writes it.
fn consistency(consistency: Consistency) -> &'static str {
    match consistency {
        Consistency::Primary => "primary",
        Consistency::Any => "any",
    }
}
