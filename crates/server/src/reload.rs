//! Another config while the proxy runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serval_admin::Control;
use serval_backend::Servers;
use serval_catalog::{Catalog, Diagnostic, Placement, ScratchHost, Severity, Table, TableDefinition};

use crate::config_files::ConfigFiles;
use crate::definitions::Definitions;
use crate::scratch::ScratchPlace;

/// What a reload needs to know and to change.
#[derive(Debug)]
pub struct Reload {
    /// The files of the last config that was good. Held while a reload runs, so that two follow each other.
    files: Mutex<ConfigFiles>,
    catalog: Arc<ArcSwap<Catalog>>,
    servers: Arc<Servers>,
    definitions: Arc<Definitions>,
    scratch: Option<Arc<ScratchPlace>>,
}

impl Reload {
    /// The config that was loaded from `files` is running.
    pub fn new(
        files: ConfigFiles,
        catalog: Arc<ArcSwap<Catalog>>,
        servers: Arc<Servers>,
        definitions: Arc<Definitions>,
        scratch: Option<Arc<ScratchPlace>>,
    ) -> Self {
        Self { files: Mutex::new(files), catalog, servers, definitions, scratch }
    }

    /// Reads the files again and takes them over as a whole: what became different, one line each. With a mistake in
    /// them nothing changes, and the lines are the mistakes.
    pub fn reload(&self) -> Result<Vec<String>, Vec<String>> {
        let mut files = self.files.lock();
        let read = ConfigFiles::read(&files.path).map_err(|failure| vec![failure.to_string()])?;
        let (new, warnings) = read.try_load().map_err(|mistakes| errors(&read, &mistakes))?;
        let new = self.settled(new)?;
        let old = self.catalog.load_full();
        let mut lines: Vec<String> = warnings.iter().map(|warning| read.line(warning)).collect();
        lines.extend(serval_catalog::diff(&old, &successor(&old, &new)));
        if old.settings.listen != new.settings.listen {
            lines.push("listen: needs a restart; the proxy goes on listening where it did".to_owned());
        }
        // Refused, it has changed nothing; and it has to come before any statement is planned with the new catalog.
        self.servers.apply(&new).map_err(|reordered| vec![reordered.to_string()])?;
        self.catalog.rcu(|current| successor(current, &new));
        self.definitions.read_again();
        *files = read;
        Ok(lines)
    }

    /// The catalog with the address of the scratch server that was started with the proxy.
    fn settled(&self, new: Catalog) -> Result<Catalog, Vec<String>> {
        let managed = new.scratch.as_ref().is_some_and(|scratch| scratch.host == ScratchHost::Managed);
        match &self.scratch {
            Some(place) => Ok(place.settle(new)),
            None if managed => {
                Err(vec!["[scratch] server = \"managed\" begins with a restart of the proxy".to_owned()])
            }
            None => Ok(new),
        }
    }
}

/// The mistakes alone: who reloads wants to know what stands in the way.
fn errors(files: &ConfigFiles, mistakes: &[Diagnostic]) -> Vec<String> {
    let errors = mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
    errors.map(|error| files.line(error)).collect()
}

/// The console's way to [`Reload`].
#[derive(Debug)]
pub struct Switch(pub Arc<Reload>);

impl Control for Switch {
    async fn reload(&self) -> Result<Vec<String>, Vec<String>> {
        let reload = Arc::clone(&self.0);
        // Files are read, so it may not run where sessions do.
        match tokio::task::spawn_blocking(move || reload.reload()).await {
            Ok(result) => result,
            Err(error) => Err(vec![format!("the reload did not finish: {error}")]),
        }
    }
}

/// The new catalog, with the definitions that the old one knew: servers told most of them, and a group may be down.
fn successor(old: &Catalog, new: &Catalog) -> Catalog {
    let mut known: Vec<(String, TableDefinition)> = Vec::new();
    for schema in old.schemas.values() {
        for table in schema.tables.values().filter(|table| still_there(old, new, &schema.name, table)) {
            known.extend(
                table.definition.as_deref().map(|definition| (schema.name.clone(), definition.clone())),
            );
        }
    }
    let (mut next, diagnostics) = new.with_definitions(known);
    for diagnostic in diagnostics {
        tracing::warn!("{diagnostic}");
    }
    next.version = old.version + 1;
    next
}

/// Whether the new config has the table, or did not name it before either: then it lies on the default node as it
/// did. One that the config used to place elsewhere and names no more is gone.
fn still_there(old: &Catalog, new: &Catalog, schema: &str, table: &Table) -> bool {
    let node = |catalog: &Catalog, id| catalog.node(id).name.clone();
    let default = |catalog: &Catalog| catalog.schema(schema)?.default_node.map(|id| node(catalog, id));
    match &table.placement {
        _ if new.table(schema, &table.name).is_some() => true,
        Placement::Node(id) => Some(node(old, *id)) == default(new),
        _ => false,
    }
}
