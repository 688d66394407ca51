//! `[nodes]`, and lists of node names wherever they stand.

use std::collections::HashMap;
use std::ops::Range;

use indexmap::{IndexMap, IndexSet};
use serval_types::NodeId;

use super::expand::Pattern;
use super::{Sink, did_you_mean, raw};
use crate::{DataNode, Group};

/// The nodes that names can mean.
#[derive(Debug, Default)]
pub(crate) struct NodeNames {
    ids: IndexMap<String, NodeId>,
    /// Nodes whose own definition is wrong and reported; naming one is no further mistake.
    broken: IndexSet<String>,
    /// The name of an entry cannot be read, so any name may be one of its nodes.
    unreadable: bool,
}

impl NodeNames {
    /// The node of this name; an unknown one is reported at `place`.
    pub fn find(&self, name: &str, place: Range<usize>, sink: &mut Sink<'_>) -> Option<NodeId> {
        let found = self.ids.get(name).copied();
        if found.is_none() && !self.unreadable && !self.broken.contains(name) {
            let fix = did_you_mean(name, self.ids.keys().chain(&self.broken).map(String::as_str));
            sink.error_at(place, format!("there is no node `{name}`"), fix);
        }
        found
    }

    /// The nodes of a list, each once; `None` where a name in it is wrong or there is none, which is reported.
    /// `owner` is whose list it is.
    pub fn list(
        &self,
        path: &[&str],
        raw: &raw::Names,
        owner: &str,
        sink: &mut Sink<'_>,
    ) -> Option<Vec<(String, NodeId)>> {
        let listed = names(path, raw, sink)?;
        if listed.is_empty() {
            sink.error(path, format!("{owner} has no nodes"), "name at least one node");
            return None;
        }
        let mut found: IndexMap<String, NodeId> = IndexMap::new();
        let count = listed.len();
        for (place, name) in listed {
            if found.contains_key(&name) {
                sink.error_at(place, format!("the node `{name}` is named twice"), "name each node once");
            } else if let Some(id) = self.find(&name, place, sink) {
                found.insert(name, id);
            }
        }
        (found.len() == count).then(|| found.into_iter().collect())
    }
}

/// The data nodes, in the order of the config.
pub(crate) fn nodes(
    config: &raw::Config,
    groups: &IndexMap<String, Group>,
    sink: &mut Sink<'_>,
) -> (Vec<DataNode>, NodeNames) {
    let mut nodes: Vec<DataNode> = Vec::new();
    let mut names = NodeNames { broken: broken(config, sink), ..NodeNames::default() };
    let mut databases: HashMap<(u16, String), String> = HashMap::new();
    for (pattern, raw) in &config.nodes {
        let path = ["nodes", pattern.as_str()];
        let Some(name) = parse(sink.document.key_span(&path), pattern, sink) else {
            names.unreadable = true;
            continue;
        };
        let Some(expanded) = expanded(&path, &name, raw, sink) else {
            names.broken.extend(name.names());
            continue;
        };
        for (name, group_name, database) in expanded {
            let Some(group) = groups.get(&group_name) else {
                if !sink.document.has(&["groups", &group_name]) {
                    let fix = did_you_mean(&group_name, groups.keys().map(String::as_str));
                    sink.error(
                        &[&path[..], &["group"]].concat(),
                        format!("there is no group `{group_name}`"),
                        fix,
                    );
                }
                names.broken.insert(name);
                continue;
            };
            if names.ids.contains_key(&name) {
                sink.error_at_key(
                    &path,
                    format!("the node `{name}` is defined twice"),
                    "name each node once",
                );
                continue;
            }
            check_database(&path, &database, sink);
            if let Some(other) = databases.insert((group.id.0, database.clone()), name.clone()) {
                let message = format!(
                    "the database `{database}` of the group `{group_name}` is already the node `{other}`"
                );
                sink.error(
                    &[&path[..], &["database"]].concat(),
                    message,
                    "let each node have a database of its own",
                );
            }
            let Ok(id) = u16::try_from(nodes.len()) else {
                sink.error_at_key(&path, "there are more than 65536 nodes", "use fewer");
                return (nodes, names);
            };
            names.ids.insert(name.clone(), NodeId(id));
            nodes.push(DataNode { id: NodeId(id), name, group: group.id, database });
        }
    }
    (nodes, names)
}

