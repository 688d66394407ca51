//! Mycat 1.6: server.xml, schema.xml, rule.xml and the files these name.

mod functions;
mod hosts;
mod mapping;
mod names;
mod rules;
mod servers;
mod tables;

use indexmap::IndexMap;
use roxmltree::{Document, Node as Element, ParsingOptions};

use crate::draft::Draft;
use crate::{Imported, ReadFile};

/// Converts a directory of Mycat's.
#[must_use]
pub fn mycat(read: ReadFile<'_>) -> Imported {
    let mut import = Import { read, draft: Draft::default(), any_server: IndexMap::new() };
    import.draft.notes = vec![
        "Imported from Mycat 1.6: every row stays where it is.".to_owned(),
        "Passwords of servers come from the environment; those of users became verifiers.".to_owned(),
        "Next: set the variables, `serval check`, `serval snapshot`, `serval check` again.".to_owned(),
    ];
    let texts = FILES.map(|file| import.text(file));
    let [server, schema, rule] = [0, 1, 2].map(|file| {
        let text = texts[file].as_deref()?;
        let options =
            ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let parsed = Document::parse_with_options(text, options);
        parsed
            .map_err(|error| import.draft.refuse(FILES[file], "the file", format!("it is not XML: {error}")))
            .ok()
    });
    if let Some(server) = &server {
        import.server(server.root_element());
    }
    if let (Some(schema), Some(rule)) = (&schema, &rule) {
        import.schemas(schema.root_element(), rule.root_element());
    }
    import.draft.finish()
}

const FILES: [&str; 3] = ["server.xml", "schema.xml", "rule.xml"];

/// A config larger than this is none.
const MOST_NODES: u32 = 1_000_000;

struct Import<'a> {
    read: ReadFile<'a>,
    draft: Draft,
    /// The data hosts, with whether their replicas take reads.
    any_server: IndexMap<String, bool>,
}

impl Import<'_> {
    fn text(&mut self, file: &str) -> Option<String> {
        match (self.read)(file) {
            Ok(text) => Some(text),
            Err(error) => {
                self.draft.refuse(file, "the file", error);
                None
            }
        }
    }
}

/// The children of this name.
fn children<'a, 'i>(element: Element<'a, 'i>, name: &'static str) -> impl Iterator<Item = Element<'a, 'i>> {
    element.children().filter(move |child| child.has_tag_name(name))
}

/// An attribute, trimmed; empty ones count as absent.
fn attribute<'a>(element: Element<'a, '_>, name: &str) -> Option<&'a str> {
    element.attribute(name).map(str::trim).filter(|text| !text.is_empty())
}

fn is_true(element: Element<'_, '_>, name: &str) -> bool {
    attribute(element, name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The `<property name="…">` of an element.
fn properties(element: Element<'_, '_>) -> IndexMap<String, String> {
    children(element, "property")
        .filter_map(|property| {
            let name = attribute(property, "name")?.to_owned();
            Some((name, property.text().unwrap_or_default().trim().to_owned()))
        })
        .filter(|(_, value)| !value.is_empty())
        .collect()
}
