//! One table of `[schemas.NAME.tables]`.

use std::sync::Arc;

use serval_types::NodeId;

use super::children::child;
use super::expand::Pattern;
use super::nodes::parse;
use super::rules::{check_columns, text_match};
use super::schemas::References;
use super::{Sink, did_you_mean, raw};
use crate::schema::{PlannedSequence, SequenceKind};
use crate::{Placement, Rule, Sharding, ShardingColumn, Table, Uniqueness};

/// One table of an entry, whose name may be a range.
pub(super) struct Entry<'e> {
    pub path: [&'e str; 4],
    pub schema: &'e str,
    pub default_node: Option<NodeId>,
    pub index: usize,
    pub count: Option<usize>,
}

impl<'e> Entry<'e> {
    pub(super) fn key(&self, key: &'e str) -> [&'e str; 5] {
        let [a, b, c, d] = self.path;
        [a, b, c, d, key]
    }
}

/// The table of an entry; `None` where it is wrong, which is reported.
pub(super) fn table(
    entry: &Entry<'_>,
    name: &str,
    raw: &raw::Table,
    references: &References<'_>,
    sink: &mut Sink<'_>,
) -> Option<Table> {
    check_name(entry, name, sink);
    let placements = [raw.rule.is_some(), raw.parent.is_some(), raw.global.is_some(), raw.node.is_some()];
    if placements.iter().filter(|given| **given).count() != 1 {
        if !sink.reported_in(&entry.path) {
            let message = match placements.iter().any(|given| *given) {
                true => {
                    format!("the table `{name}` has more than one of `rule`, `parent`, `global` and `node`")
                }
                false => format!("where the rows of `{name}` lie is not said"),
            };
            sink.error(
                &entry.path,
                message,
                "give exactly one of `rule = \"…\"`, `parent = \"…\"`, `global = \"…\"`, `node = \"…\"` and `engine = \"…\"`",
            );
        }
        return None;
    }
    report_idle_keys(entry, raw, sink);
    let placement = placement(entry, name, raw, references, sink)?;
    let sequence_node = entry.default_node.or(match &placement {
        Placement::Node(_) => None,
        Placement::Global(nodes) => nodes.first().copied(),
        Placement::Sharded(sharding) => sharding.rule.nodes.first().copied(),
    });
    let planned_sequence = match (&placement, raw.auto_increment) {
        (Placement::Node(_), _) | (_, Some(raw::AutoIncrement::Off)) => None,
        _ => sequence_node.map(|node| PlannedSequence {
            name: format!("{}.{name}", entry.schema).to_lowercase(),
            node,
            step: raw.sequence_step.unwrap_or(1000),
            kind: match raw.auto_increment {
                Some(raw::AutoIncrement::Snowflake) => SequenceKind::Snowflake,
                _ => SequenceKind::Segment,
            },
        }),
    };
    Some(Table {
        name: name.to_owned(),
        placement,
        definition: None,
        unique: uniqueness(entry, raw.unique, sink),
        sequence: None,
        planned_sequence,
        derived: None,
        held: None,
        view: None,
    })
}

fn placement(
    entry: &Entry<'_>,
    name: &str,
    raw: &raw::Table,
    references: &References<'_>,
    sink: &mut Sink<'_>,
) -> Option<Placement> {
    if let Some(text) = &raw.node {
        let path = entry.key("node");
        let place = sink.document.span(&path);
        let pattern = parse(place.clone(), text, sink)?;
        if !in_step(entry, &pattern) {
            let fix = "a range counts in step with the table's name; let both be equally long";
            sink.error(&path, "this makes another number of names than the table's own name", fix);
            return None;
        }
        return Some(Placement::Node(references.nodes.find(&pattern.name(entry.index), place, sink)?));
    }
    if let Some(list) = &raw.global {
        let path = entry.key("global");
        let owner = format!("the global table `{name}`");
        let nodes = references.nodes.list(&path, list, &owner, sink)?;
        return Some(Placement::Global(nodes.into_iter().map(|(_, id)| id).collect()));
    }
    if let Some(parent) = &raw.parent {
        return child(entry, name, raw, parent, references, sink);
    }
    sharded(entry, name, raw, references, sink)
}

fn sharded(
    entry: &Entry<'_>,
    name: &str,
    raw: &raw::Table,
    references: &References<'_>,
    sink: &mut Sink<'_>,
) -> Option<Placement> {
    let rule_name = raw.rule.as_deref()?;
    let Some(rule) = references.rules.get(rule_name) else {
        if !sink.document.has(&["rules", rule_name]) {
            let fix = did_you_mean(rule_name, references.rules.keys().map(String::as_str));
            sink.error(&entry.key("rule"), format!("there is no rule `{rule_name}`"), fix);
        }
        return None;
    };
    let text_match = raw.text_match.map_or(rule.text_match, |raw| text_match(Some(raw)));
    let columns = columns(entry, name, raw, rule, sink)?;
    let mut columns: Vec<ShardingColumn> =
        columns.iter().map(|column| ShardingColumn::new(column, text_match, false)).collect();
    columns.extend(inside_column(entry, name, raw, rule, &columns, sink)?);
    Some(Placement::Sharded(Arc::new(Sharding::new(Arc::clone(rule), name, columns))))
}

