//! Tables' definitions joined to a catalog: the sharding column's type, unique keys, sequences, foreign keys.

mod altered;
mod family;
mod foreign;
mod unique;

use std::sync::Arc;

pub use altered::check_alteration;
pub use family::check_family;
pub use foreign::check_foreign_keys;
use serval_types::{Collation, ColumnType, IntWidth};
pub use unique::check_unique;

use crate::{
    Catalog, Diagnostic, Placement, Sequence, SequenceKind, Severity, Sharding, ShardingColumn, Table,
    TableDefinition, TextMatch, Uniqueness,
};

/// Something wrong about a table's definition, given its config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub severity: Severity,
    /// The key of the table's config that it concerns.
    pub key: &'static str,
    pub message: String,
    pub fix: String,
}

impl Finding {
    fn error(key: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Error, key, message: message.into(), fix: fix.into() }
    }
}

/// What was found about one table.
pub(crate) struct TableFindings {
    pub schema: String,
    pub table: String,
    pub findings: Vec<Finding>,
}

impl Catalog {
    /// The same catalog, one version on, with these definitions by schema, and with what is wrong about them.
    ///
    /// A table that the config does not name goes to its schema's default node. What is wrong names the table in
    /// [`Diagnostic::file`]; a table with an error keeps its definition, and inserts into it are refused as long as
    /// its sharding column cannot be routed.
    #[must_use]
    pub fn with_definitions(&self, definitions: Vec<(String, TableDefinition)>) -> (Self, Vec<Diagnostic>) {
        let mut catalog = self.clone();
        catalog.version += 1;
        let found = catalog.define(definitions);
        let diagnostics = found.into_iter().flat_map(|table| {
            let place = format!("{}.{}", table.schema, table.table);
            table.findings.into_iter().map(move |finding| Diagnostic {
                severity: finding.severity,
                file: place.clone(),
                span: 0..0,
                message: finding.message,
                fix: Some(finding.fix),
            })
        });
        (catalog, diagnostics.collect())
    }

    /// The catalog with what the servers say of tables of a schema: their definitions, and which are absent. `None` where
    /// all of that is known already; otherwise also what is wrong, as [`Catalog::with_definitions`] says it.
    #[must_use]
    pub fn refreshed(
        &self,
        schema: &str,
        definitions: &[TableDefinition],
        absent: &[String],
    ) -> Option<(Self, Vec<Diagnostic>)> {
        let known = |name: &str| self.table(schema, name).and_then(|table| table.definition.as_deref());
        let named = |name: &String| (schema.to_owned(), name.clone());
        let fresh = definitions.iter().filter(|definition| known(&definition.name) != Some(*definition));
        let fresh: Vec<_> = fresh.map(|definition| (schema.to_owned(), definition.clone())).collect();
        let has = |name: &String| self.schema(schema).is_some_and(|schema| schema.knows(name));
        let gone = absent.iter().filter(|name| has(name) && known(name).is_some());
        let gone: Vec<_> = gone.map(named).collect();
        if fresh.is_empty() && gone.is_empty() {
            return None;
        }
        let (catalog, diagnostics) = self.with_definitions(fresh);
        Some((if gone.is_empty() { catalog } else { catalog.without_definitions(&gone) }, diagnostics))
    }

    /// The same catalog, one version on, without the definitions of these tables, by schema and name: they do not exist
    /// on their servers.
    #[must_use]
    pub fn without_definitions(&self, absent: &[(String, String)]) -> Self {
        let mut catalog = self.clone();
        catalog.version += 1;
        for (schema, name) in absent {
            let Some(schema) = catalog.schemas.get_mut(&schema.to_lowercase()) else { continue };
            let Some(table) = schema.key_of(name).and_then(|key| schema.tables.get_mut(&key)) else {
                continue;
            };
            *table = Arc::new(table.undefined());
        }
        catalog
    }