/// The names of the entries that the document has and the config lost to a mistake of shape.
fn broken(config: &raw::Config, sink: &Sink<'_>) -> IndexSet<String> {
    let Some(toml::de::DeValue::Table(written)) =
        sink.document.root.get_ref().get("nodes").map(toml::Spanned::get_ref)
    else {
        return IndexSet::new();
    };
    let lost = written.keys().filter(|key| !config.nodes.contains_key(key.get_ref().as_ref()));
    lost.filter_map(|key| Pattern::parse(key.get_ref()).ok()).flat_map(|pattern| pattern.names()).collect()
}

/// Name, group and database of each node of an entry, the ranges counting in step.
fn expanded(
    path: &[&str],
    name: &Pattern,
    raw: &raw::Node,
    sink: &mut Sink<'_>,
) -> Option<Vec<(String, String, String)>> {
    let (group_path, database_path) = ([path, &["group"]].concat(), [path, &["database"]].concat());
    let group = parse(sink.document.span(&group_path), &raw.group, sink);
    let database = parse(sink.document.span(&database_path), &raw.database, sink);
    let (group, database) = (group?, database?);
    for (path, part) in [(&group_path, &group), (&database_path, &database)] {
        if part.count.is_some() && part.count != name.count {
            let count = |pattern: &Pattern| pattern.count.unwrap_or(1);
            let message =
                format!("this makes {} names, but the node's own name makes {}", count(part), count(name));
            sink.error(path, message, "ranges count in step with the node's name; let them be equally long");
            return None;
        }
    }
    Some((0..name.count.unwrap_or(1)).map(|n| (name.name(n), group.name(n), database.name(n))).collect())
}

fn check_database(path: &[&str], database: &str, sink: &mut Sink<'_>) {
    let wrong = database.is_empty()
        || database.chars().count() > 64
        || database.ends_with(' ')
        || database.contains(['/', '\\', '.', '`', '\0']);
    if wrong {
        let path = [path, &["database"]].concat();
        let fix = "use 1 to 64 characters, without `/`, `\\`, `.` and a quote";
        sink.error(&path, format!("`{database}` cannot be a database's name"), fix);
    }
}

/// The names in a list, each with the bytes to underline; `None` where a range in it is wrong, which is reported.
pub(super) fn names(
    path: &[&str],
    raw: &raw::Names,
    sink: &mut Sink<'_>,
) -> Option<Vec<(Range<usize>, String)>> {
    let texts: Vec<(Range<usize>, &str)> = match raw {
        raw::Names::Text(text) => vec![(sink.document.span(path), text)],
        raw::Names::List(texts) => {
            let place = |index: usize| sink.document.span(&[path, &[&index.to_string()]].concat());
            texts.iter().enumerate().map(|(index, text)| (place(index), text.as_str())).collect()
        }
    };
    let mut found = Some(Vec::new());
    for (place, text) in texts {
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let offset = part.as_ptr() as usize - text.as_ptr() as usize;
            match (parse_at(place.clone(), offset, part, sink), &mut found) {
                (Some(pattern), Some(found)) => {
                    found.extend(pattern.names().into_iter().map(|name| (place.clone(), name)));
                }
                (Some(_), None) => {}
                (None, _) => found = None,
            }
        }
    }
    found
}

/// The pattern of a text whose quotes the span includes; a mistake in it is reported.
pub(super) fn parse(span: Range<usize>, text: &str, sink: &mut Sink<'_>) -> Option<Pattern> {
    parse_at(span, 0, text, sink)
}

fn parse_at(span: Range<usize>, offset: usize, text: &str, sink: &mut Sink<'_>) -> Option<Pattern> {
    Pattern::parse(text)
        .map_err(|error| {
            let within = error.within.start + offset..error.within.end + offset;
            sink.error_within(span, within, error.message, error.fix);
        })
        .ok()
}