/// The columns of the rule's function; `None` where they are wrong, which is reported.
fn columns(
    entry: &Entry<'_>,
    name: &str,
    raw: &raw::Table,
    rule: &Rule,
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    let columns = match (&raw.column, &raw.columns) {
        (Some(_), Some(_)) => {
            let message = "`column` and `columns` say the same thing";
            sink.error_at_key(&entry.key("columns"), message, "keep one of the two");
            return None;
        }
        (Some(column), None) => vec![column.clone()],
        (None, Some(columns)) => {
            check_columns(&entry.key("columns"), columns, &*rule.function, sink).then_some(())?;
            columns.clone()
        }
        (None, None) => rule.columns.clone(),
    };
    if columns.is_empty() {
        let fix = "add `column = \"…\"` to the table or to the rule";
        sink.error(&entry.path, format!("the sharding column of `{name}` is not said"), fix);
        return None;
    }
    // Tables of one rule lie together where their columns are equal, one by one.
    if !rule.columns.is_empty() && columns.len() != rule.columns.len() {
        let key = if raw.column.is_some() { "column" } else { "columns" };
        let message =
            format!("the rule `{}` takes {} columns, not {}", rule.name, rule.columns.len(), columns.len());
        let fix = format!("name one for each of the rule's: {}", rule.columns.join(", "));
        sink.error(&entry.key(key), message, fix);
        return None;
    }
    Some(columns)
}

/// The column of the rule's second function, where it has one; `None` where it is wrong, which is reported.
fn inside_column(
    entry: &Entry<'_>,
    name: &str,
    raw: &raw::Table,
    rule: &Rule,
    others: &[ShardingColumn],
    sink: &mut Sink<'_>,
) -> Option<Option<ShardingColumn>> {
    let Some(inside) = &rule.inside else {
        if raw.inside_column.is_some() {
            let message = format!("`inside_column` means nothing: the rule `{}` has one function", rule.name);
            sink.error_at_key(&entry.key("inside_column"), message, "remove it");
            return None;
        }
        return Some(None);
    };
    let Some(column) = raw.inside_column.as_ref().or(inside.column.as_ref()) else {
        let fix = "add `inside_column = \"…\"` to the table, or `column = \"…\"` to the rule's `inside`";
        sink.error(&entry.path, format!("the column of `{name}` for `inside` is not said"), fix);
        return None;
    };
    if others.iter().any(|other| other.name.eq_ignore_ascii_case(column)) {
        let message = format!("both functions of the rule `{}` would take the column `{column}`", rule.name);
        sink.error(&entry.path, message, "give the second function another column");
        return None;
    }
    Some(Some(ShardingColumn::new(column, inside.text_match, true)))
}

pub(super) fn in_step(entry: &Entry<'_>, pattern: &Pattern) -> bool {
    pattern.count.is_none() || pattern.count == entry.count
}

fn uniqueness(entry: &Entry<'_>, raw: Option<raw::Unique>, sink: &mut Sink<'_>) -> Uniqueness {
    match raw {
        None => Uniqueness::Enforced,
        Some(raw::Unique::Sequence) => Uniqueness::Sequence,
        Some(raw::Unique::Unchecked) => Uniqueness::Unchecked,
        Some(raw::Unique::Index) => {
            let fix = "use \"sequence\" for an AUTO_INCREMENT key, put the sharding column into the key, or say \
                       \"unchecked\" if the application answers for it";
            sink.error(&entry.key("unique"), "`unique = \"index\"` is not available yet", fix);
            Uniqueness::Unchecked
        }
    }
}

/// Keys that mean nothing for the table's placement.
fn report_idle_keys(entry: &Entry<'_>, raw: &raw::Table, sink: &mut Sink<'_>) {
    let (ruled, child, single) = (raw.rule.is_some(), raw.parent.is_some(), raw.node.is_some());
    let sharded = ruled || child;
    let given = [
        ("column", raw.column.is_some(), !sharded),
        ("parent_column", raw.parent_column.is_some(), !child),
        ("columns", raw.columns.is_some(), !ruled),
        ("inside_column", raw.inside_column.is_some(), !ruled),
        ("unique", raw.unique.is_some(), !sharded),
        ("match", raw.text_match.is_some(), !ruled),
        ("auto_increment", raw.auto_increment.is_some(), single),
        ("sequence_step", raw.sequence_step.is_some(), single),
    ];
    for (key, given, idle) in given {
        if given && idle && entry.index == 0 {
            let kind = match (single, child, ruled) {
                (true, ..) => "that lies on one node",
                (_, true, _) => "that follows a parent",
                (_, _, true) => "that has a rule of its own",
                _ => "that is global",
            };
            sink.error_at_key(
                &entry.key(key),
                format!("`{key}` means nothing for a table {kind}"),
                "remove it",
            );
        }
    }
}

fn check_name(entry: &Entry<'_>, name: &str, sink: &mut Sink<'_>) {
    if name.is_empty()
        || name.chars().count() > 64
        || name.ends_with(' ')
        || name.contains(['\0', '/', '\\', '.'])
    {
        let fix = "use 1 to 64 characters, without `/`, `\\` and `.`";
        sink.error_at_key(&entry.path, format!("`{name}` cannot be a table's name"), fix);
    }
}
