//! From TOML text to a [`Catalog`].

use std::path::Path;

use serval_sql::ServerKind;

use crate::config::{self, Document, Located, Sink};
use crate::{Catalog, Diagnostic, SecretSource, Settings, Severity, TableDefinition, snapshot};

/// Reads a config and the snapshot of its tables' definitions.
///
/// `resolve_secret` fetches a password from outside. `schema_snapshot` holds the files of `conf/schema/`, each with
/// its name and text; the name's stem is the schema.
///
/// # Errors
/// Every mistake at once, at least one of them a [`Severity::Error`]. On success the list holds warnings only.
pub fn load(
    text: &str,
    file_name: &str,
    resolve_secret: &dyn Fn(&SecretSource) -> Result<String, String>,
    schema_snapshot: &[(String, String)],
) -> Result<(Catalog, Vec<Diagnostic>), Vec<Diagnostic>> {
    let document = Document::parse(text, file_name)?;
    let mut sink = Sink::new(&document);
    let (mut catalog, located) = catalog(&document, resolve_secret, &mut sink);
    catalog.note_names();
    define(&mut catalog, &located, schema_snapshot, &mut sink);
    let diagnostics = sink.into_diagnostics();
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(diagnostics);
    }
    Ok((catalog, diagnostics))
}

fn catalog(
    document: &Document<'_>,
    resolve: &dyn Fn(&SecretSource) -> Result<String, String>,
    sink: &mut Sink<'_>,
) -> (Catalog, Located) {
    let raw = config::read(document, sink);
    let tls = config::client_tls(&raw, resolve, sink);
    let settings = Settings { tls, ..config::settings(&raw, sink) };
    let (users, admin_users) = config::users(&raw, resolve, sink);
    let groups = config::groups(&raw, resolve, sink);
    let (nodes, names) = config::nodes(&raw, &groups, sink);
    let rules = config::rules(&raw, &names, sink);
    let (schemas, located) = config::schemas(&raw, &names, &rules, sink);
    let groups = groups.into_values().collect();
    let scratch = config::scratch(&raw, resolve, sink);
    let engines = config::engines(&raw, resolve, sink);
    (
        Catalog {
            version: 1,
            placed: 1,
            settings,
            groups,
            nodes,
            scratch,
            engines,
            servers: ServerKind { mariadb: true, version: 101_100 },
            totals_nothing: None,
            sql_mode: None,
            defaults: std::sync::Arc::default(),
            rules,
            clock: None,
            schemas,
            users,
            admin_users,
            views: Vec::new(),
        },
        located,
    )
}

/// Joins the snapshot to the catalog. What is wrong about a table is reported where the config names it.
fn define(catalog: &mut Catalog, located: &Located, snapshot: &[(String, String)], sink: &mut Sink<'_>) {
    let mut definitions: Vec<(String, TableDefinition)> = Vec::new();
    for (file, text) in snapshot {
        let stem =
            Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if catalog.schema(&stem).is_none() {
            let message = format!("the snapshot is of the schema `{stem}`, which the config does not have");
            let fix = "remove the file, or name it after a schema";
            sink.push(Diagnostic::error(file, 0..0, message).with_fix(fix).as_warning());
            continue;
        }
        let (found, wrong) = snapshot::read(file, text);
        wrong.into_iter().for_each(|diagnostic| sink.push(diagnostic));
        definitions.extend(found.into_iter().map(|(_, definition)| (stem.clone(), definition)));
    }
    for table in catalog.define(definitions) {
        let Some((schema, key)) = located.keys(&table.schema, &table.table) else { continue };
        for finding in table.findings {
            let path = ["schemas", schema, "tables", key];
            let span = sink.document.span(&[&path[..], &[finding.key]].concat());
            let diagnostic = Diagnostic {
                severity: finding.severity,
                file: sink.document.file.to_owned(),
                span,
                message: finding.message,
                fix: Some(finding.fix),
            };
            sink.push(diagnostic);
        }
    }
}