    /// Joins the definitions to the tables of this catalog.
    pub(crate) fn define(&mut self, definitions: Vec<(String, TableDefinition)>) -> Vec<TableFindings> {
        let mut found = Vec::new();
        for (schema_name, definition) in definitions {
            let Some(schema) = self.schemas.get_mut(&schema_name.to_lowercase()) else { continue };
            let key = schema.key_of(&definition.name).unwrap_or_else(|| definition.name.clone());
            let table = match (schema.tables.get(&key), schema.default_node) {
                (Some(table), _) => Table::clone(table),
                (None, Some(node)) => Table::on_node(&definition.name, node),
                (None, None) => continue,
            };
            let name = table.name.clone();
            let (table, findings) = table.defined(definition);
            schema.tables.insert(key, Arc::new(table));
            found.push(TableFindings { schema: schema_name, table: name, findings });
        }
        for table in &mut found {
            table.findings.extend(foreign::check(self, &table.schema, &table.table));
        }
        family::check(self, &mut found);
        found
    }
}

impl Table {
    /// The same table as before anything was known of its columns.
    fn undefined(&self) -> Self {
        let placement = match &self.placement {
            Placement::Sharded(sharding) => {
                let columns = sharding.columns.iter().map(ShardingColumn::untyped).collect();
                Placement::Sharded(Arc::new(sharding.with_columns(columns)))
            }
            placement => placement.clone(),
        };
        Self { placement, definition: None, sequence: None, ..self.clone() }
    }

    /// The same table once its definition is known.
    fn defined(mut self, definition: TableDefinition) -> (Self, Vec<Finding>) {
        let mut findings = Vec::new();
        let automatic = definition.auto_increment().map(|column| column.name.clone());
        self.sequence = automatic
            .as_deref()
            .and_then(|column| self.planned_sequence.as_ref().map(|planned| planned.with_column(column)));
        findings.extend(self.sequence.as_ref().and_then(|sequence| too_narrow(sequence, &definition)));
        if let Placement::Sharded(sharding) = &self.placement
            && let Some(known) = typed(sharding, &definition, &mut findings)
        {
            if let Some(message) = check_unique(&known, &definition, self.unique) {
                findings.push(Finding::error("unique", message, unique::FIX));
            }
            if self.unique == Uniqueness::Sequence && self.sequence.is_none() {
                let fix = "give the table an AUTO_INCREMENT column and leave `auto_increment` at \"segment\"";
                findings.push(Finding::error(
                    "unique",
                    format!("`unique = \"sequence\"`, but no sequence fills a column of `{}`", self.name),
                    fix,
                ));
            }
            self.placement = Placement::Sharded(Arc::new(known));
        }
        self.definition = Some(Arc::new(definition));
        (self, findings)
    }
}

/// Snowflake numbers take 63 bits.
fn too_narrow(sequence: &Sequence, definition: &TableDefinition) -> Option<Finding> {
    let column = definition.column(&sequence.column)?;
    let big = matches!(column.column_type, ColumnType::Int { width: IntWidth::Big, .. });
    if big || sequence.kind == SequenceKind::Segment {
        return None;
    }
    let message = format!("snowflake numbers need a BIGINT, and `{}` is none", column.name);
    Some(Finding::error("auto_increment", message, "use \"segment\", or make the column BIGINT"))
}

/// The sharding with its columns' types.
fn typed(sharding: &Sharding, definition: &TableDefinition, findings: &mut Vec<Finding>) -> Option<Sharding> {
    let mut columns = Vec::with_capacity(sharding.columns.len());
    for column in &sharding.columns {
        columns.push(typed_column(sharding, column, definition, findings)?);
    }
    Some(sharding.with_columns(columns))
}

