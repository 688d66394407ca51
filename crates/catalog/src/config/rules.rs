//! `[rules]`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::inside::{self, Groups};
use super::{NodeNames, Sink, did_you_mean, raw};
use crate::function::Context;
use crate::{Rule, TextMatch};

/// The rules by name.
pub(crate) fn rules(
    config: &raw::Config,
    nodes: &NodeNames,
    sink: &mut Sink<'_>,
) -> IndexMap<String, Arc<Rule>> {
    let mut rules = IndexMap::new();
    for (name, raw) in &config.rules {
        if let Some(rule) = rule(name, raw, nodes, sink) {
            rules.insert(name.clone(), Arc::new(rule));
        }
    }
    rules
}

fn rule(name: &str, raw: &raw::Rule, nodes: &NodeNames, sink: &mut Sink<'_>) -> Option<Rule> {
    let path = ["rules", name];
    let found = nodes.list(&["rules", name, "nodes"], &raw.nodes, &format!("the rule `{name}`"), sink);
    let time_zone_is_right = check_time_zone(&["rules", name, "time_zone"], raw.time_zone.as_ref(), sink);
    let names: Option<Vec<String>> =
        found.as_ref().map(|found| found.iter().map(|(name, _)| name.clone()).collect());
    // Where nodes are lost to another mistake the options are checked all the same.
    let stand_in = ["?".to_owned()];
    let counts = names.as_ref().map_or(Some(None), |names| tables_per_node(name, raw, names.len(), sink));
    let default = names.as_ref().map_or(Some(None), |names| default_node(name, raw, names, sink));
    let (counts, default) = (counts?, default?);
    let groups = Groups::of(name, raw, names.as_ref().map(Vec::len), sink)?;
    let grouped = groups.names();
    let built = raw.function.build(&Context {
        nodes: grouped.as_deref().or(names.as_deref()).unwrap_or(&stand_in),
        tables: raw.tables.as_deref(),
        tables_per_node: counts.as_deref(),
        default,
    });
    let function = built.map_err(|errors| {
        for error in errors.into_iter().filter(|error| found.is_some() || !error.about_nodes) {
            sink.error(&[&path[..], &[error.key]].concat(), error.message, error.fix);
        }
    });
    let inside = inside::read(name, raw, &groups, sink);
    let (found, function, inside) = (found?, function.ok()?, inside?);
    let columns = columns(name, raw, &*function, sink)?;
    let tables = inside::check_size(name, raw, &*function, inside.as_ref(), sink)?;
    time_zone_is_right.then(|| Rule {
        name: name.to_owned(),
        function: function.into(),
        columns,
        nodes: found.into_iter().map(|(_, id)| id).collect(),
        text_match: text_match(raw.text_match),
        time_zone: raw.time_zone.clone(),
        tables,
        inside,
    })
}

/// The sharding columns that the rule names; `None` where they are wrong, which is reported.
fn columns(
    name: &str,
    raw: &raw::Rule,
    function: &dyn crate::ShardFunction,
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    let Some(columns) = &raw.columns else { return Some(raw.column.iter().cloned().collect()) };
    let path = ["rules", name, "columns"];
    if raw.column.is_some() {
        sink.error_at_key(&path, "`column` and `columns` say the same thing", "keep one of the two");
        return None;
    }
    check_columns(&path, columns, function, sink).then(|| columns.clone())
}

/// Whether a function can take these columns; what is wrong is reported at `path`.
pub(super) fn check_columns(
    path: &[&str],
    columns: &[String],
    function: &dyn crate::ShardFunction,
    sink: &mut Sink<'_>,
) -> bool {
    let repeated = |at: usize| columns[..at].iter().any(|before| before.eq_ignore_ascii_case(&columns[at]));
    if columns.is_empty() {
        sink.error(path, "no column is named", "name at least one");
    } else if let Some(at) = (1..columns.len()).find(|at| repeated(*at)) {
        sink.error(path, format!("the column `{}` is named twice", columns[at]), "keep one of the two");
    } else if columns.len() > 1 && !function.takes_several_columns() {
        let message = format!("`{}` takes one column, not {}", function.name(), columns.len());
        let fix =
            "use `hash` or `consistent`, or divide by the second column in a table `inside` of the rule";
        sink.error(path, message, fix);
    } else {
        return true;
    }
    false
}

/// How many tables each of the rule's nodes has; `None` where it is wrong, which is reported.
fn tables_per_node(
    name: &str,
    raw: &raw::Rule,
    nodes: usize,
    sink: &mut Sink<'_>,
) -> Option<Option<Vec<u32>>> {
    let counts = match &raw.tables_per_node {
        None => return Some(None),
        Some(raw::Counts::Same(count)) => vec![*count; nodes],
        Some(raw::Counts::Each(counts)) => counts.clone(),
    };
    let message = if counts.len() != nodes {
        format!("`tables_per_node` has {} numbers, but the rule has {nodes} nodes", counts.len())
    } else if counts.contains(&0) {
        "a node of the rule has no tables".to_owned()
    } else {
        return Some(Some(counts));
    };
    let fix = "write one number from 1 for all nodes, or one for each";
    sink.error(&["rules", name, "tables_per_node"], message, fix);
    None
}

/// The index of the default node; `None` where it is not among the rule's, which is reported.
fn default_node(name: &str, raw: &raw::Rule, nodes: &[String], sink: &mut Sink<'_>) -> Option<Option<usize>> {
    let Some(default) = &raw.default else { return Some(None) };
    let found = nodes.iter().position(|node| node == default);
    if found.is_none() {
        let fix = did_you_mean(default, nodes.iter().map(String::as_str));
        let message = format!("the default node `{default}` is not among the rule's nodes");
        sink.error(&["rules", name, "default"], message, fix);
    }
    found.map(Some)
}

pub(super) fn text_match(raw: Option<raw::TextMatch>) -> TextMatch {
    match raw {
        None | Some(raw::TextMatch::Raw) => TextMatch::Raw,
        Some(raw::TextMatch::AsciiFold) => TextMatch::AsciiFold,
    }
}

/// An offset or a name with a slash, as MySQL's own `time_zone` takes them. Whether a name exists only a server
/// knows.
pub(super) fn check_time_zone(path: &[&str], zone: Option<&String>, sink: &mut Sink<'_>) -> bool {
    let Some(zone) = zone else { return true };
    let offset = || {
        let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
        let number = |text: &str| (1..=2).contains(&text.len()).then(|| text.parse::<u8>().ok()).flatten();
        (number(hours)? <= 14 && number(minutes)? < 60).then_some(())
    };
    let named = zone == "UTC"
        || (zone.contains('/') && zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c)));
    if offset().is_some() || named {
        return true;
    }
    let fix = "write an offset or a name, for example \"+00:00\" or \"Europe/Berlin\"";
    sink.error(path, format!("`{zone}` is not a time zone"), fix);
    false
}
