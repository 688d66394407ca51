//! The engines: whether they can be logged in to. Nothing is asked of them, since they have no common language.

use serval_backend::greet_engine;
use serval_catalog::Catalog;

use crate::output::say;

/// Prints what each engine is, and gives what is wrong.
pub async fn look_at_all(catalog: &Catalog) -> Vec<String> {
    let mut problems = Vec::new();
    for engine in catalog.engines.engines.values() {
        let (name, address) = (&engine.name, &engine.address);
        match greet_engine(engine, catalog.settings.connect_timeout).await {
            Ok(version) => say(format!("engine {name} at {address}: {version}")),
            Err(error) => problems.push(format!("engine {name} at {address}: {error}")),
        }
    }
    problems
}