fn typed_column(
    sharding: &Sharding,
    wanted: &ShardingColumn,
    definition: &TableDefinition,
    findings: &mut Vec<Finding>,
) -> Option<ShardingColumn> {
    let key = if wanted.inside { "inside_column" } else { "column" };
    let Some(column) = definition.column(&wanted.name) else {
        let known = definition.columns.iter().map(|column| column.name.as_str());
        let fix = crate::config::did_you_mean(&wanted.name, known);
        let message = format!("the table `{}` has no column `{}`", definition.name, wanted.name);
        findings.push(Finding::error(key, message, fix));
        return None;
    };
    if column.generated {
        let message =
            format!("the sharding column `{}` is generated, so no statement says its value", column.name);
        findings.push(Finding::error(key, message, "choose a column that statements write"));
        return None;
    }
    if column.on_update {
        findings.push(Finding {
            severity: Severity::Warning,
            key,
            message: format!(
                "the sharding column `{}` is ON UPDATE CURRENT_TIMESTAMP, which changes it in rows that stay where they \
                 are: an UPDATE that does not assign it is refused",
                column.name
            ),
            fix: "take ON UPDATE from the column (ALTER TABLE … MODIFY); rows that it has changed are where they were"
                .to_owned(),
        });
    }
    if wanted.follows {
        family::check_type(wanted, &column.column_type, findings);
    } else {
        check_type(sharding, wanted, &column.column_type, key, findings);
    }
    Some(wanted.defined(column))
}

fn check_type(
    sharding: &Sharding,
    wanted: &ShardingColumn,
    column_type: &ColumnType,
    key: &'static str,
    findings: &mut Vec<Finding>,
) {
    let column = &wanted.name;
    let rule = &sharding.rule;
    let (function, time_zone) = match &rule.inside {
        Some(inside) if wanted.inside => (&inside.function, &inside.time_zone),
        _ => (&rule.function, &rule.time_zone),
    };
    if let Err(reason) = function.accepts(column_type) {
        let message = format!("the sharding column `{column}`: {reason}");
        findings.push(Finding::error(key, message, "choose another column or another shard function"));
        return;
    }
    match column_type {
        ColumnType::Timestamp { .. } if time_zone.is_none() => findings.push(Finding::error(
            key,
            format!(
                "the sharding column `{column}` is a TIMESTAMP, which reads differently in each time zone"
            ),
            format!(
                "add `time_zone = \"+00:00\"`, or the zone that the months are meant in, to the rule `{}`",
                rule.name
            ),
        )),
        ColumnType::Text { collation, .. } => check_collation(wanted, collation.as_ref(), findings),
        _ => {}
    }
}

/// Text routes by spelling: say so where the collation calls other spellings equal.
fn check_collation(sharding: &ShardingColumn, collation: Option<&Collation>, findings: &mut Vec<Finding>) {
    let column = &sharding.name;
    let name = collation.map_or_else(|| "not known".to_owned(), |collation| format!("{collation}"));
    if collation.is_some_and(Collation::is_binary) {
        return;
    }
    match sharding.text_match {
        TextMatch::AsciiFold if !collation.is_some_and(folds_ascii) => findings.push(Finding::error(
            "match",
            format!("`match = \"ascii_fold\"` does not fit the column `{column}`, whose collation is {name}"),
            "it fits general_ci, unicode_ci, 0900_ai_ci, 0900_as_ci and swedish_ci collations; others fold more than case",
        )),
        TextMatch::AsciiFold => {}
        TextMatch::Raw => findings.push(Finding {
            severity: Severity::Warning,
            key: "match",
            message: format!(
                "equality on `{column}` reaches every shard: its collation ({name}) calls different spellings equal"
            ),
            fix: "give the column a _bin collation, or say `match = \"ascii_fold\"` if its keys are ASCII".to_owned(),
        }),
    }
}

/// Collations under which two strings of printable ASCII are equal exactly if they differ in case only.
pub(crate) fn folds_ascii(collation: &Collation) -> bool {
    let name = collation.name();
    let (_, rest) = name.split_once('_').unwrap_or(("", name));
    matches!(
        rest,
        "general_ci"
            | "general_nopad_ci"
            | "unicode_ci"
            | "unicode_nopad_ci"
            | "unicode_520_ci"
            | "unicode_520_nopad_ci"
            | "0900_ai_ci"
            | "0900_as_ci"
            | "uca1400_ai_ci"
            | "uca1400_as_ci"
            | "uca1400_nopad_ai_ci"
            | "uca1400_nopad_as_ci"
            | "swedish_ci"
            | "swedish_nopad_ci"
    ) || matches!(name, "uca1400_ai_ci" | "uca1400_as_ci")
}
