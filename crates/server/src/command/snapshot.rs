//! `serval snapshot`: the tables' definitions, from the servers into `schema/<schema>.sql` beside the config.
//!
//! With the snapshot, `check` and `explain` know column types without a server, and a proxy that starts while a
//! group is down knows its tables.

use std::fmt::Write as _;
use std::path::Path;

use serval_backend::Servers;
use serval_catalog::Catalog;
use serval_executor::definitions::{Fetched, fetch, without_counter};
use tokio_util::sync::CancellationToken;

use crate::cli::ConfigArgs;
use crate::command::run::runtime;
use crate::config_files::ConfigFiles;
use crate::failure::Failure;
use crate::logging::{self, LogFormat};
use crate::output::say;

/// Writes one file per schema.
pub fn run(args: &ConfigArgs) -> Result<(), Failure> {
    let files = ConfigFiles::read(&args.config)?;
    let (catalog, _) = files.load()?;
    logging::start("error", LogFormat::Text);
    let directory = files.directory().join("schema");
    runtime()?.block_on(async {
        let shutdown = CancellationToken::new();
        let servers = Servers::start(&catalog, shutdown.clone());
        for schema in catalog.schemas.values() {
            let definitions = definitions(&servers, &catalog, &schema.name).await?;
            let path = directory.join(format!("{}.sql", schema.name));
            write(&path, &file_text(&definitions))?;
            say(format!("{}: {} tables", path.display(), definitions.len()));
        }
        shutdown.cancel();
        Ok(())
    })
}

/// All of a schema's definitions or none: half a snapshot would look like dropped tables.
async fn definitions(
    servers: &Servers,
    catalog: &Catalog,
    schema: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let Fetched { definitions, failed, .. } = fetch(servers, catalog, schema, None).await;
    if failed.is_empty() {
        return Ok(definitions);
    }
    let failed: Vec<String> =
        failed.iter().map(|(what, error)| format!("  {schema}.{what}: {error}")).collect();
    Err(Failure::other(format!("nothing was written for schema {schema}:\n{}", failed.join("\n"))))
}

fn file_text(definitions: &[(String, String)]) -> String {
    let mut text = String::from("-- Written by `serval snapshot`.\n");
    for (_, create) in definitions {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{};\n", without_counter(create));
    }
    text
}

/// Replaces a file as a whole, so that a reader never sees half of one.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let temporary = path.with_extension("sql.new");
        std::fs::write(&temporary, text)?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| Failure::other(format!("cannot write {}: {error}", path.display())))
}
