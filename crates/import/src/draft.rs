//! A config of Serval's in the making: what all importers fill, and its text.

mod text;

use indexmap::IndexMap;
pub(crate) use text::quoted;

use crate::{Imported, Refusal};

/// A config in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// Comments at the head of the file.
    pub notes: Vec<String>,
    /// The address for clients.
    pub listen: Option<String>,
    pub users: IndexMap<String, User>,
    pub groups: IndexMap<String, Group>,
    pub nodes: IndexMap<String, Node>,
    pub rules: Vec<(String, Rule)>,
    pub schemas: IndexMap<String, Schema>,
    pub refused: Vec<Refusal>,
}

/// An account for clients.
#[derive(Debug, Default)]
pub(crate) struct User {
    /// `None` where the password is not known: it then comes from the environment.
    pub password: Option<String>,
    pub schemas: Vec<String>,
    pub default_schema: Option<String>,
}

/// A replication group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub notes: Vec<String>,
    pub primary: String,
    /// Address and weight.
    pub replicas: Vec<(String, u32)>,
    pub user: String,
    pub max_connections: Option<u32>,
}

/// A data node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub group: String,
    pub database: String,
}

/// A rule: comments, and the lines of its table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub notes: Vec<String>,
    pub lines: Vec<String>,
}

/// A schema.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    pub notes: Vec<String>,
    pub default_node: Option<String>,
    pub any_server_reads: bool,
    /// A table of it is refused. It must not be looked for on the default node, where other tables would be.
    pub incomplete: bool,
    pub tables: IndexMap<String, Table>,
}

/// A line of a schema's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub notes: Vec<String>,
    /// The inline table.
    pub value: String,
}

impl Rule {
    /// A rule of this function over these nodes.
    pub(crate) fn new(function: &str, nodes: &[String]) -> Self {
        let lines = vec![format!("function = {}", quoted(function)), format!("nodes = {}", list(nodes))];
        Self { notes: Vec::new(), lines }
    }

    pub(crate) fn with(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.lines.push(format!("{key} = {value}"));
        self
    }

    pub(crate) fn with_text(self, key: &str, value: &str) -> Self {
        self.with(key, quoted(value))
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl Draft {
    pub(crate) fn refuse(&mut self, file: &str, element: impl Into<String>, reason: impl Into<String>) {
        self.refused.push(Refusal { file: file.to_owned(), element: element.into(), reason: reason.into() });
    }

    /// Refuses a table.
    pub(crate) fn refuse_table(
        &mut self,
        file: &str,
        schema: &str,
        element: impl Into<String>,
        reason: impl Into<String>,
    ) {
        if let Some(schema) = self.schemas.get_mut(schema) {
            schema.incomplete = true;
        }
        self.refuse(file, element, reason);
    }

    /// The name of this rule, under its own name if that is free: rules that are equal are one, and so are their
    /// tables co-located.
    pub(crate) fn rule(&mut self, name: &str, rule: Rule) -> String {
        if let Some((known, _)) = self.rules.iter().find(|(_, other)| *other == rule) {
            return known.clone();
        }
        let mut free = name.to_owned();
        let mut count = 1;
        while self.rules.iter().any(|(known, _)| *known == free) {
            count += 1;
            free = format!("{name}_{count}");
        }
        self.rules.push((free.clone(), rule));
        free
    }

    /// The node's name; one that is not known yet gets it.
    pub(crate) fn node(&mut self, name: &str, node: Node) -> String {
        let same = self.nodes.iter().find(|(_, known)| **known == node).map(|(name, _)| name.clone());
        same.unwrap_or_else(|| {
            self.nodes.insert(name.to_owned(), node);
            name.to_owned()
        })
    }

    pub(crate) fn finish(self) -> Imported {
        let toml = text::of(&self);
        Imported { toml, refused: self.refused }
    }
}

/// A TOML list of texts.
pub(crate) fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A TOML inline table.
pub(crate) fn inline(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{} = {value}", text::key(key))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// The shards' names, each with the ranges it has, joined by commas.
pub(crate) fn ranges(of: impl IntoIterator<Item = (String, String)>) -> String {
    let mut joined: IndexMap<String, Vec<String>> = IndexMap::new();
    for (name, range) in of {
        joined.entry(name).or_default().push(range);
    }
    let pairs: Vec<(String, String)> =
        joined.into_iter().map(|(name, ranges)| (name, quoted(&ranges.join(", ")))).collect();
    inline(&pairs)
}
